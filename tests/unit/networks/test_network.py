"""Dense networks: their widths and parts."""

import pytest
import torch
from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks import Network
from nanotrigger.networks.layers import Quantizer
from nanotrigger.networks.plan import Linear, relu_layer, weight_layer
from nanotrigger.numbers import FixedPoint

NUMBER, UNSIGNED = FixedPoint(6, 2), FixedPoint(6, 2, signed=False)


@pytest.fixture
def network() -> Network:
    layers = nn.Sequential()
    layers.add_module("input", Quantizer(NUMBER))
    layers.add_module("dense_1", weight_layer(Linear(4, 7), NUMBER, NUMBER))
    layers.add_module("relu_1", relu_layer(UNSIGNED))
    layers.add_module("dense_2", weight_layer(Linear(7, 2), NUMBER, NUMBER))
    names = ("input", "dense_1.weight", "dense_1.bias", "dense_2.weight", "dense_2.bias")
    return Network(layers, {**dict.fromkeys(names, NUMBER), "relu_1": UNSIGNED}, output_name="values")


def test_widths(network):
    assert network.widths == (4, 7, 2)
    assert network.features == 4
    assert network(torch.randn(5, 4)).shape == (5, 2)
    assert network.describe("") == "Network 4-7-2, 51 parameters, float"


def test_formats_are_those_of_the_tensors(network):
    names = [name for name, _ in network.layers.named_children()]
    assert {name.partition(".")[0] for name in network.formats} == set(names)
    assert network.named_formats == {}  # given were only those of the tensors
    assert network.formats["relu_1"] == UNSIGNED


def test_its_only_part_is_the_whole(network):
    assert network.sections == ("whole",)
    assert network.section() is network.section("whole") is network


@pytest.mark.parametrize("name", ["encoder", "nonsense", ""])
def test_refuses_other_parts(network, name):
    with pytest.raises(InputError) as caught:
        network.section(name)
    assert str(caught.value) == f"part={name}: a network of this kind has whole"
