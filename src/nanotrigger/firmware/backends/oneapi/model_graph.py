"""hls4ml's model of a network: the only file that knows its configuration."""

from pathlib import Path
from typing import Any

import onnx
from hls4ml.backends import get_backend
from hls4ml.converters import convert_from_onnx_model
from hls4ml.model import ModelGraph
from hls4ml.utils import config_from_onnx_model

from nanotrigger.firmware.record import Layer

_BACKEND = "oneAPI"
_RESERVED = "input"  # hls4ml's own name for what comes before the first layer, natural as it is for a tensor
_SUBSTITUTE = "network_input"


def build_model_graph(
    network: onnx.ModelProto,
    folder: Path,
    *,
    name: str,
    precision: str | None,
    input_precision: str,
    added: dict[str, dict[str, Any]],
    part: str,
    clock_period: float,
    io_type: str,
    reuse_factor: int,
) -> ModelGraph:
    """Return hls4ml's model, ready to be written into `folder`.

    `added` is the configuration of layers that were added to the network, by name; for the other arguments
    see `convert`.
    """
    _rename_reserved(network.graph)
    # In a float network the widths that hls4ml would infer for sums are cut down to that of everything else.
    limits = {} if precision is None else {"default_precision": precision, "max_precision": precision}
    configuration = config_from_onnx_model(
        network, granularity="name", backend=_BACKEND, default_reuse_factor=reuse_factor, **limits
    )
    layers = configuration["LayerName"]
    # Left to itself hls4ml reads inputs as fixed<16,6>, truncated, before the input quantizer sees them.
    layers[network.graph.input[0].name]["Precision"]["result"] = input_precision
    for layer, settings in added.items():
        types = layers[layer]["Precision"] | settings.get("Precision", {})
        layers[layer] |= settings | {"Precision": types}
    for settings in layers.values():
        if precision is not None and "param" in settings["Precision"]:
            settings["Precision"]["param"] = precision  # else the slope of a leaky ReLU has eight bits
    model = convert_from_onnx_model(
        network,
        output_dir=str(folder),
        project_name=name,
        backend=_BACKEND,
        hls_config=configuration,
        part=part,
        clock_period=f"{clock_period:g}",
        io_type=io_type,
    )
    if precision is not None:
        _set_modes(model, precision)
    return model


def layers_of(model: ModelGraph, graph: onnx.GraphProto) -> tuple[Layer, ...]:
    """Return the layers in the order in which the data flow."""
    own = {layer.outputs[0] for layer in model.get_layers()}
    return tuple(
        Layer(
            name=layer.name,
            kind=layer.class_name,
            tensor=_former_name(_last_fused(layer.outputs[0], own, graph)),
            variable=layer.get_output_variable().name,
            size=int(layer.get_output_variable().size()),
            reuse_factor=int(layer.get_attr("reuse_factor", 1)),
            types={key.removesuffix("_t"): _spelling(type_.precision) for key, type_ in layer.types.items()},
        )
        for layer in model.get_layers()
    )


def _rename_reserved(graph: onnx.GraphProto) -> None:
    """Rename what hls4ml would take for its own: a node stops it, a tensor gets a second reader."""
    for node in graph.node:
        if node.name == _RESERVED:
            node.name = f"{_RESERVED}_{node.op_type}"
        for names in (node.input, node.output):
            names[:] = [_SUBSTITUTE if name == _RESERVED else name for name in names]
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.name == _RESERVED:
            value.name = _SUBSTITUTE


def _former_name(tensor: str) -> str:
    return _RESERVED if tensor == _SUBSTITUTE else tensor


def _set_modes(model: ModelGraph, precision: str) -> None:
    """Give sums the rounding and overflow that `precision` states; hls4ml infers only their width."""
    stated = get_backend(_BACKEND).convert_precision_string(precision)
    for layer in model.get_layers():
        if layer.class_name != "Dense":
            continue
        for key in ("accum_t", "result_t"):
            layer.types[key].precision.rounding_mode = stated.rounding_mode
            layer.types[key].precision.saturation_mode = stated.saturation_mode


def _last_fused(tensor: str, own: set[str], graph: onnx.GraphProto) -> str:
    """Follow `tensor` through the nodes that hls4ml fused into the layer that wrote it."""
    while True:
        readers = [node.output[0] for node in graph.node if tensor in node.input]
        if len(readers) != 1 or readers[0] in own:
            return tensor
        tensor = readers[0]


def _spelling(precision: Any) -> str:
    return str(precision).replace(",0>", ">")  # leave out the saturation bits, which ac_fixed lacks
