"""Every kind of node computes what qonnx computes; its datapath the same words, and its Verilog too."""

import shutil

import numpy as np
import pytest

from nanotrigger.graph.from_qonnx import read_graph
from tests.made_models import Maker, random_features
from tests.simulated import simulated_words

EVENTS = 200


def dense(maker, g):
    x = maker.quant(maker.input(6), 6, 0.25)
    return maker.add("MatMul", x, maker.weights(g, 6, 3))


def dense_with_bias(maker, g):
    x = maker.quant(maker.input(6), 6, 0.25)
    return maker.add("Add", maker.add("MatMul", x, maker.weights(g, 6, 3)), maker.weights(g, 3, scale=0.0625))


def dense_by_channel(maker, g):
    x = maker.quant(maker.input(6), 6, 0.25)
    return maker.add("MatMul", x, maker.weights(g, 6, 4, scale=[[0.25, 0.5, 0.125, 1.0]]))


def gemm(maker, g):
    x = maker.quant(maker.input(5), 6, 0.25)
    return maker.add("Gemm", x, maker.weights(g, 3, 5), maker.weights(g, 3), transB=1)


def gemm_without_bias(maker, g):
    x = maker.quant(maker.input(5), 6, 0.25)
    return maker.add("Gemm", x, maker.weights(g, 5, 3), alpha=0.5)


def dense_over_particles(maker, g):
    x = maker.quant(maker.input(4, 3), 6, 0.25)
    return maker.add("Add", maker.add("MatMul", x, maker.weights(g, 3, 5)), maker.weights(g, 5))


def constants_from_the_left(maker, g):
    x = maker.quant(maker.input(4, 3), 6, 0.25)
    return maker.add("MatMul", maker.weights(g, 5, 4), x)


def convolution_1d(maker, g):
    x = maker.quant(maker.input(2, 9), 6, 0.25)
    return maker.add("Conv", x, maker.weights(g, 3, 2, 3), kernel_shape=[3], strides=[2], pads=[2, 1])


def convolution_2d(maker, g):
    x = maker.quant(maker.input(2, 6, 5), 5, 0.5)
    return maker.add(
        "Conv",
        x,
        maker.weights(g, 4, 2, 3, 2),
        maker.weights(g, 4),
        kernel_shape=[3, 2],
        pads=[1, 0, 2, 1],
        strides=[1, 2],
    )


def convolution_dilated(maker, g):
    x = maker.quant(maker.input(2, 7, 6), 5, 0.5)
    return maker.add("Conv", x, maker.weights(g, 2, 2, 2, 2), kernel_shape=[2, 2], dilations=[3, 2])


def convolution_in_groups(maker, g):
    x = maker.quant(maker.input(4, 5), 5, 0.5)
    y = maker.add("Conv", x, maker.weights(g, 6, 2, 2), kernel_shape=[2], group=2)
    return maker.add("Add", y, maker.weights(g, 1, 6, 1))


def convolution_by_channel(maker, g):
    x = maker.quant(maker.input(2, 5), 5, 0.5)
    return maker.add("Conv", x, maker.weights(g, 3, 2, 2, scale=[[[0.5]], [[0.125]], [[1.0]]]), kernel_shape=[2])


def convolution_depthwise(maker, g):
    x = maker.quant(maker.input(3, 4, 4), 5, 0.5)
    return maker.add("Conv", x, maker.weights(g, 3, 1, 3, 3), kernel_shape=[3, 3], group=3, auto_pad="SAME_UPPER")


def bias_by_place(maker, g):
    x = maker.quant(maker.input(2, 5), 5, 0.5)
    y = maker.add("Conv", x, maker.weights(g, 3, 2, 2), kernel_shape=[2])
    return maker.add("Add", y, maker.weights(g, 1, 3, 4))


def max_pool_1d(maker, g):
    x = maker.quant(maker.input(2, 8), 5, 0.5)
    return maker.add("MaxPool", x, kernel_shape=[3], strides=[2], pads=[1, 0])


