"""Checks of an ONNX model before it is read: every node is known, named, in order, and every constant is a number."""

from collections import Counter
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import checker, numpy_helper

from nanotrigger.errors import InputError
from nanotrigger.graph.evaluate import CHANNELS_LAST, QUANTIZERS

_WITH_CHANNELS_LAST = ("Conv", "MaxPool", "BatchNormalization")
_CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")


def check_nodes(model: onnx.ModelProto) -> None:
    """Check that the network has ends, and no node that computes in an unknown way.

    Raises:
        InputError: functions, control flow, an unknown operator, or names that are no text.
    """
    values = (*model.graph.input, *model.graph.output, *model.graph.initializer)
    names = [value.name for value in values]
    for node in model.graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
    damaged = [name for name in names if not isinstance(name, str)]  # bytes, where they are no UTF-8
    if damaged:
        raise InputError(f"the name {damaged[0]!r} of a node or tensor is no text; export the network again")
    if model.functions:
        raise InputError(f"the function {model.functions[0].name} of the file is not read; inline functions before")
    if not model.graph.output or not model.graph.input:
        raise InputError("the network has no input or no output; export it again")
    for end, values in (("input", model.graph.input), ("output", model.graph.output)):
        twice = [name for name, count in Counter(value.name for value in values).items() if count > 1]
        if twice:
            raise InputError(f"{end} {twice[0]!r} of the network is listed twice; export it again")
    context = checker.C.CheckerContext()
    context.ir_version = onnx.IR_VERSION
    context.opset_imports = {entry.domain: entry.version for entry in model.opset_import}
    for node in model.graph.node:
        name = node.name or ", ".join(node.output)
        if node.op_type in _CONTROL_FLOW or any(
            attribute.HasField("g") or attribute.graphs for attribute in node.attribute
        ):
            raise InputError(f"node {name}: {node.op_type} is control flow; export the network without it")
        if node.op_type in QUANTIZERS or (node.domain == CHANNELS_LAST and node.op_type in _WITH_CHANNELS_LAST):
            continue
        if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type):
            raise InputError(f"node {name}: {node.op_type} is no operator of ONNX, nor one of {', '.join(QUANTIZERS)}")
        try:
            checker.check_node(node, context)
        except checker.ValidationError as error:
            reason = " ".join(str(error).partition("==>")[0].split())[:200]
            raise InputError(f"node {name}: no valid {node.op_type} ({reason}); export it again") from None


def name_nodes(graph: onnx.GraphProto) -> None:
    """Give every node a name of its own."""
    taken = Counter(node.name for node in graph.node if node.name)
    for place, node in enumerate(graph.node):
        if not node.name or taken[node.name] > 1:
            name = node.name or node.op_type
            taken[node.name] -= 1
            while name in taken:
                name = f"{name}_{place}"
            node.name = name
            taken[name] += 1


def check_constants(graph: onnx.GraphProto) -> None:
    """Check that all constants are numbers.

    Raises:
        InputError: one is NaN or infinite, of another type, or damaged; or two have one name.
    """
    twice = [name for name, count in Counter(constant.name for constant in graph.initializer).items() if count > 1]
    if twice:
        raise InputError(f"there are two constants {twice[0]!r}; export the network again")
    for constant in graph.initializer:
        try:
            values = _values(constant)
        except (LookupError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"constant {constant.name!r} of {_reader(graph, constant)} is damaged, or no plain numbers ({reason}); "
                "export the network again"
            ) from None
        wrong = ~np.isfinite(values)
        if wrong.any():
            found = f"{wrong.sum():,} of {wrong.size:,} values are NaN or infinite"
            raise InputError(
                f"constant {constant.name!r} of {_reader(graph, constant)}: {found}; train the network again"
            )


def _values(constant: onnx.TensorProto) -> NDArray[Any]:
    values = numpy_helper.to_array(constant)
    if values.dtype.kind not in "fiub" or min(constant.dims, default=1) < 0:
        raise ValueError(f"type {values.dtype}, shape {tuple(constant.dims)}")
    return values


def _reader(graph: onnx.GraphProto, constant: onnx.TensorProto) -> str:
    return next((node.name for node in graph.node if constant.name in node.input), "no node")


def sort(graph: onnx.GraphProto) -> None:
    """Put every node behind those that it reads, otherwise in the order of the file.

    Raises:
        InputError: a tensor is computed twice or not at all, or there is a cycle.
    """
    writers: dict[str, int] = {}
    known = {value.name for value in graph.input} | {constant.name for constant in graph.initializer}
    for place, node in enumerate(graph.node):
        for name in filter(None, node.output):
            if name in writers or name in known:
                other = "another node computes" if name in writers else "an input or a constant is called"
                raise InputError(f"node {node.name}: {other} {name} as well; export the network again")
            writers[name] = place
    for node in graph.node:
        missing = [name for name in node.input if name and name not in known and name not in writers]
        if missing:
            raise InputError(f"node {node.name} reads {missing[0]}, which nothing computes; export the network again")
    reads = [sorted({writers[name] for name in node.input if name in writers}) for node in graph.node]
    if all(place > max(read, default=-1) for place, read in enumerate(reads)):
        return
    try:
        order = list(TopologicalSorter(dict(enumerate(reads))).static_order())
    except CycleError as error:
        names = " reads ".join(graph.node[place].name for place in error.args[1])
        raise InputError(f"a cycle: {names}; only networks without feedback can be read") from None
    replace(graph.node, [graph.node[place] for place in order])


def replace(field: Any, values: list[Any]) -> None:
    """Put values in the place of a repeated field's content."""
    copies = [type(value).FromString(value.SerializeToString()) for value in values]
    del field[:]
    field.extend(copies)
