"""Wires: named words of a Verilog module; sums, offsets and roundings of them in the width of the wire they go to."""

from collections.abc import Sequence
from dataclasses import dataclass

from nanotrigger.datapath.operations import Offset, Quantize, Range, Select, Sum, rounded_range


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


def select_statements(operation: Select, result: Wire, operands: Sequence[Wire]) -> list[str]:
    """Return the declarations that choose between two words by the sign of their difference, `result` included."""
    left, right = operands
    whole = Range(min(left.range.low, right.range.low), max(left.range.high, right.range.high))
    difference = Wire(f"{result.name}_difference", whole.bits + 1, Range(-1, 0))
    words = [
        wire.read(signed=True) if wire.bits else literal(wire.range.low, whole.bits, signed=True) for wire in operands
    ]
    negative = difference.slice(whole.bits, whole.bits)
    choices = reversed(words) if operation.larger else words
    first, second = choices
    return [
        assigned(difference, f"{words[0]} - {words[1]}"),
        assigned(result, f"{negative} ? {first} : {second}"),
    ]


def _side_by_side(left: Wire, right: Wire, shift: int) -> str:
    gap = shift - left.bits
    zeros = [f"{gap}'d0"] if gap else []
    return f"{{{', '.join([right.name, *zeros, *([left.name] if left.bits else [])])}}}"


def _constant(word: int, bits: int, *, signed: bool) -> str:
    """Return a constant in exactly `bits` bits, modulo what they hold, so that it never widens the expression."""
    return f"{bits}'{'s' if signed else ''}d{word % (1 << bits)}"


@dataclass(frozen=True)
class _Kept:
    """The bits that stay, before the target's range bounds them: declarations, and the wire that holds them."""

    statements: tuple[str, ...]
    wire: Wire


def quantize_statements(operation: Quantize, result: Wire, source: Wire) -> list[str]:
    """Return the declarations that bring `source` to the format of `result`, `result` included."""
    at_zero = operation.relu or (operation.saturates and operation.target.low == 0)
    cut = at_zero and source.signed
    if not operation.saturates:
        return [assigned(result, _truncated(operation, result, source, cut=cut))]
    free = rounded_range(source.range, operation.drop, relu=at_zero, half_to_even=operation.rounds)
    kept = _kept(operation, source, Wire(f"{result.name}_kept", free.bits, free))
    choices = _bounds(operation.target, result, kept.wire)
    if cut:
        choices.insert(0, (source.slice(source.bits - 1, source.bits - 1), literal(0, result.bits, signed=False)))
    value = kept.wire.slice(min(result.bits, kept.wire.bits) - 1, 0)
    expression = "".join(f"{condition} ? {word} : " for condition, word in choices) + value
    return [*kept.statements, assigned(result, expression)]


def _truncated(operation: Quantize, result: Wire, source: Wire, *, cut: bool) -> str:
    shift = f"{'>>>' if operation.drop > 0 else '<<<'} {abs(operation.drop)}"
    word = source.read(signed=source.signed)
    word = f"{word} {shift}" if operation.drop else word
    if cut:
        sign = source.slice(source.bits - 1, source.bits - 1)
        return f"{sign} ? {literal(0, result.bits, signed=True)} : {word}"
    return word


def _kept(operation: Quantize, source: Wire, kept: Wire) -> _Kept:
    drop = operation.drop
    if drop == 0:
        return _Kept((), Wire(source.name, kept.bits, kept.range))
    if drop < 0:
        return _Kept((assigned(kept, f"{source.name} <<< {-drop}"),), kept)
    if not operation.rounds:
        return _Kept((assigned(kept, f"{source.read(signed=source.signed)} >>> {drop}"),), kept)
    up = f"{kept.name.removesuffix('_kept')}_up"
    incremented = assigned(kept, _incremented(source, drop, up, signed=kept.signed))
    return _Kept((f"wire {up} = {_rounds_up(source, drop)};", incremented), kept)


def _rounds_up(source: Wire, drop: int) -> str:
    """Return whether the dropped bits are more than a half, or a half above an odd word."""
    odd = [source.slice(drop, drop)] if drop < source.bits else []
    rest = [f"(|{source.slice(drop - 2, 0)})"] if drop > 1 else []
    return f"{source.slice(drop - 1, drop - 1)} & ({' | '.join(odd + rest)})"


def _incremented(source: Wire, drop: int, up: str, *, signed: bool) -> str:
    if drop >= source.bits:
        return up
    upper = source.slice(source.bits - 1, drop)
    return f"$signed({upper}) + $signed({{1'b0, {up}}})" if signed else f"{upper} + {up}"


def _bounds(target: Range, result: Wire, kept: Wire) -> list[tuple[str, str]]:
    """Return conditions under which the word lies beyond the target, with the word that it then becomes."""
    choices = []
    size = target.high.bit_length()  # bits of a magnitude within the target
    sign = kept.slice(kept.bits - 1, kept.bits - 1)
    if kept.range.high > target.high:
        upper = f"(|{kept.slice(kept.bits - 1 - kept.signed, size)})"
        above = f"(~{sign} & {upper})" if kept.signed else upper
        choices.append((above, literal(target.high, result.bits, signed=False)))
    if kept.range.low < target.low:
        inside = [f"(&{kept.slice(kept.bits - 2, size)})"] if kept.bits - 2 >= size else []
        if target.low > ~target.high:  # narrow: the most negative word is outside as well
            inside.append(f"(|{kept.slice(size - 1, 0)})")
        below = f"{sign} & ~({' & '.join(inside)})"
        choices.append((f"({below})", literal(target.low % (1 << result.bits), result.bits, signed=False)))
    return choices
