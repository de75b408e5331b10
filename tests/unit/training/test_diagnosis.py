"""Diagnosis: a training that learned nothing is told, one that learned is not."""

import math

import pytest
import torch

from nanotrigger.networks import MLP, Autoencoder
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.diagnosis import dead_layer, diagnose

FORMATS = {
    "input": FixedPoint(16, 6),
    "weight": FixedPoint(4, 2),
    "bias": FixedPoint(4, 2),
    "activation": FixedPoint(8, 1, signed=False),
}
LEARNED = {"val_loss": [1.6, 1.2, 1.0], "learning_rate": [3e-3, 1e-3, 0.0]}


def events(features: int = 16) -> torch.Tensor:
    """Return 100 random events."""
    return torch.randn(100, features, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("network", [MLP(), MLP(**FORMATS), Autoencoder(), Autoencoder(**FORMATS)])
def test_a_network_that_tells_events_apart_is_not_told(network):
    assert diagnose(network.eval(), events(network.features), LEARNED) == ()
    assert diagnose(network.eval(), events(network.features), {}) == ()


def test_one_event_tells_nothing():
    assert diagnose(MLP().eval(), events()[:1], {}) == ()


def test_weights_that_are_all_zero_are_told_with_their_format():
    network = MLP(**FORMATS).eval()
    torch.nn.init.constant_(network.layers.dense_2.weight, 0.1)
    (sign,) = diagnose(network, events(), {})
    assert sign == ("dense_2: all weights are zero in fixed<4,2>; give network.weight more bits, or fewer integer bits")


@pytest.mark.parametrize("formats", [{}, FORMATS])
def test_a_layer_of_constants_is_told(formats):
    network = MLP(**formats).eval()
    torch.nn.init.constant_(network.layers.dense_3.bias, -1000.0)
    if formats:
        torch.nn.init.constant_(network.layers.dense_3.weight, -1.0)
    assert dead_layer(network, events()) == "relu_3"
    (sign,) = diagnose(network, events(), LEARNED)
    assert sign.startswith("relu_3: its outputs are the same for every event; ")


def test_a_loss_that_did_not_move_is_told():
    still = {"val_loss": [1.6094, math.nan, 1.6094, 1.6094]}
    assert diagnose(MLP(), events(), still) == ("val_loss stayed at 1.609 in all 3 epochs; raise model.learning_rate",)
    assert diagnose(MLP(), events(), {"val_loss": [1.6]}) == ()  # an epoch alone cannot move


def test_epochs_without_a_learning_rate_are_told():
    history = {"val_loss": [1.6, 1.2, 1.2], "learning_rate": [1e-3, 0.0, 0.0]}
    assert diagnose(MLP(), events(), history) == (
        "the learning rate was 0 from epoch 2 on; train anew with trainer.max_epochs=3",
    )


def test_a_schedule_that_rises_again_after_a_resume_is_not_told():
    history = {"val_loss": [1.6, 1.2, 1.1], "learning_rate": [1e-3, 0.0, 0.0]}
    assert diagnose(MLP(), events(), history) == ()
