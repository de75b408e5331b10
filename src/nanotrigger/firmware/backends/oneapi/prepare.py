"""Prepare: a file's network in the form in which hls4ml takes it as it is, mended where its converter would stumble."""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import onnx
from hls4ml.converters.onnx_to_hls import get_supported_onnx_layers
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.general.intquant import int_quant
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.infer_shapes import InferShapes

from nanotrigger.errors import InputError
from nanotrigger.firmware.names import cpp_name
from nanotrigger.graph.check_model import replace
from nanotrigger.graph.evaluate import QUANTIZERS, attributes_of
from nanotrigger.graph.normalize import QONNX_DOMAIN, remove_unused, shapes

_WINDOWS = ("Conv", "MaxPool", "AveragePool")
_FINER = 8  # bits by which the step of what has been scaled is finer than the scale
_BITS = 16  # of constants whose own format firmware cannot have


def prepared(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a network that hls4ml can convert, with names of C++ and channels last.

    Convolutions in groups, which hls4ml gets wrong, and averages, which it does not know, become convolutions of all
    channels. Constants are transposed before they are quantized. What quantizers of any scale give is brought into a
    finer format, behind which hls4ml moves no scale.

    Args:
        model: as `normalized` leaves it; changed in place.

    Raises:
        InputError: hls4ml does not know a node; the message names it.
    """
    graph, known = model.graph, get_supported_onnx_layers()
    _transpose_constants(graph)
    replace(graph.node, [mended for node in graph.node for mended in _mended(graph, node)])
    remove_unused(graph)
    _fence_scales(graph)
    for node in graph.node:
        if node.op_type not in known:
            raise InputError(f"node {node.name}: hls4ml knows no {node.op_type}; write it with other layers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = ModelWrapper(model).transform(InferShapes())
        if any(node.op_type in _WINDOWS for node in graph.node):
            try:
                wrapped = wrapped.transform(ConvertToChannelsLastAndClean())
            except Exception as error:  # qonnx raises plain exceptions of any type
                reason = " ".join(f"{type(error).__name__}: {error}".split())
                raise InputError(f"qonnx cannot put the channels of this network last ({reason[:300]})") from error
    _name_for_cpp(wrapped.graph)
    return wrapped.model


def _transpose_constants(graph: onnx.GraphProto) -> None:
    """Make quantizers of what is transposed of nodes that transpose what is quantized, in place, of constants only.

    Weights of hls4ml's layers come from a quantizer. The other quantizer stays if something else reads it.
    """
    constants = _constants(graph)
    quantizers = {node.output[0]: node for node in graph.node if node.op_type in QUANTIZERS}
    for node in graph.node:
        quantizer = quantizers.get(node.input[0]) if node.op_type == "Transpose" else None
        if quantizer is None or quantizer.input[0] not in constants:
            continue
        axes, rank, output = attributes_of(node).get("perm"), constants[quantizer.input[0]].ndim, node.output[0]
        name, inputs = node.name, list(quantizer.input)
        for place, values in enumerate([constants[each] for each in inputs]):
            inputs[place] = f"{output}_transposed_{place}"  # a copy, of which other readers see nothing
            if values.size > 1:
                values = values.reshape((1,) * (rank - values.ndim) + values.shape).transpose(axes)
            graph.initializer.append(numpy_helper.from_array(values, inputs[place]))
        node.CopyFrom(quantizer)
        node.name, node.input[:], node.output[:] = name, inputs, [output]
    remove_unused(graph)


def _mended(graph: onnx.GraphProto, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """Yield what stands for a node, with what it reads before it; constants are added to the graph."""
    given, known = attributes_of(node), shapes(graph)
    if node.op_type == "GlobalAveragePool":
        node.op_type = "AveragePool"
        given["kernel_shape"] = list(known[node.input[0]][2:])
    if node.op_type == "Quant":
        _make_exact(graph, node)
    if node.op_type not in _WINDOWS:
        yield node
        return
    if node.op_type == "Conv":
        given = {"kernel_shape": list(known[node.input[1]][2:]), "group": 1, **given}
    size = len(given["kernel_shape"])
    if size != 2 and node.op_type == "MaxPool":
        raise InputError(f"node {node.name}: hls4ml takes maxima over two axes only; pool over two, one of size 1")
    given = {"strides": [1] * size, "pads": [0] * (2 * size), "dilations": [1] * size, **given}
    if node.op_type == "AveragePool":
        if any(given["pads"]) or given.get("ceil_mode"):
            raise InputError(f"node {node.name}: hls4ml knows no average over a window that reaches beyond the edge")
        channels, window = known[node.input[0]][1] or 0, tuple(given["kernel_shape"])
        average = np.full((channels, 1, *window), 1.0 / np.prod(window))
        node.op_type, given = "Conv", {name: given[name] for name in ("kernel_shape", "strides", "pads", "dilations")}
        given["group"] = 1
        yield _quantizer(graph, node, _block_diagonal(average, channels), (2.0 ** (1 - _BITS), 0.0, _BITS), signed=0)
    elif given.get("group", 1) > 1:
        yield _joined(graph, node, given["group"])
        given["group"] = 1
    del node.attribute[:]
    node.attribute.extend(helper.make_attribute(name, value) for name, value in given.items())
    yield node


def _make_exact(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    """Give quantized constants a format of 16 bits that holds nearly their values, if their own is none of firmware.

    hls4ml would scale them, and everything that is multiplied with them, by a number of its own.
    """
    constants = _constants(graph)
    if node.input[0] not in constants:
        return
    values, scale, zero, bits = (constants[name] for name in node.input)
    if _is_exact(scale, zero):
        return
    given = attributes_of(node)
    modes = (given.get("signed", 1), given.get("narrow", 0), given.get("rounding_mode", "ROUND"))
    quantized = int_quant(values, scale, zero, bits, *modes)
    reach = float(np.frexp(np.abs(quantized).max())[1])
    for place, value in enumerate((quantized, 2.0 ** (reach - _BITS + 1), 0.0, float(_BITS))):
        node.input[place] = f"{node.output[0]}_{place}"
        graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), node.input[place]))
    del node.attribute[:]
    for name, kind in {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}.items():
        node.attribute.append(helper.make_attribute(name, kind))


def _fence_scales(graph: onnx.GraphProto) -> None:
    """Bring what a quantizer of any scale gives into a format with a much finer step, in place.

    hls4ml moves the scale on, behind one of its readers only; before the quantizer it scales what others read too.
    """
    constants, known, nodes = _constants(graph), shapes(graph), []
    readers = Counter(name for node in graph.node for name in node.input)
    for node in graph.node:
        nodes.append(node)
        if node.op_type != "Quant" or node.input[0] in constants:
            continue
        scale, zero, bits = (constants[name] for name in node.input[1:4])
        if _is_exact(scale, zero):
            continue
        signed = int(attributes_of(node).get("signed", 1) or zero.any())
        finest = int(np.frexp(np.abs(scale).min())[1]) - 1 - _FINER
        reach = float(np.abs(scale).max() * (2.0 ** (float(bits.max()) - signed) + np.abs(zero).max()))
        parameters = (2.0**finest, 0.0, float(int(np.frexp(reach)[1]) - finest + signed))
        for place, names in (("after", node.output), ("before", node.input)):
            if place == "before" and readers[names[0]] < 2:
                continue
            inner = f"{node.name}_{place}_scale"
            source, target = (inner, names[0]) if place == "after" else (names[0], inner)
            shape = known[names[0]]
            graph.value_info.append(helper.make_tensor_value_info(inner, onnx.TensorProto.FLOAT, shape))
            names[0] = inner
            fence = _quantizer_of(graph, source, target, parameters, name=f"{node.name}_{place}", signed=signed)
            nodes.insert(len(nodes) - (place == "before"), fence)
    replace(graph.node, nodes)


def _is_exact(scale: NDArray[np.generic], zero: NDArray[np.generic]) -> bool:
    """Whether a quantizer is a format of firmware."""
    return not zero.any() and bool((np.frexp(scale)[0] == 0.5).all())


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.generic]]:
    return {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}


def _joined(graph: onnx.GraphProto, node: onnx.NodeProto, groups: int) -> onnx.NodeProto:
    """Give a convolution in groups weights for all channels; return the node that quantizes them."""
    constants = _constants(graph)
    source = next((other for other in graph.node if node.input[1] in other.output), None)
    if source is None or source.op_type != "Quant":
        raise InputError(f"node {node.name}: hls4ml gets a convolution in groups wrong; give its weights a quantizer")
    weights = _block_diagonal(constants[source.input[0]], groups)
    parameters = [constants[name] for name in source.input[1:4]]
    return _quantizer(graph, node, weights, parameters, **attributes_of(source))


def _block_diagonal(weights: NDArray[np.generic], groups: int) -> NDArray[np.float32]:
    """Return the weights of all channels, shape (outputs, inputs, *window), of weights in groups; the others are 0."""
    outputs, inputs = weights.shape[:2]
    per_group = outputs // groups
    whole = np.zeros((outputs, inputs * groups, *weights.shape[2:]), np.float32)
    for group in range(groups):
        rows = slice(group * per_group, (group + 1) * per_group)
        whole[rows, group * inputs : (group + 1) * inputs] = weights[rows]
    return whole


def _quantizer(
    graph: onnx.GraphProto,
    node: onnx.NodeProto,
    weights: NDArray[np.float32],
    parameters: Sequence[NDArray[np.generic] | float],
    **attributes: str | int,
) -> onnx.NodeProto:
    """Return a quantizer of other weights, which the node reads from now on."""
    source, target = f"{node.name}_weights_all", f"{node.name}_weights_quantized"
    graph.initializer.append(numpy_helper.from_array(weights, source))
    node.input[1:2] = [target]
    graph.value_info.append(helper.make_tensor_value_info(target, onnx.TensorProto.FLOAT, weights.shape))
    return _quantizer_of(graph, source, target, parameters, name=f"{node.name}_weights", **attributes)


def _quantizer_of(
    graph: onnx.GraphProto,
    source: str,
    target: str,
    parameters: Sequence[NDArray[np.generic] | float],
    *,
    name: str,
    **attributes: str | int,
) -> onnx.NodeProto:
    """Return a quantizer of a tensor with scale, zero point and bit width, which are added to the graph."""
    names = [f"{name}_{part}" for part in ("by", "zero", "bits")]
    for constant, value in zip(names, parameters, strict=True):
        graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), constant))
    given = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **attributes}
    return helper.make_node("Quant", [source, *names], [target], name=name, domain=QONNX_DOMAIN, **given)


def _name_for_cpp(graph: onnx.GraphProto) -> None:
    """Name all nodes and tensors as C++ can, the tensors by the nodes, in place: names by qonnx are random."""
    taken: set[str] = set()
    names = {"": "", **{value.name: cpp_name(value.name, taken) for value in graph.input}}
    for node in graph.node:
        node.name = cpp_name(node.name or node.op_type, taken)
    for node in graph.node:
        for place, name in enumerate(node.input):
            names[name] = names[name] if name in names else cpp_name(f"{node.name}_{place}", taken)
        names |= {name: cpp_name(f"{node.name}_out", taken) for name in node.output}
        node.input[:], node.output[:] = ([names[name] for name in ends] for ends in (node.input, node.output))
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = names.get(value.name, value.name)
