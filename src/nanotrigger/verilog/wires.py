"""Wires: named words of a Verilog module, and the sums and offsets of them in the width of the wire that takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from nanotrigger.datapath.operations import Offset, Range, Sum


@dataclass(frozen=True)
class Wire:
    """A word.

    Attributes:
        name: in the module; of no use if the word has no bits.
        bits: width of the declaration.
        range: of the signal. If it needs more bits than there are, only the low ones matter to all who read them.
    """

    name: str
    bits: int
    range: Range

    @property
    def signed(self) -> bool:
        """Whether the word is declared as two's complement."""
        return self.range.low < 0

    @property
    def type(self) -> str:
        """Signedness and width of the declaration."""
        return f"{'signed ' if self.signed else ''}[{self.bits - 1}:0]"

    def read(self, *, signed: bool) -> str:
        """Return the word in an expression that is signed, or in one of which all parts are unsigned."""
        if not self.bits:
            return literal(self.range.low if self.range.is_constant else 0, 1, signed=signed)
        return self.name if self.signed or not signed else f"$signed({{1'b0, {self.name}}})"

    def slice(self, high: int, low: int) -> str:
        """Return the bits from `high` down to `low`, both included."""
        if low == 0 and high == self.bits - 1:
            return self.name
        return f"{self.name}[{high}]" if high == low else f"{self.name}[{high}:{low}]"


def literal(word: int, bits: int, *, signed: bool) -> str:
    """Return a word as a number of at least `bits` bits.

    >>> literal(5, 4, signed=False), literal(-5, 4, signed=True)
    ("4'd5", "-4'sd5")
    """
    bits = max(bits, abs(word).bit_length() + signed, 1)  # the sign stands apart, so that the size must fit
    return f"{'-' if word < 0 else ''}{bits}'{'s' if signed else ''}d{abs(word)}"


def shifted(expression: str, shift: int) -> str:
    """Return an expression shifted up within the width of the assignment that it is part of.

    >>> shifted("x", 2), shifted("x", 0)
    ('(x <<< 2)', 'x')
    """
    return f"({expression} <<< {shift})" if shift else expression


def assigned(wire: Wire, expression: str) -> str:
    """Return the declaration of a wire that carries an expression.

    >>> assigned(Wire("sum", 4, Range(-8, 7)), "a + b")
    'wire signed [3:0] sum = a + b;'
    """
    return f"wire {wire.type} {wire.name} = {expression};"


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
