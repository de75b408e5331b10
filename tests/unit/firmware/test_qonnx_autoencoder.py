"""QONNX of autoencoders: names of layers and outputs, and that it computes what the network does."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from nanotrigger.firmware.qonnx import firmware_network, write_qonnx
from nanotrigger.firmware.witnesses import qonnx_outputs, torch_nodes, torch_outputs
from nanotrigger.networks import Autoencoder, VariationalAutoencoder
from nanotrigger.networks.network import folded
from nanotrigger.numbers import FixedPoint
from tests.qonnx_float64 import execute

WIDE, BINARY = FixedPoint(16, 7), FixedPoint(1, 1)
FORMATS = {
    "input": FixedPoint(12, 5),
    "weight": FixedPoint(5, 2, narrow=True),
    "bias": FixedPoint(5, 2, narrow=True),
    "activation": FixedPoint(8, 2, signed=False),
    "latent": WIDE,
    "output": WIDE,
    "tensors": {"dense_2.weight": FixedPoint(9, 2, narrow=True)},
}
INPUTS = np.random.default_rng(0).normal(0, 3, (200, 6)).astype(np.float32).astype(np.float64)


def made(kind=Autoencoder, **formats):
    torch.manual_seed(1)
    network = kind(features=6, hidden=[5], latent_size=2, **formats)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.bias, -1, 1)
    return network.eval()


def written(network, folder) -> onnx.ModelProto:
    write_qonnx(network, folder / "model.onnx")
    return onnx.load(folder / "model.onnx")


@pytest.fixture(scope="module")
def quantized(tmp_path_factory):
    network = made(**FORMATS)
    return network, written(network, tmp_path_factory.mktemp("quantized"))


def test_nodes_of_the_whole(quantized):
    _, model = quantized
    assert [tensor.name for tensor in (*model.graph.input, *model.graph.output)] == ["features", "reconstruction"]
    kinds = {node.name: node.op_type for node in model.graph.node}
    for depth in range(1, 5):
        assert kinds[f"dense_{depth}"] == "MatMul"
        assert kinds[f"dense_{depth}_add"] == "Add"
        assert kinds[f"dense_{depth}_weight"] == kinds[f"dense_{depth}_bias"] == "Quant"
    assert {name for name in kinds if "dense" not in name} == {
        *("input", "relu_1", "relu_1_quantizer", "latent", "relu_3", "relu_3_quantizer", "output")
    }
    assert "reconstruction: 6 values." in model.graph.doc_string


@pytest.mark.parametrize(("kind", "output"), [(Autoencoder, "latent_values"), (VariationalAutoencoder, "latent_means")])
def test_nodes_of_an_encoder(tmp_path, kind, output):
    network = made(kind, **FORMATS)
    model = written(network.section("encoder"), tmp_path)
    assert [tensor.name for tensor in model.graph.output] == [output]
    names = {node.name for node in model.graph.node}
    assert {"dense_1", "relu_1", "dense_2", "latent"} < names
    assert not any("3" in name or "log_variance" in name for name in names)
    assert f"{output.replace('_', ' ')}: 2 values." in model.graph.doc_string
    with torch.inference_mode():
        expected = network.double().encode(torch.from_numpy(INPUTS)).numpy()
    np.testing.assert_array_equal(execute(model, INPUTS)[output], expected)


def check_layers(network, model):
    tensors, layers = execute(model, INPUTS), torch_nodes(network, INPUTS)
    last = list(layers)[-1]
    assert last == ("output" if "output" in network.formats else "dense_4")
    for name, values in layers.items():
        np.testing.assert_array_equal(tensors["reconstruction" if name == last else name], values)


def test_equals_torch_layer_by_layer(quantized):
    check_layers(*quantized)


@pytest.mark.parametrize(
    "changes",
    [{"latent": None, "output": None}, {"weight": BINARY, "bias": FixedPoint(1, 0)}],
    ids=["full sums", "binary"],
)
def test_other_formats_equal_torch_too(tmp_path, changes):
    network = made(**{**FORMATS, **changes})
    check_layers(network, written(network, tmp_path))


def test_binary_tensors_are_stored_in_two_bits():
    network = made(**{**FORMATS, "tensors": {"dense_3.weight": BINARY}})
    stored = firmware_network(network)
    assert stored.formats["dense_3.weight"] == FixedPoint(2, 2, narrow=True)
    assert {**stored.formats, "dense_3.weight": BINARY} == network.formats
    assert set(stored.layers.dense_3.weight.unique().tolist()) == {-1.0, 1.0}
    assert network.formats["dense_3.weight"] == BINARY
    np.testing.assert_array_equal(torch_outputs(stored, INPUTS), torch_outputs(network, INPUTS))


def test_a_float_network_is_plain_onnx(tmp_path):
    network = folded(made())
    model = written(network, tmp_path)
    assert [node.op_type for node in model.graph.node].count("LeakyRelu") == 2
    np.testing.assert_allclose(qonnx_outputs(model, INPUTS), torch_outputs(network, INPUTS), rtol=1e-4, atol=1e-4)
