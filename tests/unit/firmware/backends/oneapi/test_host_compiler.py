"""All that hls4ml generates for oneAPI compiles with g++, and computes the words that it should."""

import numpy as np
import pytest
from hls4ml.model import ModelGraph

from nanotrigger.firmware.backends.oneapi.emulate import call_library, compile_library
from nanotrigger.graph.from_qonnx import read_graph
from tests.made_firmware import differing
from tests.made_models import Maker, random_features

pytestmark = pytest.mark.slow

EVENTS = 100
IO_TYPES = pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])


@IO_TYPES
@pytest.mark.parametrize("shape", [(2, 8), (2, 6, 6)])
def test_convolutions(shape, io_type, tmp_path):
    maker, generator, axes = Maker(), np.random.default_rng(0), len(shape) - 1
    image = maker.quant(maker.input(*shape), 6, 0.125)
    weights = maker.weights(generator, 3, 2, *(3,) * axes)
    windows = {"kernel_shape": [3] * axes, "strides": [1] * axes, "pads": [1] * 2 * axes, "dilations": [1] * axes}
    output = maker.quant(maker.add("Conv", image, weights, **windows), 12, 0.125)
    graph = read_graph(maker.write(tmp_path / "model.onnx", output))
    assert differing(graph, random_features(maker.inputs, EVENTS, 0), tmp_path, io_type=io_type) == 0
    sources = "".join(path.read_text() for path in (tmp_path / "hls" / "src" / "firmware").glob("made.*"))
    assert f"nnet::conv_{axes}d_cl" in sources


@IO_TYPES
def test_types_beyond_64_bits(io_type, tmp_path):
    """Sums of layers without quantizers, one after the other, with ReLUs and a second path between them."""
    maker, generator = Maker(), np.random.default_rng(0)
    paths = [maker.quant(maker.input(6), 12, 0.0625)]
    for _ in range(6):
        paths.append(maker.add("Relu", maker.add("MatMul", paths[-1], maker.weights(generator, 6, 6, bits=12))))
    wide = maker.add("Add", paths[-1], paths[-2])
    graph = read_graph(maker.write(tmp_path / "model.onnx", maker.quant(wide, 24, 2.0**36)))
    assert graph.tensors[wide].bits > 64
    features = random_features(maker.inputs, EVENTS, 0)
    assert len(np.unique(graph.run(features))) > EVENTS
    assert differing(graph, features, tmp_path, io_type=io_type) == 0


def test_values_of_more_bytes_than_the_stack_of_a_process(tmp_path):
    maker, events = Maker(), 3
    first = last = maker.quant(maker.input(400_000), 12, 0.0625)
    for bits in (13, 14, 15):
        last = maker.quant(maker.add("Add", last, first), bits, 0.0625)
    graph = read_graph(maker.write(tmp_path / "model.onnx", last))
    assert differing(graph, random_features(maker.inputs, events, 0), tmp_path) == 0


@IO_TYPES
def test_constants_of_hard_activations(io_type, tmp_path):
    """Only hls4ml's readers of Keras and PyTorch make them."""
    hard = {"name": "hard", "class_name": "HardActivation", "activation": "hard_tanh", "slope": 0.25, "shift": 0.5}
    layers = [{"name": "features", "class_name": "InputLayer", "input_shape": [8]}, {**hard, "n_in": 8}]
    settings = {"Backend": "oneAPI", "IOType": io_type, "ProjectName": "hard", "OutputDir": str(tmp_path / "hls")}
    settings |= {"Part": "Agilex7", "ClockPeriod": 5, "WriterConfig": {"WriteTar": False}}
    settings |= {"HLSConfig": {"Model": {"Precision": "ac_fixed<16,6>", "ReuseFactor": 1}}}
    ModelGraph.from_layer_list(settings, layers).write()
    library = compile_library(tmp_path / "hls", "hard", tmp_path, "g++")
    inputs = np.arange(-1024, 1024).reshape(-1, 8) / 128
    np.testing.assert_array_equal(call_library(library, "hard_double", inputs, 8), np.clip(inputs / 2, -1, 1))
