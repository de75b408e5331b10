"""Quantize: a tensor in another format, if need be with a ReLU before it; and ReLU alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nanotrigger.datapath.assembly import Assembly, Products, Term
from nanotrigger.datapath.operations import Kind, Range, rounded, wrapped
from nanotrigger.graph.node import Node, Tensor, Words, as_wide_as, exponent_of
from nanotrigger.numbers import FixedPoint


@dataclass(frozen=True)
class Rounding:
    """How low bits are dropped: something is added, and what is left is cut off, towards minus infinity.

    Attributes:
        words: how one says it.
        added: what is added if so many bits are dropped; and to negative words besides.
    """

    words: str
    added: Callable[[int], tuple[int, int]]


HALF_EVEN = "ROUND"

ROUNDINGS = {
    HALF_EVEN: Rounding("to nearest, ties to even", lambda drop: (0, 0)),  # what is added depends on the word
    "FLOOR": Rounding("towards minus infinity", lambda drop: (0, 0)),
    "CEIL": Rounding("towards infinity", lambda drop: ((1 << drop) - 1, 0)),
    "UP": Rounding("away from zero", lambda drop: ((1 << drop) - 1, 1 - (1 << drop))),
    "DOWN": Rounding("towards zero", lambda drop: (0, (1 << drop) - 1)),
    "HALF_UP": Rounding("to nearest, ties away from zero", lambda drop: (1 << drop >> 1, -1)),
    "HALF_DOWN": Rounding("to nearest, ties towards zero", lambda drop: ((1 << drop >> 1) - 1, 1)),
}
"""QONNX' rounding modes, by their names there (`qonnx.custom_op.general.intquant`)."""


@dataclass(frozen=True)
class Conversion:
    """How a word is brought to a format.

    Attributes:
        number: the format.
        exact: round and saturate, as a quantizer does; else truncate and wrap, hls4ml's default.
        rounding: how a quantizer rounds, one of `ROUNDINGS`.
    """

    number: FixedPoint
    exact: bool = True
    rounding: str = HALF_EVEN

    def __str__(self) -> str:
        return f"{self.number} ({self.modes})"

    @property
    def modes(self) -> str:
        """Rounding and overflow, in words."""
        return f"{ROUNDINGS[self.rounding].words}, saturated" if self.exact else "cut off, wraps around"

    @property
    def words(self) -> Range:
        """All words of the format."""
        return Range(self.number.minimum_word, self.number.maximum_word)

    def drop(self, exponent: int) -> int:
        """Return how many low bits go of words that are worth two to the power of `exponent`; negative to append."""
        return exponent_of(self.number.step) - exponent

    def range_of(self, source: Range, drop: int, *, relu: bool) -> Range:
        """Return the words of the format that can occur."""
        ends = (max(end, 0) if relu else end for end in (source.low, source.high))
        free = Range(*(int(self._rounded(np.array(end, object), drop)) for end in ends))
        if not self.exact:
            return free if free in self.words else self.words
        return Range(*(min(max(end, self.words.low), self.words.high) for end in (free.low, free.high)))

    def apply(self, words: Words, drop: int, *, relu: bool) -> Words:
        """Return words in the format, of words in a type that is wide enough."""
        kept = self._rounded(np.maximum(words, 0) if relu else words, drop)
        if self.exact:
            return np.clip(kept, self.words.low, self.words.high).astype(np.int64)
        return wrapped(kept, self.words).astype(np.int64)

    def lower(self, assembly: Assembly, layer: str, signal: int, drop: int, *, relu: bool) -> int:
        """Add the change of format of a signal; return the result."""
        if drop <= 0 or not self.exact or self.rounding == HALF_EVEN:
            return assembly.quantize(layer, signal, self.words, drop, relu=relu, exact=self.exact)
        words, (constant, negative) = assembly.range_of(signal), ROUNDINGS[self.rounding].added(drop)
        if words.is_constant:
            return assembly.offset(layer, None, self.range_of(words, drop, relu=relu).low)
        if constant and relu and words.low < 0:
            words, relu = Range(0, max(words.high, 0)), False
            signal = assembly.quantize(layer, signal, words, 0, relu=True, exact=False)
        term = Term(signal)
        if negative and words.low < 0 and not relu:
            sign = assembly.quantize(layer, signal, Range(-1, 0), words.bits - 1, relu=False, exact=False)
            pair = term, Products(assembly, layer, sign).times(-negative)
            ends = [words.low + negative, min(words.high, -1) + negative] + [0, words.high] * (words.high >= 0)
            term = assembly.add(layer, Kind.ACTIVATION, pair, words=Range(min(ends), max(ends)))
        added = assembly.offset(layer, term, constant)
        return assembly.quantize(layer, added, self.words, drop, relu=relu, exact=True, cut=True)

    def _rounded(self, words: Words, drop: int) -> Words:
        if drop <= 0 or not self.exact or self.rounding == HALF_EVEN:
            return rounded(words, drop, half_to_even=self.exact)
        constant, negative = ROUNDINGS[self.rounding].added(drop)
        return (words + constant + np.where(words < 0, negative, 0)) >> drop


def conversion_of(number: FixedPoint) -> Conversion:
    """Return the conversion to a format that rounds as the format says."""
    return Conversion(replace(number, rounding="nearest"), rounding="FLOOR" if number.rounds_down else HALF_EVEN)


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantize(Node):
    """A quantizer, or an activation with one.

    Attributes:
        conversion: to the format.
        relu: whether negative values become zero first.
    """

    conversion: Conversion
    relu: bool = False

    joins_layer = True

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "ReLU" if self.relu else "quantizer"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the words of the format that can occur."""
        (source,) = inputs
        number = self.conversion.number
        words = self.conversion.range_of(source.words, self._drop(source), relu=self.relu)
        return Tensor(source.shape, exponent_of(number.step), words, number)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return rounded words, saturated or wrapped around."""
        (words,), (source,) = inputs, of
        drop = self._drop(source)
        words = as_wide_as(words, max(source.words.bits + max(-drop, 0), drop) + 1)
        return self.conversion.apply(words, drop, relu=self.relu)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add a change of format for each value."""
        (signals,), (source,) = inputs, of
        drop, conversion = self._drop(source), self.conversion
        return [conversion.lower(assembly, self.layer, signal, drop, relu=self.relu) for signal in signals]

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say the format of the result."""
        behind = " behind a ReLU" if self.relu else ""
        return (f"result as {self.conversion.number}{behind} ({self.conversion.modes})",)

    def _drop(self, source: Tensor) -> int:
        return self.conversion.drop(source.exponent)


@dataclass(frozen=True, kw_only=True, eq=False)
class Relu(Node):
    """A ReLU whose result keeps the full precision of what it reads."""

    joins_layer = True

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "ReLU"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the same without negative words."""
        (source,) = inputs
        return Tensor(source.shape, source.exponent, self._words(source.words))

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return zero where words are negative."""
        return np.maximum(inputs[0], 0)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Clear negative words."""
        return [
            assembly.quantize(self.layer, signal, self._words(assembly.range_of(signal)), 0, relu=True, exact=False)
            for signal in inputs[0]
        ]

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say that it is there."""
        return ("result behind a ReLU, in full precision",)

    def _words(self, words: Range) -> Range:
        return Range(max(words.low, 0), max(words.high, 0))
