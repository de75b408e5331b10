"""Checkpoints of anomaly detection: the file alone rebuilds network, settings and scaling."""

import re

import pytest
import torch

from nanotrigger.errors import InputError
from nanotrigger.networks import Autoencoder, VariationalAutoencoder
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import AnomalyDetection
from nanotrigger.training.checkpoint import load_trained
from nanotrigger.training.run_checkpoints import LastCheckpoint
from tests.unit.training.fits import trainer

FORMATS = {
    "input": FixedPoint(18, 9),
    "weight": FixedPoint(8, 4, narrow=True),
    "bias": FixedPoint(8, 4, narrow=True),
    "activation": FixedPoint(8, 3, signed=False),
    "tensors": {"dense_3.weight": FixedPoint(16, 7)},
}


def fit(network, data, folder, **arguments):
    task = AnomalyDetection(network, **arguments)
    trainer(1, folder, [LastCheckpoint(folder)]).fit(task, datamodule=data)
    return folder / "last.ckpt"


@pytest.mark.parametrize(
    "network",
    [Autoencoder(), Autoencoder(**FORMATS), VariationalAutoencoder(), VariationalAutoencoder(**FORMATS)],
    ids=["float", "quantized", "variational", "variational and quantized"],
)
def test_the_file_rebuilds_everything(few_events, tmp_path, network):
    path = fit(network, few_events, tmp_path, positive_pt=True, kl_weight=0.5)
    trained = load_trained(path)
    features, _ = few_events.with_signals("test")
    assert type(trained.network) is type(network)
    assert torch.equal(trained.network(features), network.cpu().eval()(features))
    assert trained.task == "AnomalyDetection"
    assert trained.settings == {"masked": False, "angular_phi": False, "positive_pt": True, "kl_weight": 0.5}
    assert torch.equal(trained.standardization.scale, few_events.standardization.scale)
    record = few_events.record()
    assert trained.data == {key: value for key, value in record.items() if key != "standardization"}
    if isinstance(network, VariationalAutoencoder):
        assert torch.equal(trained.network.log_variances(features), network.log_variances(features))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masked": True}, "settings.masked=False, and this run has True"),
        ({"kl_weight": 0.1}, "settings.kl_weight=0.02, and this run has 0.1"),
        ({"network": Autoencoder(slope=0.1)}, "network.slope=0.3, and this run has 0.1"),
        ({"network": VariationalAutoencoder(latent_size=3)}, "network.network=Autoencoder, and this run has Variat"),
    ],
)
def test_a_resume_with_other_settings_is_refused(few_events, tmp_path, changes, message):
    path = fit(Autoencoder(), few_events, tmp_path)
    task = AnomalyDetection(**{"network": Autoencoder(), **changes})
    with pytest.raises(InputError, match=re.escape(f"the checkpoint was trained with {message}")) as caught:
        trainer(2, tmp_path).fit(task, datamodule=few_events, ckpt_path=path)
    assert "\n" not in str(caught.value)
