"""What follows the network if a target asks for it: softmax, around the defects of hls4ml 1.3's tables, or squares.

`append_softmax` and `append_radius` change an ONNX graph in place.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nanotrigger.errors import InputError
from nanotrigger.firmware.record import PROBABILITIES, RADIUS
from nanotrigger.graph.onnx_file import append_node, append_quantizer, quantizer_node
from nanotrigger.numbers import FixedPoint

SOFTMAX = "softmax"  # hls4ml computes the tables for the right types only for a layer of this very name
WIDEN = "widen"  # the quantizer that brings logits to a format that the tables can read
_SQUARES = "squares"
_ONE = FixedPoint(2, 2)
_SMALLEST_INTEGER = 4
_LARGEST_INTEGER = 8  # bits; the tables double with each


def append_softmax(graph: onnx.GraphProto, logits: FixedPoint) -> dict[str, Any]:
    """Make probabilities the network's output, in place; return hls4ml's configuration of the new layer.

    The logits are widened first, exactly, if they are narrower than the index into the tables.

    Args:
        graph: a network whose output are the logits, shape (1, classes).
        logits: their format.

    Raises:
        InputError: the format reaches too far for the tables.
    """
    readable = readable_format(logits)
    if (readable.width, readable.integer) != (logits.width, logits.integer):
        append_quantizer(graph, readable, WIDEN)
    append_node(graph, helper.make_node("Softmax", [graph.output[0].name], [PROBABILITIES], name=SOFTMAX, axis=-1))
    classes = graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    return _configuration(classes, readable.integer)


def append_radius(graph: onnx.GraphProto) -> None:
    """Make Rz, the sum of the squares of the outputs (arXiv 2108.03986), the network's only output, in place.

    hls4ml infers a type that holds the squares exactly; a dense layer of ones, whose weights are quantized, adds them.

    Args:
        graph: a quantized network whose outputs are latent means, shape (1, means).
    """
    means = graph.output[0].name
    size = graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    append_node(graph, helper.make_node("Mul", [means, means], [_SQUARES], name=_SQUARES))
    ones = numpy_helper.from_array(np.ones((size, 1), np.float32), "ones_float")
    graph.initializer.append(ones)
    weights = quantizer_node(graph, ones.name, _ONE, "ones")
    graph.node.append(weights)
    for tensor in (ones.name, weights.output[0]):
        graph.value_info.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, [size, 1]))
    append_node(graph, helper.make_node("MatMul", [_SQUARES, weights.output[0]], [RADIUS], name=RADIUS))
    graph.output[0].CopyFrom(helper.make_tensor_value_info(RADIUS, TensorProto.FLOAT, [1, 1]))


def readable_format(logits: FixedPoint) -> FixedPoint:
    """Return the smallest format that holds all values of `logits` and that hls4ml's softmax can read.

    It is signed and has at least 4 integer bits, because differences of logits saturate at half the range,
    and exp(-8) is small enough. It has one bit more than the index that is cut from below the sign bit:
    narrower inputs abort the program.

    Raises:
        InputError: the logits have more than 8 integer bits.

    >>> str(readable_format(FixedPoint(8, 4))), str(readable_format(FixedPoint(12, 0, signed=False)))
    ('fixed<11,4>', 'fixed<16,4>')
    """
    integer = max(_SMALLEST_INTEGER, logits.integer + (not logits.signed))
    if integer > _LARGEST_INTEGER:
        raise InputError(
            f"softmax of {logits}: its tables serve at most {_LARGEST_INTEGER} integer bits, "
            "the sign bit included; choose a narrower format for the logits"
        )
    fraction = max(logits.width - logits.integer, _index_bits(integer) + 1 - integer)
    return FixedPoint(integer + fraction, integer)


def _configuration(classes: int, integer: int) -> dict[str, Any]:
    """Return hls4ml's configuration for `classes` logits with `integer` integer bits.

    hls4ml's default type for the sum of exponentials reaches to 128, so that the table of its inverse, for
    a sum from 1 to `classes`, has few entries: probabilities are off by up to 0.11. Just wide enough, the
    same table brings the error to 0.01. The keys with `_t` stand outside `Precision`, where hls4ml
    ignores them.
    """
    reach = 1 + classes.bit_length()
    return {
        "Precision": {"result": "fixed<18,2,RND_CONV,SAT>"},
        "exp_table_t": f"fixed<18,{reach},RND,SAT>",
        "inv_table_t": "fixed<18,2,RND,SAT>",
        "TableSize": 2 ** _index_bits(integer),
    }


def _index_bits(integer: int) -> int:
    """Return the bits of the tables' index: at least hls4ml's own 10, and steps of at most 1/32."""
    return max(10, integer + 4)