def max_pool_2d(maker, g):
    x = maker.quant(maker.input(2, 5, 6), 5, 0.5)
    return maker.add("MaxPool", x, kernel_shape=[2, 3], strides=[2, 1], pads=[1, 1, 0, 1], ceil_mode=1)


def global_max_pool(maker, g):
    return maker.add("GlobalMaxPool", maker.quant(maker.input(3, 5), 5, 0.5))


def average_pool(maker, g):
    x = maker.quant(maker.input(2, 6, 4), 5, 0.5)
    return maker.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 1], pads=[0, 1, 0, 0], count_include_pad=1)


def global_average_pool(maker, g):
    return maker.add("GlobalAveragePool", maker.quant(maker.input(3, 4, 2), 5, 0.5))


def reduce_sum(maker, g):
    return maker.add("ReduceSum", maker.quant(maker.input(3, 5), 5, 0.5), maker.constant([1], np.int64), keepdims=0)


def reduce_mean(maker, g):
    return maker.add("ReduceMean", maker.quant(maker.input(3, 4), 5, 0.5), axes=[-1], keepdims=1)


def residual(maker, g):
    x = maker.quant(maker.input(4), 6, 0.25)
    y = maker.quant(maker.add("Relu", maker.add("MatMul", x, maker.weights(g, 4, 4))), 5, 0.5, signed=0)
    return maker.add("Add", x, y)


def difference(maker, g):
    x = maker.quant(maker.input(4), 6, 0.25)
    y = maker.quant(maker.add("MatMul", x, maker.weights(g, 4, 4)), 5, 1.0)
    return maker.add("Sub", y, x)


def sum_that_broadcasts(maker, g):
    x = maker.quant(maker.input(3, 4), 6, 0.25)
    return maker.add("Add", x, maker.add("ReduceSum", x, maker.constant([2], np.int64), keepdims=1))


def difference_with_itself(maker, g):
    x = maker.quant(maker.input(3), 6, 0.25)
    return maker.add("Sub", x, x)


def scaling(maker, g):
    x = maker.quant(maker.input(3, 2), 6, 0.25)
    return maker.add("Mul", x, maker.constant([[[0.5], [-2.0], [0.75]]]))


def division(maker, g):
    return maker.add("Div", maker.quant(maker.input(3), 6, 0.25), maker.constant(8.0))


def offset(maker, g):
    return maker.add("Sub", maker.constant([0.5, -1.0, 0.0]), maker.quant(maker.input(3), 6, 0.25))


def batch_normalization(maker, g):
    x = maker.quant(maker.input(3, 4), 6, 0.25)
    given = ([1.0, -0.5, 2.0], [0.25, 0.0, -1.0], [0.5, 1.0, 0.0], [1.0, 4.0, 0.25])
    return maker.add("BatchNormalization", x, *map(maker.constant, given), epsilon=0.0)


def relu(maker, g):
    return maker.add("Relu", maker.quant(maker.input(3), 6, 0.25))


def relu_with_quantizer(maker, g):
    x = maker.add("Relu", maker.quant(maker.input(3), 6, 0.125))
    return maker.quant(x, 3, 0.5, signed=0)


def relu_by_channel(maker, g):
    x = maker.add("Relu", maker.quant(maker.input(3, 2), 8, 0.0625))
    return maker.quant(x, 3, [[[0.5], [0.125], [1.0]]], signed=0)


def quantizer_by_channel(maker, g):
    x = maker.quant(maker.input(3, 2), 8, 0.0625)
    y = maker.quant(x, 4, [[[0.5], [0.125], [0.25]]])
    return maker.add("MatMul", y, maker.weights(g, 2, 3))


def leaky_relu(maker, g):
    return maker.add("LeakyRelu", maker.quant(maker.input(3), 6, 0.25), alpha=0.125)


