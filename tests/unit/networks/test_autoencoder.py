"""Autoencoder: its layers, its parts, its formats and its configuration."""

import json

import pytest
import torch
from brevitas.nn import QuantLinear
from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks import Autoencoder, build_network
from nanotrigger.numbers import FixedPoint

WIDE = FixedPoint(16, 7)
FORMATS = {
    "input": FixedPoint(18, 9),
    "weight": FixedPoint(8, 4, narrow=True),
    "bias": FixedPoint(8, 4, narrow=True),
    "activation": FixedPoint(8, 0, signed=False),
    "latent": WIDE,
    "output": WIDE,
}
TENSORS = {"dense_3.weight": WIDE, "relu_4": FixedPoint(9, 1, signed=False)}
FLOAT = "dense_1 norm_1 relu_1 dense_2 norm_2 relu_2 dense_3 dense_4 norm_4 relu_4 dense_5 norm_5 relu_5 dense_6"
QUANTIZED = "input dense_1 relu_1 dense_2 relu_2 dense_3 latent dense_4 relu_4 dense_5 relu_5 dense_6 output"


def layer_names(network) -> str:
    return " ".join(name for name, _ in network.layers.named_children())


def test_the_default_is_57_32_16_3_16_32_57():
    network = Autoencoder()
    assert network.widths == (57, 32, 16, 3, 16, 32, 57)
    assert (network.latent_size, network.bottleneck, network.output_name) == (3, "dense_3", "reconstruction")
    assert network.description == "Autoencoder 57-32-16-3-16-32-57, 5,116 parameters, float"


def test_a_float_network_has_batch_norm_and_leaky_relu():
    assert layer_names(Autoencoder()) == FLOAT
    assert Autoencoder().layers.relu_5.negative_slope == 0.3
    plain = Autoencoder(batch_norm=False, slope=0.0)
    assert layer_names(plain).split() == [name for name in FLOAT.split() if not name.startswith("norm")]
    assert isinstance(plain.layers.relu_1, nn.ReLU)


def test_a_quantized_network_has_neither():
    network = Autoencoder(**FORMATS)
    assert layer_names(network) == QUANTIZED
    kinds = {type(layer) for layer in network.modules()}
    assert not kinds & {nn.BatchNorm1d, nn.LeakyReLU, nn.Linear}
    assert isinstance(network.layers.dense_3, QuantLinear)


@pytest.mark.parametrize("formats", [{}, FORMATS, {**FORMATS, "latent": None, "output": None}])
@pytest.mark.parametrize("hidden", [[], [5], [9, 4]])
def test_encoder_and_decoder_make_the_whole(formats, hidden):
    network = Autoencoder(features=6, hidden=hidden, latent_size=2, **formats).eval()
    features = 3 * torch.randn(20, 6)
    latent = network.encode(features)
    assert latent.shape == (20, 2)
    assert torch.equal(network.decode(latent), network(features))
    assert network(features).shape == (20, 6)


@pytest.mark.parametrize("formats", [{}, FORMATS])
def test_parts(formats):
    network = Autoencoder(**formats).eval()
    encoder, features = network.section("encoder"), torch.randn(20, 57)
    assert network.sections == ("whole", "encoder")
    assert network.section() is network
    assert torch.equal(encoder(features), network.encode(features))
    assert (encoder.widths, encoder.output_name) == ((57, 32, 16, 3), "latent_values")
    assert encoder.layers.dense_1 is network.layers.dense_1
    with pytest.raises(InputError, match="part=decoder: a network of this kind has whole, encoder"):
        network.section("decoder")


def test_the_encoder_has_the_formats_of_its_tensors():
    names = [f"dense_{depth}.{kind}" for depth in (1, 2, 3) for kind in ("weight", "bias")]
    encoder = Autoencoder(**FORMATS, tensors=TENSORS).section("encoder")
    assert set(encoder.formats) == {"input", "latent", "relu_1", "relu_2", *names}
    assert encoder.formats["dense_3.weight"] == WIDE


def test_single_tensors_override_their_kind():
    network = Autoencoder(**FORMATS, tensors=TENSORS).eval().double()
    assert network.formats["dense_3.weight"] == network.named_formats["dense_3.weight"] == WIDE
    assert network.formats["dense_3.bias"] == network.named_formats["bias"] == FORMATS["bias"]
    values = torch.rand(50, 16).double()
    found = network.layers.relu_4(network.layers.dense_4(torch.randn(50, 3).double()))
    assert torch.equal(found, TENSORS["relu_4"].quantize(found))
    expected = values @ WIDE.quantize(network.layers.dense_3.weight).T
    assert torch.equal(network.layers.dense_3(values), expected)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"batch_norm": False, "slope": 0.1}, FORMATS, {**FORMATS, "tensors": TENSORS}],
)
def test_the_configuration_rebuilds_it(arguments):
    network = Autoencoder(features=9, hidden=[7, 5], latent_size=2, **arguments)
    twin = build_network(json.loads(json.dumps(network.configuration)))
    assert type(twin) is Autoencoder
    assert twin.configuration == network.configuration
    assert (twin.formats, str(twin)) == (network.formats, str(network))
    twin.load_state_dict(network.state_dict())
    assert torch.equal(twin.eval()(torch.ones(1, 9)), network.eval()(torch.ones(1, 9)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": 0}, "network widths [0, 32, 16, 3, 16, 32, 0]: every layer needs at least one unit"),
        ({"hidden": [4, -1]}, "network widths [57, 4, -1, 3, -1, 4, 57]: every layer"),
        ({"latent_size": 0}, "network widths [57, 32, 16, 0, 16, 32, 57]: every layer"),
        ({"slope": 1.0}, "network.slope=1.0: must be at least 0 and below 1"),
        ({"slope": float("nan")}, "network.slope=nan: must be"),
        ({"tensors": TENSORS}, "network formats: input, weight, bias missing"),
        (
            {**FORMATS, "tensors": {"dense_7.weight": WIDE}},
            "network.tensors has dense_7.weight, which is none of input",
        ),
        ({**FORMATS, "tensors": {"relu_3": WIDE}}, "network.tensors has relu_3, which is none of"),
        ({**FORMATS, "weight": [WIDE] * 3}, "network.weight has 3 formats, the network 6 layers; give one format or 6"),
        ({**FORMATS, "latent": FixedPoint(1, 1)}, "network.latent is binary: firmware has no exact counterpart"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(InputError) as caught:
        Autoencoder(**arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
