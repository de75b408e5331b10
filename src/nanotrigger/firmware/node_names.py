"""Node names: those of a network's layers, for the nodes and tensors of its ONNX model."""

import ast

from brevitas.nn import QuantReLU
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from torch import nn

from nanotrigger.firmware.names import unique_name
from nanotrigger.networks import Network
from nanotrigger.networks.trace import layer_names

INPUT = "features"  # the graph's own input; its output is named as the network names it
_SCOPES = "pkg.torch.onnx.name_scopes"  # of a node: the modules in which the exporter met it, outermost first; itself
_PREFIX = "layers."
_SUFFIXES = {"Add": "_add", "Quant": "_quantizer"}  # of a layer's nodes after its first
_WITH_WEIGHTS = ("MatMul", "Gemm", "Conv")


def name_nodes(model: ModelWrapper, network: Network) -> None:
    """Name nodes and tensors by the network's layers, as `write_qonnx` describes.

    Args:
        model: cleaned, each node with constants of its own.
        network: that was exported.
    """
    model.rename_tensor(model.graph.input[0].name, INPUT)
    if network.is_chain:
        _name_chain(model, network)
    else:
        _name_by_scope(model, network)
    model.rename_tensor(model.graph.output[0].name, network.output_name)
    for part in (*model.graph.node, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]  # stack traces of the machine that exported it
    model.graph.doc_string = (
        f"{INPUT}: standardized features of one event (batch 1; qonnx' ChangeBatchSize makes it N). "
        f"{network.output_name.replace('_', ' ')}: {network.outputs} values."
    )


def is_constant(model: ModelWrapper, node: NodeProto) -> bool:
    """Whether a node computes from initializers alone, directly or through other such nodes."""
    producers = {name: model.find_producer(name) for name in node.input if model.get_initializer(name) is None}
    return all(producer is not None and is_constant(model, producer) for producer in producers.values())


def _name_chain(model: ModelWrapper, network: Network) -> None:
    """Name by the layers, which the graph follows one by one."""
    tensor = INPUT
    for layer, module in network.layers.named_children():
        for suffix in _node_suffixes(module):
            node = model.find_consumers(tensor)[0] if model.find_consumers(tensor) else None
            if node is None or (suffix == "_add" and node.op_type != "Add"):
                continue  # a bias of zeros was cleaned away
            node.name = layer + suffix
            for position, constant in enumerate(node.input[1:], start=1):
                _name_constant(model, node, position, constant, layer)
            tensor = f"{node.name}_out"
            model.rename_tensor(node.output[0], tensor)
        model.rename_tensor(tensor, layer)
        tensor = layer


def _name_by_scope(model: ModelWrapper, network: Network) -> None:
    """Name by the layers in which the exporter met the nodes."""
    known = set(layer_names(network.layers))
    last: dict[str, NodeProto] = {}
    taken: set[str] = set()
    for node in [node for node in model.graph.node if not is_constant(model, node)]:
        layer = _layer_of(node, known)
        if layer is None:
            continue
        suffix = _SUFFIXES.get(node.op_type, f"_{node.op_type.lower()}") if layer in last else ""
        node.name = unique_name(layer + suffix, taken)
        last[layer] = node
        model.rename_tensor(node.output[0], f"{node.name}_out")
        for position, constant in enumerate(node.input):
            producer = model.find_producer(constant)
            if model.get_initializer(constant) is not None or (producer and is_constant(model, producer)):
                _name_constant(model, node, position, constant, layer)
    for layer, node in last.items():
        model.rename_tensor(node.output[0], layer)


def _layer_of(node: NodeProto, known: set[str]) -> str | None:
    """Return the innermost layer in which a node was met."""
    scopes = next((entry.value for entry in node.metadata_props if entry.key == _SCOPES), "[]")
    names = [scope.removeprefix(_PREFIX) for scope in ast.literal_eval(scopes)[:-1]]
    return next((name for name in reversed(names) if name in known), None)


def _name_constant(model: ModelWrapper, node: NodeProto, position: int, constant: str, layer: str) -> None:
    if node.op_type == "Quant":
        model.rename_tensor(constant, f"{node.name}_{('scale', 'zero_point', 'bit_width')[position - 1]}")
        return
    if node.op_type not in (*_WITH_WEIGHTS, "Add"):
        return
    name = f"{layer}_{'weight' if node.op_type in _WITH_WEIGHTS and position == 1 else 'bias'}"
    quantizer = model.find_producer(constant)
    model.rename_tensor(constant, name)
    if quantizer is not None:
        quantizer.name = name
        model.rename_tensor(quantizer.input[0], f"{name}_float")
        for place, parameter in enumerate(list(quantizer.input)[1:], start=1):
            _name_constant(model, quantizer, place, parameter, layer)


def _node_suffixes(module: nn.Module) -> tuple[str, ...]:
    """Return what follows the layer's name in the names of its nodes, in order."""
    if isinstance(module, nn.Linear):
        return ("", "_add")
    return ("", "_quantizer") if isinstance(module, QuantReLU) else ("",)