def leaky_relu_of_two_digits(maker, g):
    return maker.add("LeakyRelu", maker.quant(maker.input(3), 6, 0.25), alpha=0.375)


def hard_tanh(maker, g):
    return maker.add("Clip", maker.quant(maker.input(5), 6, 0.25), maker.constant(-1.0), maker.constant(1.0))


def relu_6(maker, g):
    return maker.add("Clip", maker.quant(maker.input(5), 7, 0.25), maker.constant(0.0), maker.constant(6.0))


def clip_between_words(maker, g):
    return maker.add("Clip", maker.quant(maker.input(5), 5, 1.0), maker.constant(-1.5), maker.constant(2.25))


def sign(maker, g):
    return maker.add("BipolarQuant", maker.quant(maker.input(5), 5, 0.5), maker.constant(0.5))


def one_bit(maker, g):
    return maker.quant(maker.quant(maker.input(5), 5, 0.5), 1, 0.25)


def binary_weights(maker, g):
    x = maker.quant(maker.input(5), 5, 0.5)
    weights = maker.add("BipolarQuant", maker.constant(g.normal(size=(5, 4))), maker.constant(0.5))
    return maker.add("MatMul", x, weights)


def concatenation(maker, g):
    x = maker.quant(maker.input(3, 2), 6, 0.25)
    y = maker.quant(x, 4, 1.0)
    return maker.add("Concat", x, y, axis=1)


def transposition(maker, g):
    x = maker.add("Transpose", maker.quant(maker.input(3, 2), 6, 0.25), perm=[0, 2, 1])
    return maker.add("MatMul", x, maker.weights(g, 3, 2))


def reshape(maker, g):
    x = maker.quant(maker.input(3, 2, 2), 6, 0.25)
    x = maker.add("Reshape", x, maker.constant([0, 2, -1], np.int64))
    return maker.add("MatMul", x, maker.weights(g, 6, 2))


def flatten(maker, g):
    return maker.add("MatMul", maker.add("Flatten", maker.quant(maker.input(3, 2), 6, 0.25)), maker.weights(g, 6, 2))


def slices(maker, g):
    x = maker.quant(maker.input(5, 2), 6, 0.25)
    bounds = (maker.constant([values], np.int64) for values in (4, -6, 1, -2))
    return maker.add("Slice", x, *bounds)


def split(maker, g):
    x = maker.quant(maker.input(4, 2), 6, 0.25)
    first = maker.add("Split", x, maker.constant([1, 3], np.int64), outputs=2, axis=1, name="halves")
    return maker.add("Add", first, "halves_out_1")


def padding(maker, g):
    x = maker.quant(maker.input(2, 3), 6, 0.25)
    x = maker.add("Pad", x, maker.constant([0, 0, 1, 0, 0, 2], np.int64))
    return maker.add("Conv", x, maker.weights(g, 2, 2, 3), kernel_shape=[3])


def reflection(maker, g):
    x = maker.quant(maker.input(2, 4), 6, 0.25)
    return maker.add("Pad", x, maker.constant([0, 0, 2, 0, 0, 1], np.int64), mode="reflect")


