"""Anomaly detection: the loss by hand, and that a training lowers it."""

import math

import lightning
import pytest
import torch

from nanotrigger.errors import InputError
from nanotrigger.networks import Autoencoder, VariationalAutoencoder
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import AnomalyDetection
from nanotrigger.tasks.anomaly import scores
from nanotrigger.tasks.anomaly.scores import absent_pt
from nanotrigger.tasks.anomaly.task import kl_divergence
from tests.unit.training.fits import trainer, validation_loss

FORMATS = {
    "input": FixedPoint(18, 9),
    "weight": FixedPoint(8, 4, narrow=True),
    "bias": FixedPoint(8, 4, narrow=True),
    "activation": FixedPoint(8, 3, signed=False),
    "output": FixedPoint(16, 7),
}


@pytest.mark.parametrize(
    ("means", "log_variances", "expected"),
    [
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([3.0, 4.0], [0.0, 0.0], 12.5),
        ([1.0, 2.0], [0.0, math.log(4)], 0.5 + 3.5 - math.log(2)),
    ],
)
def test_kl_divergence(means, log_variances, expected):
    found = kl_divergence(torch.tensor([means]), torch.tensor([log_variances]))
    torch.testing.assert_close(found, torch.tensor([expected]))


def test_training_and_evaluation_agree_on_the_divergence():
    means, log_variances = torch.randn(2, 20, 3).double()
    torch.testing.assert_close(
        kl_divergence(means, log_variances), torch.from_numpy(scores.kl_divergence(means, log_variances))
    )


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [(Autoencoder, {}), (Autoencoder, FORMATS), (VariationalAutoencoder, {}), (VariationalAutoencoder, FORMATS)],
    ids=["float", "quantized", "variational", "variational and quantized"],
)
def test_a_training_lowers_the_loss(few_events, tmp_path, kind, arguments):
    lightning.seed_everything(1, verbose=False)
    task = AnomalyDetection(kind(**arguments), masked=True, angular_phi=True, positive_pt=True)
    before = validation_loss(task, few_events, tmp_path)
    made = trainer(10, tmp_path)
    made.fit(task, datamodule=few_events)
    assert made.callback_metrics["val_loss"] < 0.9 * before
    assert ("val_kl" in made.callback_metrics) == (kind is VariationalAutoencoder)


def test_the_loss_is_that_of_the_settings(few_events, tmp_path):
    network = VariationalAutoencoder()
    torch.nn.init.normal_(network.log_variance.weight, std=0.1)
    losses = [
        validation_loss(AnomalyDetection(network, kl_weight=weight), few_events, tmp_path) for weight in (0.0, 0.5, 1.0)
    ]
    network.eval()
    (features,) = few_events.rows("validation")
    with torch.no_grad():
        error = (network(features) - features).square().mean().item()
        divergence = kl_divergence(*network.distribution(features)).mean().item()
    assert losses == pytest.approx([error, error + 0.5 * divergence, error + divergence], rel=1e-4)


def test_knows_absent_objects_from_the_data(few_events, tmp_path):
    task = AnomalyDetection(Autoencoder())
    assert not task.absent_pt.any()
    validation_loss(task, few_events, tmp_path)
    assert torch.equal(task.absent_pt, absent_pt(few_events.standardization))
    assert "absent_pt" not in task.state_dict()


def test_settings_are_primitives():
    assert AnomalyDetection(Autoencoder(), masked=True, kl_weight=0.1).settings == {
        "masked": True,
        "angular_phi": False,
        "positive_pt": False,
        "kl_weight": 0.1,
    }


@pytest.mark.parametrize("weight", [-0.1, math.inf, math.nan])
def test_refuses_a_bad_weight_of_the_divergence(weight):
    with pytest.raises(InputError) as caught:
        AnomalyDetection(Autoencoder(), kl_weight=weight)
    assert str(caught.value) == f"model.kl_weight={weight}: must be finite and not negative"


def test_refuses_another_number_of_features(few_events, tmp_path):
    with pytest.raises(InputError, match="network.features=16: events have 57 features"):
        validation_loss(AnomalyDetection(Autoencoder(features=16)), few_events, tmp_path)
