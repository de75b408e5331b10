"""Firmware of every kind of node, and of random graphs, computes the words of the integer graph, through hls4ml."""

import warnings

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.general import GiveUniqueNodeNames
from qonnx.util.cleanup import cleanup_model

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.flat import Flat
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
@pytest.mark.parametrize("seed", range(20))
def test_random_graphs(seed, tmp_path):
    network = RandomNetwork(seed)
    graph = read_graph(network.maker.write(tmp_path / "model.onnx", *network.outputs))
    assert differing(graph, random_features(network.maker.inputs, EVENTS, seed), tmp_path) == 0


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


def test_refuses_a_layer_of_too_many_products(tmp_path):
    maker, generator = Maker(), np.random.default_rng(0)
    image = maker.quant(maker.input(1, 40, 40), 4)
    name = maker.add("Conv", image, maker.weights(generator, 1, 1, 3, 3), kernel_shape=[3, 3], name="large")
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
