"""Wire: a named word of a Verilog module, and how expressions read it."""

from dataclasses import dataclass

from nanotrigger.datapath.ranges import Range


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
