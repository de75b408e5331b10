"""QONNX: named by layer, exact, executable by qonnx's own tools, and refused where it cannot be exact."""

import re

import numpy as np
import onnx
import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.exec_qonnx import exec_qonnx

from nanotrigger.errors import InputError
from nanotrigger.firmware.comparison import graph_nodes
from nanotrigger.firmware.qonnx import check_exact, firmware_network, write_qonnx
from nanotrigger.firmware.witnesses import (
    EXACT_IN_FLOAT32,
    qonnx_nodes,
    qonnx_outputs,
    torch_nodes,
    torch_outputs,
)
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.onnx_file import node_format
from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint
from tests.qonnx_float64 import execute

FORMATS = {
    "input": FixedPoint(16, 6),
    "weight": FixedPoint(4, 2, narrow=True),
    "bias": FixedPoint(4, 2, narrow=True),
    "activation": FixedPoint(8, 1, signed=False),
    "output": FixedPoint(16, 6),
}
INPUTS = np.random.default_rng(0).normal(0, 3, (200, 16)).astype(np.float32).astype(np.float64)


def network(**changes) -> MLP:
    torch.manual_seed(1)
    made = MLP(**{**FORMATS, **changes}).eval()
    for layer in made.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.uniform_(layer.bias, -1, 1)
    return made


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("qonnx") / "model.onnx"
    made = network()
    write_qonnx(made, path)
    return made, path


def test_names_follow_the_layers(written):
    model = onnx.load(written[1])
    assert [tensor.name for tensor in (*model.graph.input, *model.graph.output)] == ["features", "logits"]
    names = {node.name: node.op_type for node in model.graph.node}
    assert names["dense_3"] == "MatMul"
    assert names["dense_3_add"] == "Add"
    assert names["dense_3_weight"] == names["relu_3_quantizer"] == names["input"] == names["output"] == "Quant"
    assert not any(node.metadata_props for node in model.graph.node)


def test_equals_torch_layer_by_layer(written):
    made, path = written
    model = onnx.load(path)
    tensors, layers = execute(model, INPUTS), torch_nodes(made, INPUTS)
    hidden = [f"{kind}_{depth}" for depth in (1, 2, 3) for kind in ("dense", "relu")]
    assert list(layers) == ["input", *hidden, "dense_4", "output"]
    for name, values in layers.items():
        np.testing.assert_array_equal(tensors["logits" if name == "output" else name], values)
    graph = read_graph(path)
    assert graph.largest_sum(INPUTS) <= EXACT_IN_FLOAT32
    np.testing.assert_array_equal(qonnx_outputs(model, INPUTS), torch_outputs(made, INPUTS))
    np.testing.assert_array_equal(graph.run(INPUTS), torch_outputs(made, INPUTS))
    for nodes in (graph_nodes(graph, INPUTS[:1]), qonnx_nodes(model, graph, INPUTS[:1])):
        assert list(nodes) == list(layers)
        for name, values in layers.items():
            np.testing.assert_array_equal(nodes[name], values[:1])


def test_runs_in_qonnx_exec(written, tmp_path, monkeypatch):
    made, path = written
    monkeypatch.chdir(tmp_path)
    np.save("inputs.npy", INPUTS[:1].astype(np.float32))
    exec_qonnx(str(path), "inputs.npy", output_prefix="out_")
    np.testing.assert_array_equal(np.load("out_logits_batch0.npy"), torch_outputs(made, INPUTS[:1]))


