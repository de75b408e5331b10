"""Firmware of every kind of node, and of random graphs, computes the words of the integer graph, through hls4ml."""

import re
import warnings
from collections import Counter

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.general import GiveUniqueNodeNames
from qonnx.util.cleanup import cleanup_model

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.record import read_record
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_qonnx import read_graph
from tests.fuzz.graphs import RandomNetwork
from tests.made_firmware import differing
from tests.made_models import Maker, random_features
from tests.unit.graph.test_nodes import CASES

EVENTS = 100


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_node(case, tmp_path):
    maker = Maker()
    output = case(maker, np.random.default_rng(0))
    graph = read_graph(maker.write(tmp_path / "model.onnx", output))
    assert differing(graph, random_features(maker.inputs, EVENTS, 0), tmp_path) == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*range(19), 50038, 70216])  # a value pooled; a quantizer and an output of what moved
def test_random_graphs(seed, tmp_path):
    network = RandomNetwork(seed)
    graph = read_graph(network.maker.write(tmp_path / "model.onnx", *network.outputs))
    features, adders = random_features(network.maker.inputs, EVENTS, seed), ("unshared", "shared")[seed % 2]
    if seed in (5, 8, 11):  # where a leaky ReLU is the maximum of two tensors
        with pytest.raises(InputError, match="^adders=shared: node leakyrelu_.*; leave adders out"):
            differing(graph, features, tmp_path / "refused", adders="shared")
        adders = "unshared"
    assert differing(graph, features, tmp_path, adders=adders) == 0


@pytest.mark.slow
def test_streams(tmp_path):
    maker, generator = Maker(), np.random.default_rng(0)
    one = maker.quant(maker.input(6), 6, 0.25)
    other = maker.quant(maker.add("MatMul", one, maker.weights(generator, 6, 6)), 6, 0.25)
    graph = read_graph(maker.write(tmp_path / "model.onnx", maker.quant(maker.add("Add", one, other), 6, 0.5)))
    assert differing(graph, random_features(maker.inputs, EVENTS, 0), tmp_path, io_type="io_stream") == 0


@pytest.mark.slow
def test_several_inputs_and_outputs(tmp_path):
    maker, generator = Maker(), np.random.default_rng(0)
    one = maker.quant(maker.input(2, 3, name="tracks"), 6, 0.25)
    other = maker.quant(maker.input(6, name="towers"), 4, 1.0)
    flat = maker.add("Flatten", one)
    outputs = [maker.add("Add", flat, other), maker.add("MatMul", other, maker.weights(generator, 6, 2))]
    graph = read_graph(maker.write(tmp_path / "model.onnx", *outputs))
    assert differing(graph, random_features(maker.inputs, EVENTS, 0), tmp_path) == 0


def test_refuses_ends_that_emulation_cannot_hand_over(tmp_path):
    maker = Maker()
    fine, coarse = (maker.quant(maker.input(4, name=f"input_{step}"), 40, step) for step in (2.0**-20, 16.0))
    graph = read_graph(maker.write(tmp_path / "inputs.onnx", maker.quant(maker.add("Add", fine, coarse), 30)))
    with pytest.raises(InputError, match="inputs of 64 bits: emulation hands over 53; give them narrower quantizers"):
        Flat(graph)
    maker = Maker()
    features = maker.quant(maker.input(4), 40, 2.0**-20)
    output = maker.add("MatMul", features, maker.weights(np.random.default_rng(0), 4, 2, bits=16))
    graph = read_graph(maker.write(tmp_path / "outputs.onnx", output))
    with pytest.raises(InputError, match="outputs of 5. bits: emulation hands over 53"):
        Flat(graph)