def enlargement(maker, g):
    x = maker.quant(maker.input(2, 3, 2), 6, 0.25)
    scales = maker.constant([1.0, 1.0, 2.0, 3.0])
    return maker.add(
        "Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )


def input_that_is_moved_first(maker, g):
    x = maker.add("Flatten", maker.input(3, 2))
    return maker.add("MatMul", maker.quant(x, 5, 0.5), maker.weights(g, 6, 2))


def constant_tensors_that_are_moved(maker, g):
    x = maker.quant(maker.input(4), 6, 0.25)
    weights = maker.add("Transpose", maker.weights(g, 3, 4), perm=[1, 0])
    return maker.add("MatMul", x, weights)


def short_constants_without_quantizer(maker, g):
    x = maker.quant(maker.input(4), 6, 0.25)
    return maker.add("MatMul", x, maker.constant(g.integers(-7, 8, (4, 3)) / 8))


CASES = [
    *(dense, dense_with_bias, dense_by_channel, gemm, gemm_without_bias, dense_over_particles, constants_from_the_left),
    *(convolution_1d, convolution_2d, convolution_dilated, convolution_in_groups, convolution_by_channel),
    *(convolution_depthwise, bias_by_place, max_pool_1d, max_pool_2d, global_max_pool, average_pool),
    *(global_average_pool, reduce_sum, reduce_mean, residual, difference, sum_that_broadcasts, difference_with_itself),
    *(scaling, division, offset, batch_normalization, relu, relu_with_quantizer, relu_by_channel, quantizer_by_channel),
    *(leaky_relu, leaky_relu_of_two_digits, hard_tanh, relu_6, clip_between_words, sign, one_bit, binary_weights),
    *(
        concatenation,
        transposition,
        reshape,
        flatten,
        slices,
        split,
        padding,
        enlargement,
        reflection,
        input_that_is_moved_first,
    ),
    *(constant_tensors_that_are_moved, short_constants_without_quantizer),
]


def check(maker, output, tmp_path, seed=0):
    """Compare the graph with qonnx, and the datapath with the graph; return the graph and the features."""
    graph = read_graph(maker.write(tmp_path / "model.onnx", output))
    features = random_features(maker.inputs, EVENTS, seed)
    (expected,) = maker.run(features, output)
    found = graph.run(features)
    assert found.shape == expected.shape
    assert (found == expected).all()
    words = graph.unroll().evaluate_nodes(graph.input_words(features))
    for node in graph.nodes:
        known, computed = graph.tensors[node.output], graph.words(features)[node.output]
        assert (words[node.name] == computed.reshape(EVENTS, -1)).all(), node.name
        assert known.words.low <= computed.min() and computed.max() <= known.words.high, node.name
    return graph, features


@pytest.mark.parametrize("case", CASES)
def test_it_computes_what_qonnx_does(case, tmp_path):
    maker = Maker(opset=13 if case is not slices else 11)
    output = case(maker, np.random.default_rng(0))
    graph, _ = check(maker, output, tmp_path)
    assert len(np.unique(graph.run(random_features(maker.inputs, EVENTS, 1)))) > 1 or case is difference_with_itself


@pytest.mark.parametrize("mode", ["ROUND", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN", "half_even"])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("behind_relu", [False, True])
def test_every_rounding(mode, signed, behind_relu, tmp_path):
    maker = Maker()
    x = maker.quant(maker.input(4), 7, 0.125)
    x = maker.add("Relu", x) if behind_relu else x
    check(maker, maker.quant(x, 3, 0.5, signed=signed, rounding=mode), tmp_path)


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog (package iverilog)")
@pytest.mark.parametrize(
    "case",
    [
        *(convolution_2d, max_pool_2d, average_pool, residual, difference, relu_by_channel, leaky_relu_of_two_digits),
        *(hard_tanh, relu_6, sign, concatenation, padding, batch_normalization),
    ],
)
def test_its_verilog_computes_the_same(case, tmp_path):
    maker = Maker()
    output = case(maker, np.random.default_rng(0))
    graph, features = check(maker, output, tmp_path)
    inputs = graph.input_words(features)
    expected = graph.unroll().evaluate(inputs)
    assert (simulated_words(graph.unroll(), inputs, tmp_path) == expected).all()


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog (package iverilog)")
@pytest.mark.parametrize("mode", ["FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"])
def test_verilog_of_roundings(mode, tmp_path):
    maker = Maker()
    x = maker.quant(maker.input(4), 7, 0.125)
    graph, features = check(maker, maker.quant(x, 3, 0.5, rounding=mode), tmp_path)
    inputs = graph.input_words(features)
    assert (simulated_words(graph.unroll(), inputs, tmp_path) == graph.unroll().evaluate(inputs)).all()
