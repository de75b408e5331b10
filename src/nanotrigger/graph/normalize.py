"""Normalize: an ONNX model of any exporter in the one form that is read: batch 1, shapes known, constants folded."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper, shape_inference

from nanotrigger.errors import InputError
from nanotrigger.graph.check_model import check_constants, check_nodes, name_nodes, replace, sort
from nanotrigger.graph.evaluate import FOLDED, MOVES, QUANTIZERS, attributes_of, evaluate
from nanotrigger.graph.rewrite import flatten_events, move_channels, split_gemm

QONNX_DOMAIN = "qonnx.custom_op.general"
OPSETS = range(9, 25)
MOST_NODES = 10_000
MOST_FOLDED = 1 << 24  # values of all constants that are computed
_FIRST_INITIALIZERS = 4  # version of ONNX files in which a constant need not be an input as well
_FLOAT = onnx.TensorProto.FLOAT
_FIRST_FLOAT = (*MOVES, "Quant", "ReduceSum", "ReduceMean")  # whose other inputs may be integers
_SMALL = 1024  # values of a constant that shapes may depend on
_KEEP_VALUES = ("Identity", "Dropout", "Cast", "Reshape", "Flatten", "Expand")  # no-ops where the shape stays


def normalized(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that computes the same for a batch of one event.

    Its nodes follow what they read and have unique names. Every constant is an initializer, or a quantizer of one. A
    `Gemm` is a `MatMul` and an `Add`, channels come before places, and nodes that change nothing are gone. Names of
    tensors stay.

    Args:
        model: of opset 9 to 24, all constants in it; left as it is.

    Raises:
        InputError: the model has control flow, a cycle, no outputs, axes other than the batch of no fixed size,
            constants that are no numbers, types other than float32, or shapes that do not fit; the message names the
            node.
    """
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset not in OPSETS:
        raise InputError(f"ONNX opset {opset}; export the network with opset {OPSETS.start} to {OPSETS.stop - 1}")
    if len(model.graph.node) > MOST_NODES:
        raise InputError(
            f"{len(model.graph.node):,} nodes; at most {MOST_NODES:,} can be read, export a smaller network"
        )
    simple = onnx.ModelProto()
    simple.CopyFrom(model)
    graph = simple.graph
    check_nodes(simple)
    name_nodes(graph)
    _collect_constants(graph)
    check_constants(graph)
    sort(graph)
    remove_unused(graph)
    known = shapes(graph)
    _fix_batch(graph)
    move_channels(graph, known)
    split_gemm(graph)
    room, before = MOST_FOLDED, -1
    while room != before:
        _infer_shapes(simple)
        before, room = room, _fold(graph, opset, room)
    flatten_events(graph, shapes(graph))
    _remove_no_ops(graph)
    remove_unused(graph)
    _check_types(graph)
    _name_domains(simple)
    return simple


