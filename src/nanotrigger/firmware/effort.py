"""Effort: what a network of others takes to be computed, known before, and for how many events that is bearable."""

import math
from collections.abc import Mapping

import onnx

from nanotrigger.errors import InputError
from nanotrigger.graph.evaluate import attributes_of
from nanotrigger.graph.normalize import shapes
from nanotrigger.graph.reader import MOST_OPERATIONS

_CONSTANTS = 1 << 22  # of which g++ makes a library with 2 GB of memory
_OPERATIONS = 1 << 31  # of all events: a few ten seconds of emulation
_VALUES = 1 << 24  # of inputs and outputs of all events

Shapes = Mapping[str, tuple[int | None, ...]]


def most_events(graph: onnx.GraphProto) -> int:
    """Return for how many events a network can be computed and emulated in a minute or so, at least one.

    Args:
        graph: as `normalized` leaves it.

    Raises:
        InputError: it has more operations or constants than firmware can have, or tensors of no fixed size.
    """
    constants = sum(math.prod(constant.dims) for constant in graph.initializer)
    if constants > _CONSTANTS:
        largest = max(graph.initializer, key=lambda constant: math.prod(constant.dims)).name
        reader = next(node.name for node in graph.node if largest in node.input)
        raise InputError(
            f"the network has {constants:,} constants, most of them read by node {reader}, in firmware at most "
            f"{_CONSTANTS:,}; export a smaller network"
        )
    known, total = shapes(graph), 0
    for node in graph.node:
        total += _operations(node, known)
        if total > MOST_OPERATIONS:
            raise InputError(
                f"node {node.name}: with it the network has {total:,} operations, unrolled at most "
                f"{MOST_OPERATIONS:,}; export a smaller network"
            )
    ends = sum(_size(known, value.name) for value in (*graph.input, *graph.output))
    return max(min(_OPERATIONS // max(total, 1), _VALUES // max(ends, 1)), 1)


def _operations(node: onnx.NodeProto, known: Shapes) -> int:
    """Return the operations of a node; convolutions in groups and averages are convolutions of all channels."""
    given = attributes_of(node)
    each = 1  # of the values that it computes
    if node.op_type == "MatMul":
        each = known.get(node.input[0], (1,))[-1] or 1
    elif node.op_type == "Conv":
        each = _size(known, node.input[1]) // max(known[node.input[1]][0] or 1, 1) * int(given.get("group", 1))
    elif node.op_type in ("AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool"):
        image = known.get(node.input[0], ())
        channels = image[1] or 1 if "Average" in node.op_type and len(image) > 1 else 1
        each = math.prod(size or 1 for size in given.get("kernel_shape", image[2:])) * channels
    try:
        return each * sum(_size(known, name) for name in filter(None, node.output))
    except InputError as error:
        raise InputError(f"node {node.name}: {error}") from None


def _size(known: Shapes, name: str) -> int:
    """Return how many values a tensor has."""
    shape = known.get(name, (None,))
    if None in shape:
        raise InputError(f"nothing says the shape of {name!r}; infer shapes before, or export with fixed ones")
    return math.prod(size for size in shape if size is not None)
