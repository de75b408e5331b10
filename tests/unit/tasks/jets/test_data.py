"""JetData: standardization sees the training split alone, and the record holds plain values."""

import torch

from nanotrigger.data.split import Standardization
from nanotrigger.tasks.jets.data import JetData


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
