"""Evaluate: the next step after a training is one that the network can take."""

from pathlib import Path

import pytest

from nanotrigger.networks.autoencoder import VariationalAutoencoder
from nanotrigger.networks.conv_net import ConvNet
from nanotrigger.networks.mlp import MLP
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks.evaluate import next_step

FORMATS = {
    "input": FixedPoint(10, 4),
    "weight": FixedPoint(6, 2),
    "bias": FixedPoint(6, 2),
    "activation": FixedPoint(8, 2, signed=False),
}
IMAGES = {"shape": [8, 8, 1], "filters": [2], "classes": 3}
CHECKPOINT = Path("run/best.ckpt")


@pytest.mark.parametrize("network", [MLP(), VariationalAutoencoder(), ConvNet(**IMAGES, **FORMATS)])
def test_what_can_have_firmware_is_exported(network):
    assert next_step(network, CHECKPOINT).endswith("nanotrigger export ckpt=run/best.ckpt")


def test_floats_that_are_no_chain_begin_a_quantized_training():
    step = next_step(ConvNet(**IMAGES), CHECKPOINT)
    assert "nanotrigger train experiment=NAME warm_start.ckpt=run/best.ckpt, a quantized one" in step
    assert "export" not in step
