"""Activations with fewer bits for single neurons: what they compute, how they are frozen, exported and built."""

import numpy as np
import onnx
import pytest
import torch

from nanotrigger.datapath.operations import Sum, unshifted
from nanotrigger.errors import InputError
from nanotrigger.firmware.qonnx import exported_graph, write_qonnx
from nanotrigger.firmware.witnesses import qonnx_rows
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.quantize_channels import QuantizeChannels
from nanotrigger.networks import MLP, build_network
from nanotrigger.networks.learned import frozen, take_over
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from tests.made_firmware import differing

DOWN = FixedPoint(6, 2, signed=False, rounding="down")
FORMATS = {"input": FixedPoint(6, 3), "weight": FixedPoint(5, 2), "bias": FixedPoint(6, 2), "activation": DOWN}


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = MLP(6, [8, 4], 3, narrow_activations=True, **FORMATS).eval()
    with torch.no_grad():
        for layer in weighted_layers(made).values():
            layer.weight.copy_(FORMATS["weight"].quantize(torch.randn_like(layer.weight)))
            layer.bias.copy_(FORMATS["bias"].quantize(torch.randn_like(layer.bias)))
    first, second = made.layers.relu_1.narrowing, made.layers.relu_2.narrowing
    first.low[:5], first.high[:5] = torch.tensor([1, 2, 0, 3, 4]), torch.tensor([0, 1, 2, 1, 0])
    second.low[:], second.high[1] = 1, 2
    return made


def values(rows=2000):
    return np.concatenate([np.random.default_rng(1).normal(0, 2, (rows, 6)), np.full((1, 6), 9.0), np.zeros((1, 6))])


def test_each_neuron_has_a_format_of_its_own(network):
    layer, sums = network.layers.relu_1, 3 * torch.randn(500, 8)
    numbers = layer.narrowing.formats(DOWN)
    assert list(map(str, numbers[:5])) == ["ufixed<5,2>", "ufixed<3,1>", "ufixed<4,0>", "ufixed<2,1>", "ufixed<2,2>"]
    assert numbers[5:] == (DOWN,) * 3
    expected = [number.quantize(column) for number, column in zip(numbers, sums.relu().t().numpy(), strict=True)]
    assert torch.equal(layer(sums), torch.from_numpy(np.stack(expected, axis=1)))
    for neuron in range(8):
        assert torch.equal(layer.of_neuron(sums[:, neuron], neuron), layer(sums)[:, neuron])


def test_the_gradient_ends_where_a_neuron_saturates(network):
    sums = torch.full((1, 8), 1.9, requires_grad=True)
    network.layers.relu_1(sums).sum().backward()
    assert sums.grad.tolist() == [[1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]]  # the third has no integer bits


def test_the_export_computes_the_same(network, tmp_path):
    features = values()
    outputs = network(torch.from_numpy(features).float()).detach().numpy()
    for graph in (graph_of(network), exported_graph(network)):
        assert sum(isinstance(node, QuantizeChannels) for node in graph.nodes) == 2
        np.testing.assert_array_equal(graph.values(graph.output, graph.words(features)[graph.output]), outputs)
    write_qonnx(network, tmp_path / "model.onnx")
    found = qonnx_rows(onnx.load(tmp_path / "model.onnx"), {"features": features})
    assert len(found.rows) == len(features)
    np.testing.assert_array_equal(found.outputs, outputs)


@pytest.mark.parametrize("adders", [None, "shared"])
def test_the_firmware_computes_the_same(network, tmp_path, adders):
    assert differing(exported_graph(network), {"features": values(400)}, tmp_path, adders=adders) == 0


def test_zeros_below_a_coarser_format_are_not_added(network):
    operations = graph_of(network).unroll().operations
    padded = {at for at in range(len(operations)) if unshifted(operations, at) != (at, 0)}
    assert len(padded) == 4  # of the first layer; in the second one all are as coarse
    assert not any(padded & set(operation.operands) for operation in operations if isinstance(operation, Sum))


def test_learned_precision_takes_it_over():
    torch.manual_seed(1)
    learned = MLP(6, [8, 4], 3, narrow_activations=True, learned_bits="weight", **FORMATS).eval()
    plain, features = frozen(learned), torch.from_numpy(values(200)).float()
    plain.layers.relu_1.narrowing.low[2], plain.layers.relu_2.narrowing.high[1] = 2.0, 1.0
    assert not torch.equal(plain(features), learned(features))
    take_over(learned, plain)
    assert torch.equal(plain(features), learned(features))
    assert learned.is_narrowed and torch.equal(frozen(learned)(features), plain(features))
    again = build_network(learned.configuration)
    again.load_state_dict(learned.state_dict())
    assert torch.equal(again.eval()(features), plain(features))


@pytest.mark.parametrize("activation", [None, FixedPoint(6, 2, signed=False), [DOWN, FixedPoint(6, 2, signed=False)]])
def test_bits_can_only_be_cut_off_where_activations_round_down(activation):
    with pytest.raises(InputError, match="narrow_activations: give a network.activation with rounding: down"):
        MLP(6, [8, 4], 3, narrow_activations=True, **{**FORMATS, "activation": activation})
