"""Layers of a network without an export are those of its export; effective bit operations are what they say."""

import numpy as np
import pytest
import torch

from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.graph.dense import Dense, significant_bits
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.quantize import Quantize
from nanotrigger.networks import MLP
from nanotrigger.networks.learned import frozen
from nanotrigger.numbers import FixedPoint
from tests.made_graphs import Layer, Result, chain

FORMATS = {
    "input": FixedPoint(10, 4),
    "weight": FixedPoint(9, 3),
    "bias": FixedPoint(9, 3),
    "activation": FixedPoint(8, 2, signed=False),
}


@pytest.mark.parametrize("output", [None, FixedPoint(8, 4)])
@pytest.mark.parametrize("learned", [None, "weight"])
@pytest.mark.parametrize("is_biased", [False, True])
def test_layers_are_those_of_the_export(tmp_path, output, learned, is_biased):
    torch.manual_seed(1)
    network = MLP(5, [6, 4], 3, **FORMATS, output=output, learned_bits=learned)
    for layer in (network.layers.dense_1, network.layers.dense_3):
        layer.bias.data = is_biased * torch.randn_like(layer.bias)
    plain = frozen(network).eval()
    write_qonnx(plain, tmp_path / "model.onnx")
    found, expected = graph_of(plain), read_graph(tmp_path / "model.onnx")
    assert found.input_format == expected.input_format
    assert len(found.nodes) == len(expected.nodes)
    for one, other in zip(found.nodes, expected.nodes, strict=True):
        assert (type(one), one.name, one.layer) == (type(other), other.name, other.layer)
        if isinstance(one, Dense) and isinstance(other, Dense):
            assert np.array_equal(one.weights, other.weights) and np.array_equal(one.bias, other.bias)
            assert (one.weight_step, one.bias_step) == (other.weight_step, other.bias_step)
        if isinstance(one, Quantize) and isinstance(other, Quantize):
            assert (one.conversion, one.relu) == (other.conversion, other.relu)


def test_effective_bit_operations_by_hand():
    assert significant_bits(np.array([0, 1, -1, 8, 12, -5, 127])).tolist() == [0, 1, 1, 1, 2, 3, 7]
    words = np.array([[5, 0], [-8, 6]])
    first = Layer("1", words, 1.0, np.ones(2, np.int64), 1.0, results=(Result(FixedPoint(4, 2), relu=True),))
    second = Layer("2", np.array([[3], [1]]), 1.0, np.zeros(1, np.int64), 1.0)
    assert chain(FixedPoint(7, 2), (first, second)).bit_operations() == 7 * (3 + 1 + 2) + 4 * (2 + 1)
