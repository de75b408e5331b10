"""Assembly: operations made one after another, each with its exact range and its level."""

from typing import NamedTuple

from nanotrigger.datapath.operations import Input, Kind, Offset, Operation, Quantize, Range, Sum, rounded_range


class Term(NamedTuple):
    """`sign` times a signal shifted up by `shift` bits: how a signal is read, which costs nothing."""

    signal: int
    sign: int = 1
    shift: int = 0


class Assembly:
    """The operations made so far; a signal is known by its position among them."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._made: dict[Operation, int] = {}

    def append(self, operation: Operation) -> int:
        """Add an operation and return its position; a sum that was made before is used again, as synthesis does."""
        if isinstance(operation, Sum | Offset):
            if operation in self._made:
                return self._made[operation]
            self._made[operation] = len(self.operations)
        self.operations.append(operation)
        return len(self.operations) - 1

    def input(self, layer: str, column: int, words: Range) -> int:
        """Return the signal of an input word."""
        return self.append(Input(layer, Kind.INPUT, words, column))

    def range_of(self, signal: int) -> Range:
        """Return the range of a signal."""
        return self.operations[signal].range

    def level_of(self, signal: int) -> int:
        """Return the level of a signal."""
        return self.operations[signal].level

    def add(
        self, layer: str, kind: Kind, pair: tuple[Term, Term], *, positive: bool = False, words: Range | None = None
    ) -> Term:
        """Return the sum of two terms.

        The less shifted term is the minuend: its low bits pass unchanged, and a minus sign of the whole stays with
        the result.

        Args:
            layer: of the operation.
            kind: of the operation.
            pair: the terms.
            positive: make the sign of the result plus, if one adder can.
            words: range of the new signal; by default that of the sum of independent terms.
        """
        left, right = sorted(pair, key=lambda term: (term.shift, -term.sign, term.signal))
        shift, sign = right.shift - left.shift, left.sign
        right_sign = left.sign * right.sign
        left_sign = 1
        if positive and sign < 0 < right.sign:
            left_sign, right_sign, sign = -1, 1, 1
        if words is None:
            words = self.range_of(left.signal) * left_sign + self.range_of(right.signal) * (right_sign << shift)
        operation = Sum(layer, kind, words, 0, left.signal, left_sign, right.signal, right_sign, shift)
        level = max(self.level_of(left.signal), self.level_of(right.signal))
        free = operation.is_concatenation(self.range_of(left.signal))
        return Term(self.append(operation._replace(level=level + (not free))), sign, left.shift)

    def offset(self, layer: str, term: Term | None, constant: int) -> int:
        """Return a term plus a constant, or the constant alone, as a signal."""
        if term is None:
            return self.append(Offset(layer, Kind.TREE, Range(constant, constant), 0, None, 1, 0, constant))
        if term == Term(term.signal) and not constant:
            return term.signal
        words = self.range_of(term.signal) * (term.sign << term.shift) + Range(constant, constant)
        adds = term.sign < 0 or constant >> term.shift
        level = self.level_of(term.signal) + bool(adds)
        return self.append(Offset(layer, Kind.TREE, words, level, term.signal, term.sign, term.shift, constant))

    def quantize(self, layer: str, signal: int, target: Range, drop: int, *, relu: bool, exact: bool) -> int:
        """Return a signal in another format: rounded half to even and saturated if `exact`, else cut and wrapped."""
        source = self.range_of(signal)
        free = rounded_range(source, drop, relu=relu, half_to_even=exact)
        if exact:
            words = Range(*(min(max(end, target.low), target.high) for end in (free.low, free.high)))
        else:
            words = free if free in target else target
        works = (relu and source.low < 0) or (exact and (drop > 0 or free not in target))
        level = self.level_of(signal) + works
        return self.append(Quantize(layer, Kind.ACTIVATION, words, level, signal, relu, drop, exact, exact, target))
