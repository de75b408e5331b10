"""Assembly: operations made one after another, each with its exact range and level; and products by constants."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from nanotrigger.datapath.operations import (
    Input,
    Kind,
    Offset,
    Operation,
    Quantize,
    Range,
    Select,
    Sum,
    bounded_range,
    rounded_range,
)


class Term(NamedTuple):
    """`sign` times a signal shifted up by `shift` bits: how a signal is read, which costs nothing."""

    signal: int
    sign: int = 1
    shift: int = 0


class Bound(NamedTuple):
    """What a sum that shares adders must keep to.

    Attributes:
        level: by which it should be ready, without its bias; None if that does not matter.
        is_read: whether anything depends on it.
    """

    level: int | None
    is_read: bool


class Assembly:
    """The operations made so far, and how many of them are inputs; a signal is known by its position.

    Args:
        bounds: of the values of each node whose sums share adders, by its name.
    """

    def __init__(self, bounds: Mapping[str, Sequence[Bound]] | None = None) -> None:
        self.bounds = bounds or {}
        self.operations: list[Operation] = []
        self.inputs = 0
        self._made: dict[Operation, int] = {}

    def append(self, operation: Operation) -> int:
        """Add an operation and return its position; one that was made before is used again, as synthesis does."""
        if not isinstance(operation, Input):
            if operation in self._made:
                return self._made[operation]
            self._made[operation] = len(self.operations)
        self.operations.append(operation)
        return len(self.operations) - 1

    def input(self, layer: str, column: int, words: Range) -> int:
        """Return the signal of an input word."""
        self.inputs += 1
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
            words: range of the sum; by default that of independent terms.
        """
        left, right = sorted(pair, key=lambda term: (term.shift, -term.sign, term.signal))
        shift, sign = right.shift - left.shift, left.sign
        right_sign = left.sign * right.sign
        left_sign = 1
        if positive and sign < 0 < right.sign:
            left_sign, right_sign, sign = -1, 1, 1
        if words is None:
            words = self.range_of(left.signal) * left_sign + self.range_of(right.signal) * (right_sign << shift)
        else:
            words = Range(words.low >> left.shift, words.high >> left.shift) * sign
        operation = Sum(layer, kind, words, 0, left.signal, left_sign, right.signal, right_sign, shift)
        level = max(self.level_of(left.signal), self.level_of(right.signal))
        free = operation.is_concatenation(self.range_of(left.signal))
        return Term(self.append(operation._replace(level=level + (not free))), sign, left.shift)

    def tree(self, layer: str, terms: list[Term]) -> Term | None:
        """Return the sum of all terms, None without any; those that are ready first are added first."""
        level = min((self.level_of(term.signal) for term in terms), default=0)
        while len(terms) > 1:
            ready = [term for term in terms if self.level_of(term.signal) <= level]
            late = [term for term in terms if self.level_of(term.signal) > level]
            pairs = zip(ready[::2], ready[1::2], strict=False)
            sums = [self.add(layer, Kind.TREE, pair, positive=len(terms) == 2) for pair in pairs]
            terms = sums + ready[2 * len(sums) :] + late
            level += 1
        return terms[0] if terms else None

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

    def quantize(
        self, layer: str, signal: int, target: Range, drop: int, *, relu: bool, exact: bool, cut: bool = False
    ) -> int:
        """Return a signal in another format: rounded half to even and saturated if `exact`, else cut and wrapped.

        With `cut` low bits are cut off before it saturates, which rounds towards minus infinity.
        """
        source, rounds = self.range_of(signal), exact and not cut
        free = rounded_range(source, drop, relu=relu, half_to_even=rounds)
        words = bounded_range(free, target, saturates=exact)
        works = (relu and source.low < 0) or (rounds and drop > 0) or (exact and free not in target)
        level = self.level_of(signal) + works
        return self.append(Quantize(layer, Kind.ACTIVATION, words, level, signal, relu, drop, rounds, exact, target))

    def select(self, layer: str, left: int, right: int, *, larger: bool) -> int:
        """Return the larger of two signals, or the smaller; one of them as it is if it always is the one."""
        first, second = self.range_of(left), self.range_of(right)
        if left == right or (first.low >= second.high if larger else first.high <= second.low):
            return left
        if second.low >= first.high if larger else second.high <= first.low:
            return right
        choose = max if larger else min
        words = Range(choose(first.low, second.low), choose(first.high, second.high))
        left, right = sorted((left, right))
        level = max(self.level_of(left), self.level_of(right)) + 1
        return self.append(Select(layer, Kind.COMPARISON, words, level, left, right, larger))


