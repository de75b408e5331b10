"""Operations: what a datapath is made of. Each computes one signal, an integer word of a known range."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int64]
Number = TypeVar("Number", int, Words)


@dataclass(frozen=True, slots=True)
class Range:
    """All integers from `low` to `high`, both included.

    >>> Range(0, 255) * -3 + Range(1, 1)
    Range(low=-764, high=1)
    """

    low: int
    high: int

    @property
    def is_constant(self) -> bool:
        """Whether there is but one value."""
        return self.low == self.high

    @property
    def bits(self) -> int:
        """Width of the word in bits, two's complement if a value is negative; 0 for a constant, which needs no wire.

        >>> Range(0, 4).bits, Range(-4, 3).bits, Range(-5, 3).bits, Range(7, 7).bits
        (3, 3, 4, 0)
        """
        if self.low == self.high:
            return 0
        if self.low >= 0:
            return self.high.bit_length()
        return max((~self.low).bit_length(), max(self.high, 0).bit_length()) + 1

    @property
    def bits_with_zero(self) -> int:
        """Width of a word that holds zero as well, and so a constant.

        >>> Range(7, 7).bits_with_zero, Range(-5, 3).bits_with_zero
        (3, 4)
        """
        return Range(min(self.low, 0), max(self.high, 0)).bits

    def __add__(self, other: "Range") -> "Range":
        """Return the range of the sum of two independent signals."""
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: int) -> "Range":
        """Return the range of the signal times a constant."""
        if factor >= 0:
            return Range(self.low * factor, self.high * factor)
        return Range(self.high * factor, self.low * factor)

    def __contains__(self, other: "Range") -> bool:
        """Whether every value of another range is one of this."""
        return self.low <= other.low and other.high <= self.high


class Kind(StrEnum):
    """What an operation is for."""

    INPUT = "input"
    PRODUCT = "products"
    SHARED = "shared adders"
    TREE = "adder tree"
    ACTIVATION = "activation"
    COMPARISON = "comparison"


class Input(NamedTuple):
    """The word `column` of the datapath's input."""

    layer: str
    kind: Kind
    range: Range
    column: int
    level: int = 0

    @property
    def operands(self) -> tuple[int, ...]:
        """None: the word comes from outside."""
        return ()

    def evaluate(self, signals: list[Words], inputs: Words) -> Words:
        """Return the words of this signal, shape (samples,), given those of earlier ones."""
        column: Words = inputs[:, self.column]
        return column


class Sum(NamedTuple):
    """`left_sign` times `left` plus `right_sign` times `right` shifted up by `shift` bits; not both signs are -1.

    Attributes:
        layer: name of the layer that it belongs to.
        kind: PRODUCT if it is part of a constant times a signal, SHARED if several sums have it, TREE if it adds
            products.
        range: of the result.
        level: adders on the longest way from the input, this one included.
        left, right: positions of the operands in the datapath.
        shift: at least 0.
    """

    layer: str
    kind: Kind
    range: Range
    level: int
    left: int
    left_sign: int
    right: int
    right_sign: int
    shift: int

    @property
    def operands(self) -> tuple[int, ...]:
        """Positions of the operands in the datapath."""
        return self.left, self.right

    def is_concatenation(self, left: Range) -> bool:
        """Whether the operands, the left one of range `left`, do not overlap: the result is both side by side."""
        return self.left_sign == self.right_sign == 1 and left.low >= 0 and left.high >> self.shift == 0

    def evaluate(self, signals: list[Words], inputs: Words) -> Words:
        """Return the words of this signal, shape (samples,), given those of earlier ones."""
        return self.left_sign * signals[self.left] + self.right_sign * (signals[self.right] << self.shift)


class Offset(NamedTuple):
    """`sign` times `source` shifted up by `shift` bits, plus a constant such as a bias.

    Attributes:
        layer, kind, range, level: as in `Sum`.
        source: position of the operand in the datapath; None if the result is the constant alone.
        sign: +1 or -1.
        shift: at least 0.
        constant: a word.
    """

    layer: str
    kind: Kind
    range: Range
    level: int
    source: int | None
    sign: int
    shift: int
    constant: int

    @property
    def operands(self) -> tuple[int, ...]:
        """Positions of the operands in the datapath."""
        return () if self.source is None else (self.source,)

    def evaluate(self, signals: list[Words], inputs: Words) -> Words:
        """Return the words of this signal, shape (samples,), given those of earlier ones."""
        if self.source is None:
            return np.full(len(inputs), self.constant, inputs.dtype)
        return self.sign * (signals[self.source] << self.shift) + self.constant


