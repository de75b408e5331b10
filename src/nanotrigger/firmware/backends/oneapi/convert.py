"""Convert a QONNX network into hls4ml's project for oneAPI."""

import hashlib
import math
import re
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from hls4ml.backends import get_backend
from hls4ml.converters import convert_from_onnx_model
from hls4ml.model import ModelGraph
from hls4ml.utils import config_from_onnx_model

from nanotrigger.errors import InputError
from nanotrigger.files import whole_folder
from nanotrigger.firmware.backends.oneapi.checks import check_name, check_target, checked_type
from nanotrigger.firmware.backends.oneapi.endings import SOFTMAX, WIDEN, append_radius, append_softmax
from nanotrigger.firmware.backends.oneapi.shared_adders import integers_of, label_of, write_shared_adders
from nanotrigger.firmware.record import FILE, Firmware, Layer, write_record
from nanotrigger.firmware.target import SHARED, Target
from nanotrigger.graph.evaluate import QUANTIZERS
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.normalize import shapes
from nanotrigger.graph.onnx_file import input_quantizer_format, is_quantized, load_model, output_format
from nanotrigger.graph.quantize import Relu
from nanotrigger.numbers import FixedPoint, WideFixedPoint
from nanotrigger.numbers.fixed_point import type_name, without_modes

_BACKEND = "oneAPI"
_RESERVED = "input"  # hls4ml's own name for what comes before the first layer, natural as it is for a tensor
_SUBSTITUTE = "network_input"
_SETTINGS = "hls4ml_config.yml"


def convert(
    model: Path,
    project: Path,
    target: Target | None = None,
    *,
    name: str = "nanotrigger",
    input_precision: str | None = None,
    types: Mapping[str, str] | None = None,
) -> Firmware:
    """Write the C++ of a network and its build files into a folder; compile nothing.

    In a quantized network every type is that of its quantizers, and sums are wide enough to be exact. A softmax is
    within about 0.02 of the exact one; the sum of squares of a radius is exact. The folder appears whole or stays as
    it was; the same arguments give the same files. A vendor build of former firmware in the folder goes with it, lest
    its reports be taken for this one's.

    Args:
        model: cleaned QONNX file with one input and one output, shape (1, values).
        project: folder to write, or to replace if it holds a firmware project.
        target: what the firmware is built for. hls4ml truncates and wraps unless `target.precision` says otherwise,
            and takes the reuse factor nearest to `target.reuse_factor` that a layer allows; the layers returned say
            which.
        name: of the project, in lower case; the kernel is its PascalCase.
        input_precision: type of the inputs; by default that of the input quantizer, or `target.precision`.
        types: of results in full precision, by node; by default those of ReLUs without a quantizer.

    Raises:
        InputError: an argument is wrong, or hls4ml cannot convert the network.
    """
    target = target or Target()
    check_name(name)
    check_target(target)
    network = _load(model)
    graph = network.graph
    if types is None:
        _check_precision(graph, target.precision)
    precision = target.precision and checked_type(target.precision)
    inputs = checked_type(input_precision or precision or type_name(input_quantizer_format(graph)))
    constants = {constant.name for constant in graph.initializer}
    quantizers = [node for node in graph.node if node.op_type in QUANTIZERS]
    is_float = all(node.input[0] in constants for node in quantizers)
    added = {SOFTMAX: append_softmax(graph, _logits_format(graph, precision))} if target.softmax else {}
    if target.radius:
        append_radius(graph)
    integers = None if target.adders != SHARED else integers_of(model, None if types is None else inputs)
    if types is None:
        types = {} if precision else full_precision(model)
    with whole_folder(project, marker=FILE) as folder:
        with _quiet(model):
            hls = build_model_graph(
                network,
                folder,
                target,
                name=name,
                input_precision=inputs,
                types=types,
                added=added,
                is_float=is_float,
            )
            hls.write()
            if integers is not None:
                write_shared_adders(folder / "src" / "firmware", hls, integers, target)
        _settle(folder, project, hls.config.get_config_value("Stamp"))
        part, clock, io_type = (hls.config.get_config_value(key) for key in ("Part", "ClockPeriod", "IOType"))
        firmware = Firmware(name, part, float(clock), io_type, recorded_layers(hls, graph))
        write_record(firmware, folder)
    return firmware