def ending_in(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """Return a normalized model with other outputs, in place: nothing behind them is computed."""
    known = {value.name: value for value in (*model.graph.value_info, *model.graph.output)}
    replace(model.graph.output, [known[name] for name in names])
    remove_unused(model.graph)
    replace(model.graph.value_info, [value for value in model.graph.value_info if value.name not in names])
    return model


def shape_of(value: onnx.ValueInfoProto) -> tuple[int | None, ...] | None:
    """Return the shape of a tensor, None for an axis of no fixed size; None if it is not known."""
    if not value.type.tensor_type.HasField("shape"):
        return None
    return tuple(
        axis.dim_value if axis.HasField("dim_value") and axis.dim_value > 0 else None
        for axis in value.type.tensor_type.shape.dim
    )


def shapes(graph: onnx.GraphProto) -> dict[str, tuple[int | None, ...]]:
    """Return the shapes of all tensors that have one, by name."""
    found = {constant.name: tuple(constant.dims) for constant in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shape = shape_of(value)
        if shape is not None:
            found[value.name] = shape
    return found


def _collect_constants(graph: onnx.GraphProto) -> None:
    """Make initializers of Constant nodes; an initializer is no input."""
    kept = []
    for node in graph.node:
        if node.op_type != "Constant":
            kept.append(node)
            continue
        values = [_constant_of(attribute) for attribute in node.attribute]
        if len(values) != 1 or values[0] is None:
            raise InputError(f"node {node.name}: a constant without a plain value; export the network again")
        graph.initializer.append(numpy_helper.from_array(values[0], node.output[0]))
    replace(graph.node, kept)
    constants = {constant.name for constant in graph.initializer}
    replace(graph.input, [value for value in graph.input if value.name not in constants])
    if graph.sparse_initializer:
        raise InputError("the file has sparse constants; export it with dense ones")


def _constant_of(attribute: onnx.AttributeProto) -> NDArray[np.generic] | None:
    if attribute.name == "value":
        return np.asarray(numpy_helper.to_array(attribute.t))
    types = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
    if attribute.name not in types:
        return None
    return np.array(helper.get_attribute_value(attribute), types[attribute.name])


def _fix_batch(graph: onnx.GraphProto) -> None:
    """Make the first axis of every input one event; shapes are inferred anew."""
    for value in graph.input:
        shape = shape_of(value)
        if shape is None or len(shape) < 2:
            raise InputError(f"input {value.name!r}: its shape must be (batch, values, …); export it with a batch axis")
        if None in shape[1:]:
            raise InputError(
                f"input {value.name!r}: axis {shape.index(None, 1)} has no fixed size; only the batch may vary"
            )
        if value.type.tensor_type.elem_type != _FLOAT:
            found = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)
            raise InputError(f"input {value.name!r} is of type {found}; export it with float32")
        axes = value.type.tensor_type.shape.dim
        axes[0].Clear()
        axes[0].dim_value = 1
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")


def _infer_shapes(model: onnx.ModelProto) -> None:
    """Write the shape of every tensor into the model, by ONNX' own rules; a quantizer keeps a shape."""
    version = max(model.ir_version, _FIRST_INITIALIZERS)
    bare = onnx.ModelProto(ir_version=version, opset_import=[helper.make_opsetid("", _opset(model))])
    bare.graph.name = "shapes"
    bare.graph.input.extend(model.graph.input)
    bare.graph.output.extend(model.graph.output)
    for constant in model.graph.initializer:
        if math.prod(constant.dims) <= _SMALL:
            bare.graph.initializer.append(constant)
        else:
            bare.graph.input.append(helper.make_tensor_value_info(constant.name, constant.data_type, constant.dims))
    for node in model.graph.node:
        shown = bare.graph.node.add()
        if node.op_type in QUANTIZERS:
            shown.CopyFrom(helper.make_node("Identity", node.input[:1], node.output[:1], node.name))
        else:
            shown.CopyFrom(node)
            shown.domain = ""
    try:
        found = shape_inference.infer_shapes(bare, strict_mode=True, data_prop=True)
    except (shape_inference.InferenceError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"shapes do not fit: {reason[:300]}; export the network again") from None
    replace(model.graph.value_info, list(found.graph.value_info))
    replace(model.graph.output, list(found.graph.output))


def _opset(model: onnx.ModelProto) -> int:
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def _fold(graph: onnx.GraphProto, opset: int, room: int) -> int:
    """Make initializers of nodes that are the same for all events; return the room that is left.

    Args:
        graph: changed in place.
        opset: version of the operators.
        room: for how many values there is room; a node takes one besides those that it computes.

    Raises:
        InputError: there are more.
    """
    constants = {constant.name: constant for constant in graph.initializer}
    known, kept = shapes(graph), []
    for node in graph.node:
        shape, size = known.get(node.input[0]) if node.op_type == "Shape" else None, _size(node, known)
        is_constant = node.op_type in FOLDED and all(name in constants for name in filter(None, node.input))
        if node.op_type == "Shape" and shape is not None and None not in shape:
            start, end = (attributes_of(node).get(key, default) for key, default in (("start", 0), ("end", None)))
            found = [np.array(shape[start:end], np.int64)]
        elif is_constant and size is not None:
            if size > room:
                raise InputError(
                    f"node {node.name}: with it the file computes more than {MOST_FOLDED:,} constants; export them "
                    "computed"
                )
            found = evaluate(
                node, [numpy_helper.to_array(constants[name]) if name else None for name in node.input], opset
            )
        else:
            kept.append(node)
            continue
        room -= 1 + (size or 0)
        for name, values in zip(node.output, found, strict=False):
            constants[name] = numpy_helper.from_array(np.asarray(values), name)
            graph.initializer.append(constants[name])
    replace(graph.node, kept)
    return room


def _size(node: onnx.NodeProto, known: Mapping[str, tuple[int | None, ...]]) -> int | None:
    """Return how many values a node computes; None if it is not known."""
    size = 0
    for name in filter(None, node.output):
        shape = known.get(name, (None,))
        if None in shape:
            return None
        size += math.prod(axis for axis in shape if axis is not None)
    return size


def _remove_no_ops(graph: onnx.GraphProto) -> None:
    """Let what reads a node that changes nothing read its input."""
    known, outputs = shapes(graph), {value.name for value in graph.output}
    same: dict[str, str] = {}
    kept = []
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = same.get(name, name)
        shape = known.get(node.input[0], (None,)) if node.input else (None,)
        keeps_shape = None not in shape and shape == known.get(node.output[0])
        if keeps_shape and _changes_nothing(node) and node.output[0] not in outputs:
            same[node.output[0]] = node.input[0]
            continue
        kept.append(node)
    replace(graph.node, kept)


def _changes_nothing(node: onnx.NodeProto) -> bool:
    """Whether a node keeps all values if it keeps the shape."""
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
    return node.op_type in _KEEP_VALUES and (node.op_type != "Cast" or attributes_of(node)["to"] in floats)


def remove_unused(graph: onnx.GraphProto) -> None:
    """Remove what no output depends on."""
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    replace(graph.node, kept[::-1])
    replace(graph.initializer, [constant for constant in graph.initializer if constant.name in needed])
    replace(graph.value_info, [value for value in graph.value_info if value.name in needed])


def _check_types(graph: onnx.GraphProto) -> None:
    """Check that what is multiplied, added or quantized is of float32, as in qonnx' own execution.

    Raises:
        InputError: something else is.
    """
    types = {constant.name: constant.data_type for constant in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        types[value.name] = value.type.tensor_type.elem_type
    for node in graph.node:
        given = node.input[:1] if node.op_type in _FIRST_FLOAT else node.input
        for name in given:
            if types.get(name, _FLOAT) not in (_FLOAT, onnx.TensorProto.UNDEFINED):
                found = onnx.TensorProto.DataType.Name(types[name])
                raise InputError(f"node {node.name} reads {name} of type {found}; export the network with float32")


def _name_domains(model: onnx.ModelProto) -> None:
    """Give quantizers the domain in which qonnx looks for them."""
    for node in model.graph.node:
        node.domain = QONNX_DOMAIN if node.op_type in QUANTIZERS else ""
    if not any(entry.domain == QONNX_DOMAIN for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(QONNX_DOMAIN, 1))
