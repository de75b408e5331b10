"""Expressions: what a sum or an offset of the datapath is in Verilog, in the width of the wire that takes it."""

from collections.abc import Sequence

from nanotrigger.datapath.operations import Offset, Sum
from nanotrigger.verilog.wire import Wire, shifted


def sum_expression(operation: Sum, operands: Sequence[Wire]) -> str:
    """Return the sum or difference of two words; both side by side if they do not overlap."""
    left, right = operands
    if operation.is_concatenation(left.range) and right.bits:
        return _side_by_side(left, right, operation.shift)
    signed = left.signed or right.signed
    lower, upper = left.read(signed=signed), shifted(right.read(signed=signed), operation.shift)
    if operation.left_sign < 0:
        return f"{upper} - {lower}"
    return f"{lower} {'+' if operation.right_sign > 0 else '-'} {upper}"


def offset_expression(operation: Offset, bits: int, source: Wire) -> str:
    """Return a shifted word, or its negative, plus a constant, for a wire of `bits` bits."""
    word = shifted(source.read(signed=source.signed), operation.shift)
    if operation.sign < 0:
        return f"{_constant(operation.constant, bits, signed=source.signed)} - {word}"
    if not operation.constant:
        return word
    if operation.constant > 0:
        return f"{word} + {_constant(operation.constant, bits, signed=source.signed)}"
    size = _constant(-operation.constant, bits, signed=source.signed)
    return f"{word} + (-{size})"  # a sum, since a difference would take one more adder bit for its carry


def _side_by_side(left: Wire, right: Wire, shift: int) -> str:
    gap = shift - left.bits
    zeros = [f"{gap}'d0"] if gap else []
    return f"{{{', '.join([right.name, *zeros, *([left.name] if left.bits else [])])}}}"


def _constant(word: int, bits: int, *, signed: bool) -> str:
    """Return a constant in exactly `bits` bits, modulo what they hold, so that it never widens the expression."""
    return f"{bits}'{'s' if signed else ''}d{word % (1 << bits)}"
