"""The sum of squares of latent means as the firmware's last layer: exact, also at the ends of the format."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends.oneapi.convert import convert
from nanotrigger.firmware.backends.oneapi.emulate import emulate
from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.firmware.target import Target, settled
from nanotrigger.firmware.vectors import extreme_inputs
from nanotrigger.firmware.witnesses import torch_outputs
from nanotrigger.networks import MLP, Autoencoder, VariationalAutoencoder
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks.anomaly.scores import rz

FORMATS = {
    "input": FixedPoint(10, 4),
    "weight": FixedPoint(6, 3, narrow=True),
    "bias": FixedPoint(6, 3, narrow=True),
    "activation": FixedPoint(8, 3, signed=False),
    "latent": FixedPoint(8, 4),
}


def test_every_word_is_exact(tmp_path):
    encoder = VariationalAutoencoder(features=6, hidden=[5], latent_size=3, **FORMATS).eval().section()
    inputs = extreme_inputs(FORMATS["input"], 6, rows=400)
    write_qonnx(encoder, tmp_path / "model.onnx")
    firmware = convert(tmp_path / "model.onnx", tmp_path / "hls", Target(radius=True))
    means = torch_outputs(encoder, inputs)
    assert np.abs(means).max() == FORMATS["latent"].maximum or means.min() == FORMATS["latent"].minimum
    assert firmware.layers[-1].tensor == "radius"
    np.testing.assert_array_equal(emulate(tmp_path / "hls", inputs).outputs[:, 0], rz(means))


@pytest.mark.parametrize(
    ("network", "target", "message"),
    [
        (MLP(), Target(radius=True), "radius=true is for the encoder of a quantized variational autoencoder"),
        (Autoencoder(**FORMATS), Target(radius=True, part="encoder"), "this network is none"),
        (VariationalAutoencoder(), Target(radius=True), "this network is none"),
        (VariationalAutoencoder(**FORMATS), Target(radius=True, part="whole"), "this network is none"),
        (VariationalAutoencoder(**FORMATS), Target(radius=True, io_type="io_stream"), "radius=true with io_type"),
    ],
)
def test_only_where_it_can_be_exact(network, target, message):
    with pytest.raises(InputError, match=message):
        settled(network, target)