def small_cnn(maker, g):
    """Return two convolutions with pooling, and a dense head, of an image of 16 × 16 values."""
    name, channels = maker.quant(maker.input(1, 16, 16), 8, 2**-5), 1
    for _ in range(2):
        constants = maker.weights(g, 8, channels, 3, 3, bits=6), maker.weights(g, 8, bits=6)
        name = maker.add("Relu", maker.add("Conv", name, *constants, kernel_shape=[3, 3]))
        name = maker.add("MaxPool", maker.quant(name, 6, 0.5, signed=0), kernel_shape=[2, 2], strides=[2, 2])
        channels = 8
    name = maker.add("MatMul", maker.add("Flatten", name), maker.weights(g, 32, 5, bits=6))
    return maker.quant(maker.add("Add", name, maker.weights(g, 5, bits=6)), 14, 0.125)


def padded_one_axis(maker, g):
    """Return a padded convolution and padded pooling of one axis, and sums over the channels."""
    name = maker.add("Conv", maker.quant(maker.input(3, 12), 6, 0.25), maker.weights(g, 4, 3, 3), pads=[1, 1])
    name = maker.add("MaxPool", maker.quant(name, 5, 0.5), kernel_shape=[3], strides=[2], pads=[1, 1])
    return maker.add("ReduceSum", name, maker.constant([1], np.int64), keepdims=0)


def padded_positive(maker, g):
    """Return padded pooling of values that are not negative, which hls4ml alone pads with the largest power of two."""
    name = maker.quant(maker.add("Relu", maker.quant(maker.input(2, 5, 5), 6, 0.25)), 5, 0.25, signed=0)
    return maker.add("MaxPool", name, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])


def residual_of_groups(maker, g):
    """Return an image plus what a convolution in groups, scaled channel by channel, makes of it, and both of them."""
    image = maker.quant(maker.input(4, 5, 6), 6, 0.25)
    name = maker.add("Conv", image, maker.weights(g, 4, 2, 3, 3), group=2, pads=[1, 1, 1, 1])
    name = maker.add("Mul", maker.quant(name, 6, 0.5), maker.constant([[[[0.5]], [[2.0]], [[-1.0]], [[0.25]]]]))
    name = maker.quant(maker.add("Sub", maker.quant(name, 6, 0.25), image), 5, 0.5, rounding="HALF_UP")
    return maker.add("Conv", maker.add("Concat", name, image, axis=1), maker.weights(g, 2, 8, 1, 1))


def formats_by_channel(maker, g):
    """Return a convolution of channels with formats of their own."""
    name = maker.add("Conv", maker.quant(maker.input(2, 5, 5), 6, 0.25), maker.weights(g, 3, 2, 2, 2))
    name = maker.quant(maker.add("Relu", name), 4, [[[[0.5]], [[0.25]], [[0.5]]]], signed=0)
    return maker.add("Conv", name, maker.weights(g, 2, 3, 2, 2))


def particles(maker, g):
    """Return the sum over particles of what two dense layers make of each one, and a dense head."""
    name = maker.quant(maker.input(7, 3), 6, 0.25)
    for inputs in (3, 5):
        name = maker.add("Add", maker.add("MatMul", name, maker.weights(g, inputs, 5)), maker.weights(g, 5))
        name = maker.quant(maker.add("Relu", name), 5, 0.5, signed=0)
    name = maker.quant(maker.add("ReduceSum", name, maker.constant([1], np.int64), keepdims=0), 8, 0.5)
    return maker.add("MatMul", name, maker.weights(g, 5, 2))


def two_quantizers_of_a_sum(maker, g):
    name = maker.add("MatMul", maker.quant(maker.input(6), 6, 0.25), maker.weights(g, 6, 4))
    name = maker.add("Add", name, maker.weights(g, 4))
    return maker.add("Add", maker.quant(name, 4, 1.0), maker.quant(name, 8, 0.125))


