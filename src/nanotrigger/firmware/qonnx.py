"""QONNX: write a trained network as an ONNX graph of Quant nodes, with names an engineer can follow."""

import copy
import logging
import warnings
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from brevitas.export import export_qonnx
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.gemm_to_matmul import GemmToMatMul
from qonnx.util.cleanup import cleanup_model
from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.files import whole_file
from nanotrigger.firmware.node_names import is_constant, name_nodes
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.onnx_file import node_format, quantizer_node
from nanotrigger.networks import Network, OwnNetwork
from nanotrigger.networks.layers import QuantizedReLU
from nanotrigger.networks.plan import same_layer
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.tools import temporary_folder


def write_qonnx(network: Network, path: Path) -> None:
    """Write `network` as a cleaned QONNX file with a batch of one.

    Nodes are named by layer: `dense_1` (MatMul), `dense_1_add`, `dense_1_weight` and `dense_1_bias` (their
    Quant nodes), `relu_1`, `relu_1_quantizer`, `input`, `output`. The tensor that a layer of the network
    gives has the layer's name; the graph's input is `features`, its output the network's `output_name`, such as
    `logits`.

    Raises:
        InputError: a number format that firmware cannot hold exactly; the message names the layer.
    """
    exported = firmware_network(network)
    with temporary_folder() as folder, _quiet():
        raw = folder / "raw.onnx"  # the exporter writes a second file beside it
        features = torch.zeros(1, network.features)
        export_qonnx(exported, args=features, export_path=str(raw), verbose=False)
        model = cleanup_model(ModelWrapper(str(raw)))
    with whole_file(path) as temporary, _quiet():
        if exported.is_chain:
            _restore_zero_biases(model)
            model = model.transform(GemmToMatMul())
        _unshare_constants(model)
        model = cleanup_model(model)
        name_nodes(model, exported)
        if not exported.is_own:  # what the scales of others are is seen when their integers are read
            check_exact(model)
        _narrow(model, exported)
        onnx.checker.check_model(model.model)
        model.save(str(temporary))


def check_exported(network: OwnNetwork) -> tuple[str, ...]:
    """Check, before a training, that a module of the user's can be exported after it.

    Returns:
        Why its firmware will not be proven, if it will not.

    Raises:
        InputError: it cannot be exported; torch says why.
    """
    name = network.configuration["class_path"]
    with temporary_folder() as folder:
        file = folder / "model.onnx"
        try:
            write_qonnx(network, file)
        except Exception as error:  # torch.export raises anything on code of others
            raise InputError(f"network {name} cannot be exported: {_reason(error)}") from error
        if not network.is_quantized:
            return (f"network {name}: it has no quantizers, so it is trained but has no firmware",)
        try:
            read_graph(file)
        except InputError as error:
            return (f"network {name}: its firmware will not be proven ({error})",)
    return ()


def exported_graph(network: Network) -> Graph:
    """Return the integer graph of a network's export; for a chain `graph_of` does so a hundred times as fast."""
    with temporary_folder() as folder:
        write_qonnx(network, folder / "model.onnx")
        return read_graph(folder / "model.onnx")


def _reason(error: BaseException) -> str:
    """Return the first line of the innermost error, which says what the exporters around it do not."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def firmware_network(network: Network) -> Network:
    """Return a copy whose formats firmware can store: binary weights and biases as ±step in two bits."""
    exported = copy.deepcopy(network).eval()
    for name, layer in weighted_layers(exported).items():
        numbers = [exported.formats.get(f"{name}.{kind}") for kind in ("weight", "bias")]
        if any(number is not None and number.is_binary for number in numbers):
            exported.layers.set_submodule(name, _carried(layer, *numbers))
    exported.formats = {tensor: number.carrier for tensor, number in exported.formats.items()}
    return exported


def check_exact(model: ModelWrapper) -> None:
    """Check that every Quant node is a fixed-point format: power-of-two scale, zero point 0, ROUND.

    Raises:
        InputError: one is not; the message names it.
    """
    for node in model.graph.node:
        if node.op_type == "Quant":
            node_format(model.graph, node)


def _carried(layer: Any, *numbers: FixedPoint | None) -> nn.Module:
    """Return a layer in the carriers of its formats, binary values as ±step."""
    stored: Any = same_layer(layer, *(None if number is None else number.carrier for number in numbers)).eval()
    for tensor, source, number in zip((stored.weight, stored.bias), (layer.weight, layer.bias), numbers, strict=True):
        tensor.data = number.quantize(source.data) if number is not None and number.is_binary else source.data
    return stored


def _restore_zero_biases(model: ModelWrapper) -> None:
    """Give every Gemm a bias, as GemmToMatMul wants it: the exporter drops float biases of zeros."""
    for node in model.get_nodes_by_op_type("Gemm"):
        if len(node.input) == 2:
            node.input.append(f"{node.output[0]}_zero_bias")
            units = model.get_tensor_shape(node.output[0])[1]
            model.set_initializer(node.input[2], np.zeros(units, np.float32))


def _narrow(model: ModelWrapper, network: Network) -> None:
    """Give activations of which some neurons have fewer bits a format for each neuron.

    qonnx knows a scale for each channel, but one bit width for all. So the ReLU's quantizer, in finer steps, saturates
    where a neuron does, and one after it, in coarser steps, cuts off the bits that are too many.
    """
    for name, layer in network.layers.named_children():
        if not isinstance(layer, QuantizedReLU) or layer.narrowing is None or not layer.narrowing.is_used:
            continue
        low, high = (bits[None].numpy() for bits in layer.narrowing.bits)
        first = model.get_node_from_name(f"{name}_quantizer")
        model.set_initializer(first.input[1], np.exp2(-high) * np.float32(layer.format.step))
        inside = f"{first.name}_out"
        model.set_tensor_shape(inside, model.get_tensor_shape(name))
        second = quantizer_node(model.graph, inside, layer.format, f"{name}_narrowed")
        model.set_initializer(second.input[1], np.exp2(low) * np.float32(layer.format.step))
        first.output[0], second.output[0] = inside, name
        model.graph.node.insert([node.name for node in model.graph.node].index(first.name) + 1, second)


def _unshare_constants(model: ModelWrapper) -> None:
    """Give every node its own constants: the exporter merges those of equal value."""
    for node in reversed(list(model.graph.node)):
        for consumer in model.find_consumers(node.output[0])[1:] if is_constant(model, node) else []:
            twin = NodeProto()
            twin.CopyFrom(node)
            twin.output[0] = f"{node.output[0]}_{consumer.output[0]}"
            _replace(consumer.input, node.output[0], twin.output[0])
            model.graph.node.insert(list(model.graph.node).index(node), twin)
            model.set_tensor_shape(twin.output[0], model.get_tensor_shape(node.output[0]))
    for node in model.graph.node:
        for name in list(node.input):
            value = model.get_initializer(name)
            if value is not None:
                own = f"{node.output[0]}_{name}"
                model.set_initializer(own, value)
                _replace(node.input, name, own)
    kept = {name for node in model.graph.node for name in node.input}
    for name in [initializer.name for initializer in model.graph.initializer]:
        if name not in kept:
            model.del_initializer(name)


def _replace(names: MutableSequence[str], old: str, new: str) -> None:
    names[list(names).index(old)] = new


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporters' remarks on versions and missing packages that play no part here."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