class Digit(NamedTuple):
    """One non-zero digit: `sign` times two to the power of `shift`."""

    sign: int
    shift: int


@cache
def signed_digits(constant: int) -> tuple[Digit, ...]:
    """Return the canonical signed digits of a constant, the lowest first: no two of them are neighbours.

    Source: G. W. Reitwiesner, Binary arithmetic, Advances in Computers 1 (1960) 231.

    >>> signed_digits(7)
    (Digit(sign=-1, shift=0), Digit(sign=1, shift=3))
    >>> signed_digits(-10)
    (Digit(sign=-1, shift=1), Digit(sign=-1, shift=3))
    >>> signed_digits(0)
    ()
    """
    digits = []
    shift = 0
    while constant:
        if constant & 1:
            sign = 2 - (constant & 3)  # 1 mod 4 leaves +1, 3 mod 4 leaves -1
            digits.append(Digit(sign, shift))
            constant -= sign
        constant >>= 1
        shift += 1
    return tuple(digits)


@cache
def odd_part(constant: int) -> tuple[int, int, int]:
    """Return (sign, odd, shift) with `constant == sign * odd * 2**shift`.

    >>> odd_part(-12)
    (-1, 3, 2)

    Raises:
        ValueError: the constant is zero.
    """
    if constant == 0:
        raise ValueError("zero has no odd part")
    size = abs(constant)
    shift = (size & -size).bit_length() - 1
    return (1 if constant > 0 else -1), size >> shift, shift


class Products:
    """The products of one signal; each odd multiple, and each partial sum on the way to one, is made once.

    A multiple is summed digit by digit from the top, as in Horner's rule: 11 x = (((x << 2) - x) << 2) - x.
    """

    def __init__(self, assembly: Assembly, layer: str, signal: int) -> None:
        self._assembly = assembly
        self._layer = layer
        self._signal = signal
        self._multiples = {1: signal}
        self._terms: dict[tuple[int, bool], Term] = {}

    def times(self, constant: int, *, positive: bool = False) -> Term:
        """Return the product with a constant other than zero.

        Args:
            constant: a word.
            positive: make the sign of the term plus, if the last adder can: nothing later will take a minus.
        """
        sign, odd, shift = odd_part(constant)
        if positive:
            sign, odd = 1, sign * odd
        if (odd, positive) not in self._terms:
            self._terms[odd, positive] = self._odd_multiple(odd, positive=positive)
        term = self._terms[odd, positive]
        return Term(term.signal, term.sign * sign, term.shift + shift)

    def _odd_multiple(self, odd: int, *, positive: bool) -> Term:
        top, *digits = reversed(signed_digits(odd))
        total, multiple = Term(self._signal, top.sign, top.shift), top.sign << top.shift
        for digit in digits:
            multiple += digit.sign << digit.shift
            pair = total, Term(self._signal, digit.sign, digit.shift)
            total = self._add(pair, multiple >> digit.shift, positive=positive and digit.shift == 0)
        return total

    def _add(self, pair: tuple[Term, Term], multiple: int, *, positive: bool) -> Term:
        """Return the sum of two terms, whose value is `multiple` times the signal, shifted as the lower of them."""
        low = min(pair, key=lambda term: term.shift)
        sign = 1 if positive and any(term.sign > 0 for term in pair) else low.sign
        made = sign * multiple
        if made not in self._multiples:
            words = self._assembly.range_of(self._signal) * (multiple << low.shift)
            term = self._assembly.add(self._layer, Kind.PRODUCT, pair, positive=positive, words=words)
            self._multiples[made] = term.signal
        return Term(self._multiples[made], sign, low.shift)
