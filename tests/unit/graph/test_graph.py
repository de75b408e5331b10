"""The datapath computes the same integers as the QONNX network, and pruning makes it smaller."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.onnx_file import input_quantizer_format
from nanotrigger.numbers import FixedPoint
from tests.made_graphs import Result
from tests.qonnx_float64 import execute

FORMATS = {
    "ternary": {"weight": FixedPoint(2, 2, narrow=True)},
    "binary": {"weight": FixedPoint(1, 1), "bias": FixedPoint(1, 1)},
    "narrow": {},
    "wide": {"weight": FixedPoint(12, 3), "input": FixedPoint(16, 6), "activation": FixedPoint(14, 4, signed=False)},
    "bias finer than the sum": {"bias": FixedPoint(16, 2), "activation": FixedPoint(9, 2, signed=False)},
    "activation finer than the sum": {"activation": FixedPoint(16, 2, signed=False)},
    "coarse output": {"output": FixedPoint(3, 3)},
    "no output format": {"output": None},
}


@pytest.mark.parametrize("case", FORMATS)
def test_the_datapath_computes_what_the_network_does(write_network, case):
    path = write_network(**FORMATS[case])
    model = onnx.load(path)
    inputs = np.random.default_rng(0).normal(scale=6.0, size=(2000, 6))
    words = input_quantizer_format(model.graph).words(inputs)
    datapath = read_graph(path).unroll()
    outputs = datapath.evaluate(words) * datapath.output_step
    assert (outputs == execute(model, inputs)["logits"]).all()


def test_every_signal_stays_within_its_range(quantized_model):
    datapath = read_graph(quantized_model).unroll()
    inputs = np.random.default_rng(0).choice([-128, 127, 0, 5], size=(500, 6))
    signals = []
    for operation in datapath.operations:
        signals.append(operation.evaluate(signals, inputs))
        assert operation.range.low <= signals[-1].min()
        assert signals[-1].max() <= operation.range.high


@pytest.mark.parametrize("weight", [1, -1, 3, -3, 5, -5, 7, -7, 11, 45, -45, 96, -1000, 1773])
def test_products_are_exact_and_their_ranges_tight(one_layer, weight):
    datapath = one_layer([[weight]]).unroll()
    assert datapath.evaluate(np.array([[-128], [127], [1]])).ravel().tolist() == [-128 * weight, 127 * weight, weight]
    words = datapath.operations[datapath.outputs[0]].range
    assert sorted((-128 * weight, 127 * weight)) == [words.low, words.high]


def test_a_word_wraps_as_ac_fixed_does(one_layer):
    datapath = one_layer([[1]], results=(Result(FixedPoint(4, 4), exact=False),)).unroll()
    assert datapath.evaluate(np.array([[7], [8], [-9]])).ravel().tolist() == [7, -8, 7]


def test_pruning_makes_it_smaller(quantized_model):
    network = read_graph(quantized_model)
    random = np.random.default_rng(0)
    order = {node.name: random.random(node.weights.shape) for node in network.nodes if isinstance(node, Dense)}
    counts = []
    for sparsity in (0.0, 0.25, 0.5, 0.75, 1.0):
        nodes = [
            replace(node, weights=np.where(order[node.name] >= sparsity, node.weights, 0))
            if isinstance(node, Dense)
            else node
            for node in network.nodes
        ]
        pruned = Graph(tuple(nodes), network.outputs)
        report = structural_report(pruned.unroll(), Target(), scope="datapath")
        counts.append(report.used.aluts)
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 0


def test_bits_that_are_not_needed_change_nothing(recorded_dense):
    weights = np.random.default_rng(0).uniform(-2, 2, size=(1, 8))
    datapath = recorded_dense(weights, relu=True).unroll()
    inputs = np.random.default_rng(1).integers(-(2**15), 2**15, size=(500, 1))
    signals = []
    for operation, bits in zip(datapath.operations, datapath.bits, strict=True):
        words = operation.evaluate(signals, inputs)
        signals.append(words & ((1 << bits) - 1) if bits < operation.range.bits else words)
    assert any(bits < operation.range.bits for operation, bits in zip(datapath.operations, datapath.bits, strict=True))
    found = np.stack([signals[output] for output in datapath.outputs], axis=1)
    assert (found == datapath.evaluate(inputs)).all()


def test_a_float_network_is_cut_to_its_precision(float_model):
    datapath = read_graph(float_model, "fixed<24,8>").unroll()
    number = FixedPoint(24, 8)
    inputs = number.quantize(np.random.default_rng(0).normal(size=(100, 3)))
    found = datapath.evaluate(number.words(inputs)) * datapath.output_step
    assert np.abs(found - execute(onnx.load(float_model), inputs)["logits"]).max() < 40 * number.step


@pytest.mark.parametrize("precision", ["fixed<16,6,RND_CONV,SAT>", "fixed<16,6,RND>", "fixed<16,6,TRN,SAT>"])
def test_other_modes_are_refused(float_model, precision):
    with pytest.raises(InputError, match="truncate and wrap"):
        read_graph(float_model, precision)


def test_a_quantized_network_has_no_precision(quantized_model):
    with pytest.raises(InputError, match="precision"):
        read_graph(quantized_model, "fixed<16,6>")
