"""Evaluate: single ONNX nodes of constants, by ONNX' own reference; and what their attributes say."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper
from onnx.reference import ReferenceEvaluator

from nanotrigger.errors import InputError

QUANTIZERS = ("Quant", "BipolarQuant")
CHANNELS_LAST = "qonnx.custom_op.channels_last"  # domain of nodes whose channels are the last axis

MOVES = (
    *("Identity", "Dropout", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Concat"),
    *("Split", "Pad", "Expand", "Tile", "DepthToSpace", "SpaceToDepth", "Resize"),
)
"""Nodes that put values in other places and change none."""

FOLDED = (
    *MOVES,
    *("Add", "Sub", "Mul", "Div", "Neg", "Abs", "Sqrt", "Pow", "Reciprocal", "Min", "Max", "Clip", "Floor", "Ceil"),
    *("Cast", "ConstantOfShape", "Range", "Equal", "Not", "Where", "ReduceSum", "ReduceMean", "ReduceProd", "MatMul"),
)
"""Nodes that are computed before the network runs if they read constants only."""


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """Return a node's attributes by name; text as str."""
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def evaluate(node: onnx.NodeProto, inputs: Sequence[NDArray[Any] | None], opset: int) -> list[NDArray[Any]]:
    """Return what a node computes.

    Args:
        node: of the standard operators.
        inputs: in the node's order, None for one that is left out.
        opset: version of the operators.

    Raises:
        InputError: it cannot be computed, with ONNX' reason.
    """
    given = {name: values for name, values in zip(node.input, inputs, strict=True) if name and values is not None}
    ends = [
        [onnx.ValueInfoProto(name=name) for name in names if name] for names in (dict.fromkeys(node.input), node.output)
    ]
    graph = helper.make_graph([node], "one node", *ends)
    try:
        with np.errstate(all="ignore"):
            return [np.asarray(found) for found in ReferenceEvaluator(graph, opsets={"": opset}).run(None, given)]
    except Exception as error:  # of whatever the reference raises
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise InputError(f"node {node.name}: {node.op_type} cannot be computed ({reason[:200]})") from None