def test_the_same_network_gives_the_same_bytes(written, tmp_path):
    write_qonnx(network(), tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == written[1].read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.onnx"]  # weights inside, nothing beside it


@pytest.mark.parametrize("parameter", ["weight", "bias"])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_equal_constants_stay_apart(tmp_path, parameter, value):
    made = network()
    for layer in made.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.constant_(getattr(layer, parameter), value)
    write_qonnx(made, tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    assert sum(node.name.endswith(("_weight", "_bias")) for node in model.graph.node) == 8
    np.testing.assert_array_equal(execute(model, INPUTS)["logits"], torch_outputs(made, INPUTS))


def test_binary_weights_are_stored_in_two_bits(tmp_path):
    made = network(weight=FixedPoint(1, 1), bias=FixedPoint(1, 0))
    stored = firmware_network(made)
    assert stored.formats["dense_1.weight"] == FixedPoint(2, 2, narrow=True)
    assert set(stored.layers.dense_1.weight.unique().tolist()) == {-1.0, 1.0}
    write_qonnx(made, tmp_path / "model.onnx")
    found = execute(onnx.load(tmp_path / "model.onnx"), INPUTS)["logits"]
    np.testing.assert_array_equal(found, torch_outputs(made, INPUTS))


def any_format(generator, *, signed=True) -> FixedPoint:
    width = int(generator.integers(1 if signed else 2, 9))
    narrow = signed and width > 1 and bool(generator.random() < 0.3)
    return FixedPoint(width, int(generator.integers(-1, min(width, 4) + 1)), signed, narrow)


@pytest.mark.parametrize("seed", range(3))
def test_any_formats_by_layer_equal_torch(tmp_path, seed):
    generator = np.random.default_rng(seed)
    weights, biases = ([any_format(generator) for _ in range(3)] for _ in range(2))
    weights[seed % 3] = FixedPoint(1, 1)
    activations = [any_format(generator, signed=False) for _ in range(2)]
    made = network(features=4, hidden=[5, 4], classes=3, weight=weights, bias=biases, activation=activations)
    write_qonnx(made, tmp_path / "model.onnx")
    model, inputs = onnx.load(tmp_path / "model.onnx"), INPUTS[:, :4]
    tensors, layers = execute(model, inputs), torch_nodes(made, inputs)
    for name, values in layers.items():
        np.testing.assert_array_equal(tensors["logits" if name == "output" else name], values)
    quantizers = {node.name: node_format(model.graph, node) for node in model.graph.node if node.op_type == "Quant"}
    assert quantizers.pop("input") == quantizers.pop("output") == FORMATS["input"]
    for tensor, number in made.formats.items():
        name = f"{tensor}_quantizer" if tensor.startswith("relu") else tensor.replace(".", "_")
        if tensor not in ("input", "output"):
            assert quantizers.pop(name) == number.carrier
    assert not quantizers


def test_a_float_network_is_plain_onnx(tmp_path):
    for made in (MLP(), MLP(hidden=[4], classes=2)):
        write_qonnx(made, tmp_path / "model.onnx")
        found = execute(onnx.load(tmp_path / "model.onnx"), INPUTS)["logits"]
        np.testing.assert_allclose(found, torch_outputs(made, INPUTS), rtol=1e-12, atol=1e-12)


def test_a_fine_bias_does_not_fit_float32(tmp_path):
    made = network(input=FixedPoint(8, 8), weight=FixedPoint(4, 1, narrow=True), bias=FixedPoint(18, 1), output=None)
    write_qonnx(made, tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    tensors = execute(model, 50 * INPUTS)
    assert read_graph(tmp_path / "model.onnx").largest_sum(50 * INPUTS) > EXACT_IN_FLOAT32
    np.testing.assert_array_equal(tensors["logits"], torch_outputs(made, 50 * INPUTS))
    np.testing.assert_array_equal(tensors["logits"], read_graph(tmp_path / "model.onnx").run(50 * INPUTS))


def test_wide_sums_do_not_fit_float32(tmp_path):
    made = network(input=FixedPoint(18, 9), weight=FixedPoint(8, 1))
    write_qonnx(made, tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    tensors = execute(model, 100 * INPUTS)
    assert read_graph(tmp_path / "model.onnx").largest_sum(100 * INPUTS) > EXACT_IN_FLOAT32
    np.testing.assert_array_equal(tensors["logits"], torch_outputs(made, 100 * INPUTS))
    np.testing.assert_array_equal(tensors["logits"], read_graph(tmp_path / "model.onnx").run(100 * INPUTS))


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("relu_2_quantizer_scale", 4 / 255, "relu_2_quantizer: scale 0.015686"),
        ("dense_1_weight_scale", [0.5, 0.25], "quantizer parameter 'dense_1_weight_scale' is not one constant"),
        ("dense_1_weight_scale", 0.0, "dense_1_weight: scale 0,"),
        ("dense_1_weight_scale", -0.5, "dense_1_weight: scale -0.5,"),
        ("input_zero_point", 1.0, "input: scale 0.000976562, zero point 1,"),
    ],
)
def test_refuses_what_is_not_fixed_point(written, parameter, value, message):
    model = ModelWrapper(onnx.load(written[1]))
    model.set_initializer(parameter, np.asarray(value, np.float32))
    with pytest.raises(InputError, match=re.escape(message)):
        check_exact(model)