LAYERS = {
    small_cnn: {"Conv2D": 2, "Pooling2D": 2, "Dense": 1},
    padded_one_axis: {"Conv1D": 1, "Pooling2D": 1, "PointwiseConv2D": 1, "Dense": 0},
    padded_positive: {"Pooling2D": 1, "Dense": 0},
    residual_of_groups: {"Conv2D": 1, "Concatenate": 1},
    formats_by_channel: {"Conv2D": 2, "Dense": 0},
    particles: {"PointwiseConv1D": 3, "Dense": 1},
    two_quantizers_of_a_sum: {"Dense": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("network", LAYERS)
def test_layers_of_hls4ml_itself(network, tmp_path):
    maker = Maker()
    output = network(maker, np.random.default_rng(1))
    graph = read_graph(maker.write(tmp_path / "model.onnx", output))
    features = random_features(maker.inputs, EVENTS, 0)
    assert len(np.unique(graph.run(features))) > 10
    assert differing(graph, features, tmp_path) == 0
    kinds = Counter(layer.kind for layer in read_record(tmp_path / "hls").layers)
    assert {kind: kinds[kind] for kind in LAYERS[network]} == LAYERS[network]
    if network is small_cnn:  # of a convolution all places are computed at once
        parameters = (tmp_path / "hls" / "src" / "firmware" / "parameters.h").read_text()
        assert re.findall(r"parallelization_factor = (\d+);", parameters) == [str(14 * 14), str(5 * 5)]


@pytest.mark.slow
@pytest.mark.parametrize("network", [network for network in LAYERS if network is not padded_positive])
def test_layers_in_streams(network, tmp_path):
    maker = Maker()
    graph = read_graph(maker.write(tmp_path / "model.onnx", network(maker, np.random.default_rng(1))))
    assert differing(graph, random_features(maker.inputs, EVENTS, 0), tmp_path, io_type="io_stream") == 0


def test_streams_that_hls4ml_has_not_are_refused(tmp_path):
    """Windows of a stream lie side by side; others need more copies of it than hls4ml makes."""
    maker = Maker()
    graph = read_graph(maker.write(tmp_path / "model.onnx", padded_positive(maker, np.random.default_rng(1))))
    with pytest.raises(InputError, match="hls4ml cannot convert node relu_1_relu: .* more than 7 times"):
        differing(graph, random_features(maker.inputs, EVENTS, 0), tmp_path, io_type="io_stream")
    assert not (tmp_path / "hls").exists()


def test_refuses_a_layer_of_too_many_products(tmp_path):
    maker, generator = Maker(), np.random.default_rng(0)
    image, weights = maker.quant(maker.input(1, 40, 40), 4), maker.weights(generator, 1, 1, 2, 2)
    name = maker.add("Conv", image, weights, kernel_shape=[2, 2], dilations=[2, 2], name="large")
    graph = read_graph(maker.write(tmp_path / "model.onnx", name))
    with pytest.raises(InputError, match="node large: 1600 × 1444 products are written one by one; at most 1,048,576"):
        Flat(graph)


@pytest.mark.slow
@pytest.mark.parametrize(("group", "is_right"), [(1, True), (2, False)])
def test_hls4ml_alone_gets_a_depthwise_convolution_wrong(group, is_right, tmp_path):
    """Left to itself, with channels last as it wants them, and with no word about it: that is what Flat is for."""
    maker = Maker()
    image = maker.quant(maker.input(2, 6, 6), 6, 0.125)
    weights = maker.weights(np.random.default_rng(3), 2, 2 // group, 3, 3)
    windows = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [0] * 4, "dilations": [1, 1]}
    output = maker.quant(maker.add("Conv", image, weights, group=group, **windows), 12, 0.125)
    graph = read_graph(maker.write(tmp_path / "model.onnx", output, batch=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = cleanup_model(ModelWrapper(str(tmp_path / "model.onnx")))
        model = model.transform(ConvertToChannelsLastAndClean(make_input_channels_last=True))
        model.transform(GiveUniqueNodeNames()).save(str(tmp_path / "channels_last.onnx"))
    backend, features = backend_named("oneapi"), random_features(maker.inputs, EVENTS, 0)["features"]
    settings = {"name": "alone", "input_format": graph.input_format}
    backend.convert(tmp_path / "channels_last.onnx", tmp_path / "hls", Target(), **settings)
    found = backend.emulate(tmp_path / "hls", features.transpose(0, 2, 3, 1).reshape(EVENTS, -1)).outputs
    assert (found == graph.run(features).reshape(EVENTS, -1)).all() == is_right
    assert differing(graph, {"features": features}, tmp_path / "flat") == 0
