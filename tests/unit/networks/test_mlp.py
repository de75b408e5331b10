"""MLP: float or quantized, its initialization, and its configuration."""

import json

import pytest
import torch
from brevitas.nn import QuantIdentity, QuantLinear
from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks import MLP, build_network
from nanotrigger.numbers import FixedPoint

FORMATS = {
    "input": FixedPoint(16, 6),
    "weight": FixedPoint(4, 2, narrow=True),
    "bias": FixedPoint(4, 2, narrow=True),
    "activation": FixedPoint(8, 1, signed=False),
    "output": FixedPoint(16, 6),
}
BY_LAYER = {
    **FORMATS,
    "weight": [FixedPoint(6, 2), FixedPoint(1, 1), FixedPoint(2, 1, narrow=True), FixedPoint(1, 0)],
    "bias": [FixedPoint(1, 0), FixedPoint(4, 2), FixedPoint(8, 1), FixedPoint(3, -1)],
    "activation": [FixedPoint(8, 1, signed=False), FixedPoint(2, 0, signed=False), FixedPoint(5, 3, signed=False)],
}


def test_the_default_is_16_32_32_32_5():
    shapes = [tuple(layer.weight.shape) for layer in MLP().modules() if isinstance(layer, nn.Linear)]
    assert shapes == [(32, 16), (32, 32), (32, 32), (5, 32)]


def test_describes_itself():
    assert MLP().description == "MLP 16-32-32-32-5, 2,821 parameters, float"
    assert "weight fixed<4,2>, bias fixed<4,2>, activation ufixed<8,1>" in MLP(**FORMATS).description


def test_lecun_uniform():
    torch.manual_seed(0)
    layer = MLP(hidden=[1000]).layers.dense_1
    limit = (3 / 16) ** 0.5
    assert layer.weight.abs().max() <= limit
    assert layer.weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert not layer.bias.any()


def test_the_quantized_network_computes_on_the_grid():
    network = MLP(**FORMATS).eval()
    assert isinstance(network.layers[0], QuantIdentity)
    assert isinstance(network.layers.dense_1, QuantLinear)
    logits = network(100 * torch.randn(200, 16))
    assert torch.equal(FORMATS["output"].quantize(logits), logits)
    assert network.named_formats == FORMATS


def of_layer(formats, name, depth):
    return formats[name][depth - 1] if isinstance(formats[name], list) else formats[name]


@pytest.mark.parametrize("formats", [FORMATS, BY_LAYER], ids=["one for all", "by layer"])
def test_every_value_between_the_layers_is_quantized_as_asked(formats):
    network = MLP(**formats).eval().double()
    values = torch.randn(100, 16).double()
    expected = FORMATS["input"].quantize(values)
    for depth in range(1, 5):
        layer = network.layers.get_submodule(f"dense_{depth}")
        weight, bias = (of_layer(formats, name, depth).quantize(getattr(layer, name)) for name in ("weight", "bias"))
        expected = expected @ weight.T + bias
        expected = of_layer(formats, "activation", depth).quantize(expected.relu()) if depth < 4 else expected
    assert torch.equal(network(values), FORMATS["output"].quantize(expected))


@pytest.mark.parametrize("formats", [{}, FORMATS, {**FORMATS, "weight": FixedPoint(1, 1)}, BY_LAYER])
def test_the_configuration_rebuilds_it(formats):
    network = MLP(features=3, hidden=[7, 5, 4], classes=2, **formats)
    twin = build_network(network.configuration)
    assert twin.configuration == network.configuration == json.loads(json.dumps(network.configuration))
    assert twin.formats == network.formats
    twin.load_state_dict(network.state_dict())
    values = torch.randn(10, 3)
    assert torch.equal(twin.eval()(values), network.eval()(values))


def test_formats_by_layer_have_names():
    network = MLP(**BY_LAYER)
    assert list(network.named_formats)[:5] == ["input", "weight_1", "weight_2", "weight_3", "weight_4"]
    assert network.named_formats["activation_3"] == network.formats["relu_3"] == BY_LAYER["activation"][2]
    assert network.formats["dense_4.weight"] == FixedPoint(1, 0)
    assert "weight fixed<6,2> fixed<1,1> fixed<2,1> fixed<1,0>, bias" in network.description
    assert network.configuration["weight"][1] == {"width": 1, "integer": 1, "signed": True, "narrow": False}
    assert MLP(**FORMATS).formats["dense_3.bias"] == FORMATS["bias"]
    assert MLP().formats == MLP().named_formats == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": [0]}, r"network widths \[16, 0, 5\]: every layer needs at least one unit"),
        ({"weight": FORMATS["weight"]}, "network formats: input, bias missing"),
        ({"output": FORMATS["output"]}, "network formats: input, weight, bias missing"),
        ({**FORMATS, "input": FixedPoint(1, 1)}, "network.input is binary: firmware has no exact counterpart"),
        ({**FORMATS, "output": FixedPoint(1, 1)}, "network.output is binary: firmware has no exact counterpart"),
        ({**FORMATS, "activation": FixedPoint(8, 1)}, r"network.activation fixed<8,1>: ReLU has no negative values"),
        (
            {**FORMATS, "weight": [FORMATS["weight"]] * 3},
            "network.weight has 3 formats, the network 4 layers; give one format or 4",
        ),
        ({**FORMATS, "bias": []}, "network.bias has 0 formats, the network 4 layers; give one format or 4"),
        (
            {**FORMATS, "activation": [FORMATS["activation"]] * 4},
            "network.activation has 4 formats, the network 3 hidden layers; give one format or 3",
        ),
        (
            {**FORMATS, "weight": [*BY_LAYER["weight"][:3], None]},
            "network.weight has None, which is no format; write each like",
        ),
        ({"weight": BY_LAYER["weight"]}, "network formats: input, bias missing"),
        (
            {**FORMATS, "activation": [*BY_LAYER["activation"][:2], FixedPoint(7, 1)]},
            "network.activation fixed<7,1>: ReLU has no negative values",
        ),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        MLP(**arguments)
