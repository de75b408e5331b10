"""Prepare: what hls4ml stumbles over is mended without another value; what it does not know is refused by name."""

from collections import Counter

import numpy as np
import pytest
from onnx import numpy_helper

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends.oneapi.prepare import prepared
from nanotrigger.firmware.witnesses import qonnx_rows
from nanotrigger.graph.normalize import normalized
from tests.made_models import Maker


def in_groups(maker, generator):
    name = maker.quant(maker.input(4, 6, 6), 6, 0.25)
    scales = np.array([0.25, 0.5, 1.0, 0.25, 0.5, 1.0]).reshape(6, 1, 1, 1)
    weights = maker.weights(generator, 6, 2, 3, 3, scale=scales)
    return maker.add("Conv", name, weights, group=2, kernel_shape=[3, 3], pads=[1, 1, 1, 1], name="/net/conv.1")


def average(maker, generator):
    name = maker.quant(maker.input(3, 6, 6), 6, 0.25)
    return maker.add("AveragePool", name, kernel_shape=[2, 2], strides=[2, 2])


def average_of_all(maker, generator):
    return maker.add("Flatten", maker.add("GlobalAveragePool", maker.quant(maker.input(3, 4, 4), 6, 0.25)))


def without_bias(maker, generator):
    return maker.add("Gemm", maker.quant(maker.input(5), 6, 0.25), maker.weights(generator, 3, 5), transB=1)


def a_scale_for_each_channel(maker, generator):
    name = maker.quant(maker.input(5), 6, 0.25)
    weights = maker.weights(generator, 3, 5, scale=[[0.25], [0.5], [1.0]])
    return maker.add("Gemm", name, weights, maker.weights(generator, 3), transB=1)


def shared_weights(maker, generator):
    weights = maker.weights(generator, 5, 5, scale=np.array([0.25, 0.5, 1.0, 0.25, 0.5]))
    name = maker.add("Gemm", maker.quant(maker.input(5), 6, 0.25), weights, transB=1)
    return maker.add("MatMul", maker.quant(name, 8, 0.5), weights)


def along_one_axis(maker, generator):
    name = maker.quant(maker.input(2, 8), 6, 0.25)
    return maker.add("Conv", name, maker.weights(generator, 3, 2, 3))


def windows(maker, generator):
    return maker.add("MaxPool", maker.quant(maker.input(2, 6, 6), 6, 0.25), kernel_shape=[2, 2])


def made(network):
    maker, generator = Maker(), np.random.default_rng(2)
    model = normalized(maker.model(network(maker, generator)))
    return maker.inputs["features"], model


DENSE = [without_bias, a_scale_for_each_channel, shared_weights]
SAME = [in_groups, average, average_of_all, *DENSE, along_one_axis, windows]


@pytest.mark.parametrize("network", SAME)
def test_computes_the_same(network):
    shape, model = made(network)
    features = {"features": np.random.default_rng(0).normal(0, 3, (20, *shape))}
    expected = qonnx_rows(made(network)[1], features).outputs  # qonnx writes into the model that it computes
    mended = prepared(model)
    assert mended == prepared(made(network)[1])  # qonnx gives tensors random names
    np.testing.assert_array_equal(qonnx_rows(mended, features).outputs, expected)
    assert all(name.isidentifier() for node in mended.graph.node for name in (node.name, *node.input, *node.output))
    groups = [attribute.i for node in mended.graph.node for attribute in node.attribute if attribute.name == "group"]
    assert set(groups) <= {1}
    assert not any("AveragePool" in node.op_type for node in mended.graph.node)


@pytest.mark.parametrize("network", DENSE)
def test_weights_come_from_a_quantizer(network):
    graph = prepared(made(network)[1]).graph
    written = {node.output[0]: node for node in graph.node}
    assert "Transpose" not in {node.op_type for node in graph.node}
    assert all(written[node.input[1]].op_type == "Quant" for node in graph.node if node.op_type == "MatMul")


def test_constants_of_any_scale_get_a_format_of_16_bits():
    def network(maker, generator):
        scales = np.array([[0.1, 0.2, 0.3]])
        return maker.add("MatMul", maker.quant(maker.input(5), 6, 0.25), maker.weights(generator, 5, 3, scale=scales))

    shape, model = made(network)
    features = {"features": np.random.default_rng(0).normal(0, 3, (20, *shape))}
    expected = qonnx_rows(model, features).outputs
    mended = prepared(model)
    found = qonnx_rows(mended, features).outputs
    assert 0 < np.abs(found - expected).max() < 5 * 8 * 2.0**-16 * 2
    constants = {constant.name: constant for constant in mended.graph.initializer}
    (weights,) = (node for node in mended.graph.node if node.op_type == "Quant" and node.input[0] in constants)
    (scale,) = np.frombuffer(constants[weights.input[1]].raw_data, np.float32)
    assert np.frexp(scale)[0] == 0.5


def test_a_scale_of_any_size_is_moved_behind_no_other_reader():
    def network(maker, generator):
        name = maker.quant(maker.input(4), 8, 0.1)
        return maker.add("Add", name, maker.quant(maker.add("Relu", name), 6, 0.3, signed=0))

    shape, model = made(network)
    features = {"features": np.random.default_rng(0).normal(0, 3, (60, *shape))}
    expected = qonnx_rows(model, features).outputs
    mended = prepared(model)
    assert np.abs(qonnx_rows(mended, features).outputs - expected).max() < 0.3 * 2.0**-8
    readers = {name: node for node in mended.graph.node for name in node.input}
    counts = Counter(name for node in mended.graph.node for name in node.input)
    scales = {constant.name: numpy_helper.to_array(constant) for constant in mended.graph.initializer}
    odd = [node for node in mended.graph.node if node.op_type == "Quant" and np.frexp(scales[node.input[1]])[0] != 0.5]
    assert len(odd) == 2
    assert all(counts[node.output[0]] == 1 and readers[node.output[0]].op_type == "Quant" for node in odd)


def padded_average(maker, generator):
    name = maker.quant(maker.input(3, 6, 6), 6, 0.25)
    return maker.add("AveragePool", name, kernel_shape=[2, 2], pads=[1, 1, 1, 1], name="edge")


def unknown(maker, generator):
    return maker.add("Erf", maker.quant(maker.input(3), 6, 0.25), name="curve")


def float_groups(maker, generator):
    weights = maker.constant(generator.normal(size=(4, 1, 3, 3)))
    return maker.add("Conv", maker.input(2, 6, 6), weights, group=2, name="grouped")


def maxima(maker, generator):
    return maker.add("MaxPool", maker.quant(maker.input(2, 6), 6, 0.25), kernel_shape=[2], name="largest")


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (padded_average, "node edge: hls4ml knows no average"),
        (unknown, "node curve: hls4ml knows no Erf"),
        (float_groups, "node grouped: "),
        (maxima, "node largest: hls4ml takes maxima over two axes only"),
    ],
)
def test_what_hls4ml_does_not_know_is_refused_by_name(network, message):
    with pytest.raises(InputError, match=message):
        prepared(made(network)[1])