def build_model_graph(
    network: onnx.ModelProto,
    folder: Path,
    target: Target,
    *,
    name: str,
    input_precision: str,
    types: Mapping[str, str],
    added: dict[str, dict[str, Any]],
    is_float: bool,
) -> ModelGraph:
    """Return hls4ml's model, ready to be written into `folder`.

    `types` are those of results by layer, where hls4ml would take others; `added` is the configuration of layers that
    were added to the network, by name; `is_float` is whether it had no quantizers but for constants before. For the
    others see `convert`.
    """
    precision = target.precision
    _rename_reserved(network.graph)
    limits = {} if precision is None else {"default_precision": precision}
    of_all = precision if is_float else None
    if of_all is not None:  # the widths that hls4ml would infer for sums are cut down to that of everything else
        limits["max_precision"] = of_all
    configuration = config_from_onnx_model(
        network, granularity="name", backend=_BACKEND, default_reuse_factor=target.reuse_factor, **limits
    )
    layers = configuration["LayerName"]
    # Left to itself hls4ml reads inputs as fixed<16,6>, truncated, before the input quantizer sees them.
    layers[network.graph.input[0].name]["Precision"]["result"] = input_precision
    for layer, result in types.items():
        layers[layer]["Precision"]["result"] = result
    for layer, settings in added.items():
        layers[layer] |= settings | {"Precision": layers[layer]["Precision"] | settings.get("Precision", {})}
    known = shapes(network.graph)
    for node in network.graph.node:
        if node.op_type == "Conv" and node.output[0] in known:  # all places at once, as all neurons of a dense layer
            layers[node.name]["ParallelizationFactor"] = math.prod(size or 1 for size in known[node.output[0]][1:-1])
    for settings in layers.values():
        if of_all is not None and "param" in settings["Precision"]:
            settings["Precision"]["param"] = of_all  # else the slope of a leaky ReLU has eight bits
    model = convert_from_onnx_model(
        network,
        output_dir=str(folder),
        project_name=name,
        backend=_BACKEND,
        hls_config=configuration,
        part=target.fpga_part,
        clock_period=np.format_float_positional(target.clock_period, trim="-"),
        io_type=target.io_type,
    )
    if of_all is not None:
        _set_modes(model, of_all)
    return model


def full_precision(model: Path) -> dict[str, str]:
    """Return a type for each ReLU without a quantizer that holds all its words; hls4ml would take fixed<16,6>."""
    nodes = load_model(model).graph.node
    quantized = {node.input[0] for node in nodes if node.op_type == "Quant"}
    if all(node.output[0] in quantized for node in nodes if node.op_type == "Relu"):
        return {}
    graph = read_graph(model)
    tensors = {node.name: graph.tensors[node.output] for node in graph.nodes if isinstance(node, Relu)}
    return {
        name: type_name(WideFixedPoint(tensor.bits, tensor.bits + tensor.exponent, signed=tensor.words.low < 0))
        for name, tensor in tensors.items()
    }


def recorded_layers(model: ModelGraph, graph: onnx.GraphProto) -> tuple[Layer, ...]:
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
            label=label_of(layer),
        )
        for layer in model.get_layers()
    )


def possible_reuse_factors(inputs: int, outputs: int) -> list[int]:
    """Return the reuse factors that hls4ml can give a dense layer; it takes the nearest to what is asked for."""
    factors: list[int] = get_backend(_BACKEND).get_valid_reuse_factors(inputs, outputs)
    return factors


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
    """Follow `tensor` through the nodes that hls4ml fused into the layer that wrote it.

    Logits that were widened in the same layer have the value, and keep the name, that they had before.
    """
    while True:
        readers = [node for node in graph.node if tensor in node.input]
        if len(readers) != 1 or readers[0].output[0] in own or readers[0].name == WIDEN:
            return tensor
        tensor = readers[0].output[0]


def _spelling(precision: Any) -> str:
    return str(precision).replace(",0>", ">")  # leave out the saturation bits, which ac_fixed lacks


def _load(model: Path) -> onnx.ModelProto:
    network = load_model(model)
    ends = len(network.graph.input), len(network.graph.output)
    if ends != (1, 1):
        raise InputError(f"{model} has {ends[0]} inputs and {ends[1]} outputs; firmware has one of each")
    return network


def _logits_format(graph: onnx.GraphProto, precision: str | None) -> FixedPoint:
    number = output_format(graph)
    if number is not None:
        return number
    if precision is None:
        raise InputError("softmax needs logits of a known type; give the network an output format such as fixed<12,6>")
    return FixedPoint.parse(without_modes(precision))


@contextmanager
def _quiet(model: Path) -> Iterator[None]:
    """Hold back what hls4ml prints; if it fails, say why in one line."""
    with redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except Exception as error:  # hls4ml raises plain exceptions of any type
            reason = " ".join(f"{type(error).__name__}: {str(error) or 'no reason; use other layers there'}".split())
            raise InputError(f"{model.name}: hls4ml cannot convert {_node_of(error)}: {reason}") from error


def _node_of(error: Exception) -> str:
    """Return which node hls4ml was at, by its own name: the innermost that its functions speak of as `node`."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [getattr(frame.f_locals.get("node"), "name", None) for frame in frames]
    names = [name for name in names if isinstance(name, str)]
    return f"node {names[-1]}" if names else "it"


def _settle(folder: Path, project: Path, stamp: str) -> None:
    """Replace the temporary folder's name and hls4ml's random stamp by what the arguments determine."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}
    settings = folder / _SETTINGS
    texts[settings] = re.sub(r"(?ms)^OutputDir: .*?(?=^\S)", f"OutputDir: {project.name}\n", texts[settings])
    texts[settings] = re.sub(r"(?m)^Stamp: .*$", f"Stamp: '{stamp}'", texts[settings])  # PyYAML quotes digits alone
    stampless = "".join(texts.values()).replace(stamp, "")
    settled = hashlib.sha256(stampless.encode()).hexdigest()[: len(stamp)]
    for path, text in texts.items():
        path.write_text(text.replace(stamp, settled), encoding="utf-8")


def _check_precision(graph: onnx.GraphProto, precision: str | None) -> None:
    if precision is None and not is_quantized(graph):
        raise InputError("the network has no quantizers; give a precision such as fixed<16,6>")
    if precision is not None and is_quantized(graph):
        raise InputError(f"precision {precision} is for float networks; this one has quantizers, omit it")
