"""JetData: standardization sees the training split alone, and the record holds plain values."""

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from nanotrigger.data.split import Standardization
from nanotrigger.networks import MLP
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.tasks.jets.evaluation import evaluate_jets
from nanotrigger.tasks.jets.task import JetTagging
from nanotrigger.training.checkpoint import TrainedNetwork


def test_standardization_is_fitted_on_the_training_split():
    data = JetData("simulated")
    data.setup()
    features, labels = data.rows("train")
    assert features.shape == (30_000, 16)
    assert labels.shape == (30_000,)
    torch.testing.assert_close(features.double().mean(dim=0), torch.zeros(16).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(features.double().std(dim=0, correction=0), torch.ones(16).double(), atol=1e-5, rtol=0)
    assert data.rows("test")[0].double().mean(dim=0).abs().max() > 1e-4  # not fitted on these


def test_record_restores_the_scaling():
    data = JetData("simulated", split_seed=4)
    data.setup()
    record = data.record()
    assert record["source"] == "simulated"
    assert record["split_seed"] == 4
    restored = Standardization(**record["standardization"])
    raw = torch.from_numpy(data.sample.features)
    assert torch.equal(restored.apply(raw)[data.split.test], data.rows("test")[0])


def test_says_what_it_read():
    data = JetData("simulated")
    assert str(data) == "data: simulated, not read yet"
    data.setup()
    assert "shipped sample), 50,000 jets: 30,000 training, 10,000 validation, 10,000 test" in str(data)


@pytest.mark.parametrize(("names", "unit"), [(["energy", "width"], "events"), (["mass_mmdt", "width"], "jets")])
def test_rows_of_others_are_called_what_they_are(tmp_path, names, unit):
    generator = np.random.default_rng(1)
    path = tmp_path / "own.npz"
    np.savez(path, X=generator.normal(size=(60, 2)), y=np.arange(60) % 2, feature_names=names)
    data = JetData(str(path))
    data.setup()
    assert f"own.npz, 60 {unit}: 36 training" in str(data)
    assert JetData.judged(data.record(), data.standardization).description.endswith(f"12 {unit}")
    figure = JetTagging.history_figure(data, {"epoch": [0, 1], "train_loss": [2, 1], "val_loss": [2, 1.5]})
    assert any(f"36 {unit} for training" in text.get_text() for text in figure.findobj(Text))
    network = MLP(2, (4,), 2)
    trained = TrainedNetwork(network.eval(), "JetTagging", data.record(), data.standardization, 1, "c" * 64)
    found = evaluate_jets(trained, data, history=figure)
    assert f"on 12 {unit}, best epoch 1" in found.line
    assert any(f"12 {unit}, test" in text.get_text() for text in found.figures["features"].findobj(Text))
