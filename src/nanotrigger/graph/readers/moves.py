"""Reader of nodes that put values in other places."""

from typing import Any

import numpy as np
import onnx

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.graph.arrange import Arrange
from nanotrigger.graph.reader import Reader

_FIRST_ONLY = (
    "Reshape",
    "Expand",
    "Tile",
    "Unsqueeze",
    "Squeeze",
    "Slice",
    "Gather",
    "Pad",
    "Split",
    "Dropout",
    "Resize",
)


def read_move(reader: Reader, node: onnx.NodeProto) -> None:
    """Read Reshape, Transpose, Concat, Slice and the like: ONNX' own reference moves the positions of the values."""
    reader.refuse_in_float(node)
    check_batch(reader, node)
    if node.op_type == "Resize" and reader.attributes(node).get("mode", "nearest") != "nearest":
        raise NotExactError(node.name, "a Resize that interpolates; only the nearest value is exact")
    if node.op_type == "Dropout" and any(map(reader.readers_of, node.output[1:])):
        raise InputError(f"node {node.name}: its mask is read; export the network for inference")
    if node.op_type == "Pad" and _pads_other_than_zero(reader, node):
        raise InputError(f"node {node.name}: pads with a value other than 0, which cannot be read; pad with 0")
    sources = [name for name in node.input if name][: 1 if node.op_type in _FIRST_ONLY else None]
    constant = [name for name in sources if reader.is_constant(name)]
    if constant:
        raise InputError(
            f"node {node.name}: {node.op_type} of a tensor and the constant {constant[0]!r} cannot be read"
        )
    layer, first, read = reader.layer_of(sources[0]), 1, dict[str, Any]()
    for name in dict.fromkeys(sources):
        known = reader.tensor(name)
        read[name] = np.arange(first, first + known.size, dtype=np.int64).reshape(1, *known.shape)
        first += known.size
    inputs = [read[name] if name in read else reader.as_given(name) if name else None for name in node.input]
    for output in filter(None, node.output):
        reader.check_values(node, int(np.prod(reader.shape_of(output), dtype=object)))
    outputs = node.output[:1] if node.op_type == "Dropout" else node.output
    for place, (output, table) in enumerate(zip(outputs, reader.evaluate(node, inputs), strict=False)):
        if output:
            name = node.name if place == 0 else f"{node.name}_{place}"
            kind = node.op_type.lower()
            arrange = Arrange(
                name=name,
                inputs=tuple(read),
                output=output,
                layer=layer,
                table=table[0].astype(np.int64) - 1,
                kind=kind,
            )
            reader.nodes.append(arrange)


def _pads_other_than_zero(reader: Reader, node: onnx.NodeProto) -> bool:
    """Whether a Pad node adds constants other than zero; the edge, or its reflection, is no constant."""
    given = reader.attributes(node)
    value = reader.values(node.input[2]) if len(node.input) > 2 and node.input[2] else given.get("value", 0.0)
    return given.get("mode", "constant") == "constant" and bool(np.any(value))


def check_batch(reader: Reader, node: onnx.NodeProto) -> None:
    """Check that a node keeps the events apart.

    Raises:
        InputError: it moves, cuts or joins along the batch axis.
    """
    given = reader.attributes(node)
    axes_count = len(reader.tensor(node.input[0]).shape) + 1
    touched = {
        "Transpose": [0] if given.get("perm", [1])[0] != 0 else [],
        "Concat": [given.get("axis", 1)],
        "Split": [given.get("axis", 0)],
        "Gather": [given.get("axis", 0)],
        "Flatten": [given.get("axis", 1)],
    }.get(node.op_type, [])
    if any(int(axis) % axes_count == 0 for axis in touched):
        raise InputError(f"node {node.name}: {node.op_type} along the batch axis mixes events; leave that axis alone")