class Quantize(NamedTuple):
    """A signal brought to another format, after an optional ReLU.

    Attributes:
        layer, kind, range, level: as in `Sum`.
        source: position of the operand in the datapath.
        relu: whether negative values become zero first.
        drop: low bits to drop; negative to append zeros.
        rounds: to nearest, ties to even, if true; else towards minus infinity.
        saturates: if true; else the word wraps around.
        target: words of the format.
    """

    layer: str
    kind: Kind
    range: Range
    level: int
    source: int
    relu: bool
    drop: int
    rounds: bool
    saturates: bool
    target: Range

    @property
    def operands(self) -> tuple[int, ...]:
        """Positions of the operands in the datapath."""
        return (self.source,)

    def evaluate(self, signals: list[Words], inputs: Words) -> Words:
        """Return the words of this signal, shape (samples,), given those of earlier ones."""
        words = signals[self.source]
        words = rounded(np.maximum(words, 0) if self.relu else words, self.drop, half_to_even=self.rounds)
        if self.saturates:
            return np.clip(words, self.target.low, self.target.high)
        return wrapped(words, self.target)


class Select(NamedTuple):
    """The larger of two words, or the smaller.

    Attributes:
        layer, kind, range, level: as in `Sum`.
        left, right: positions of the operands in the datapath.
        larger: whether the larger one passes.
    """

    layer: str
    kind: Kind
    range: Range
    level: int
    left: int
    right: int
    larger: bool

    @property
    def operands(self) -> tuple[int, ...]:
        """Positions of the operands in the datapath."""
        return self.left, self.right

    def evaluate(self, signals: list[Words], inputs: Words) -> Words:
        """Return the words of this signal, shape (samples,), given those of earlier ones."""
        choose = np.maximum if self.larger else np.minimum
        words: Words = choose(signals[self.left], signals[self.right])
        return words


Operation = Input | Sum | Offset | Quantize | Select


def unshifted(operations: Sequence[Operation], signal: int) -> tuple[int, int]:
    """Return the signal that one is but for zeros below, and how many they are; itself and 0 if it has none."""
    operation = operations[signal]
    if not isinstance(operation, Offset) or operation.source is None or operation.sign < 0 or operation.constant:
        return signal, 0
    return operation.source, operation.shift


def rounded_range(source: Range, drop: int, *, relu: bool, half_to_even: bool) -> Range:
    """Return the range of a signal after ReLU and rounding, before its format bounds it.

    >>> rounded_range(Range(-9, 6), 2, relu=True, half_to_even=True)
    Range(low=0, high=2)
    """
    low, high = (max(end, 0) if relu else end for end in (source.low, source.high))
    return Range(*(rounded(end, drop, half_to_even=half_to_even) for end in (low, high)))


def bounded_range(words: Range, target: Range, *, saturates: bool) -> Range:
    """Return the range of rounded words in their format, whether they saturate or wrap around.

    >>> [bounded_range(Range(-9, 2), Range(-8, 7), saturates=saturates) for saturates in (True, False)]
    [Range(low=-8, high=2), Range(low=-8, high=7)]
    """
    if saturates:
        return Range(*(min(max(end, target.low), target.high) for end in (words.low, words.high)))
    return words if words in target else target


def rounded(words: Number, drop: int, *, half_to_even: bool) -> Number:
    """Return words without their lowest `drop` bits, rounded half to even or towards minus infinity.

    >>> rounded(np.array([1, 2, 3, 6, -2]), 2, half_to_even=True)
    array([0, 0, 1, 2, 0])
    """
    if drop <= 0:
        return words << -drop
    if not half_to_even:
        return words >> drop
    below_half = (1 << (drop - 1)) - 1
    return (words + below_half + ((words >> drop) & 1)) >> drop


def wrapped(words: Words, target: Range) -> Words:
    """Return words modulo the size of the target, within it: what is left if the upper bits are dropped.

    >>> wrapped(np.array([7, 8, -9]), Range(-8, 7))
    array([ 7, -8,  7])
    """
    return (words - target.low) % (target.high - target.low + 1) + target.low
