"""Quantize: a tensor in another format, if need be with a ReLU before it; and ReLU alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanotrigger.datapath.assembly import Assembly
from nanotrigger.datapath.operations import Range, rounded, rounded_range, wrapped
from nanotrigger.graph.node import Node, Tensor, Words, as_wide_as, exponent_of
from nanotrigger.numbers import FixedPoint


@dataclass(frozen=True)
class Conversion:
    """How a word is brought to a format.

    Attributes:
        number: the format.
        exact: round half to even and saturate, as a quantizer does; else truncate and wrap, hls4ml's default.
    """

    number: FixedPoint
    exact: bool = True

    def __str__(self) -> str:
        return f"{self.number} ({self.modes})"

    @property
    def modes(self) -> str:
        """Rounding and overflow, in words."""
        return "to nearest, ties to even, saturated" if self.exact else "cut off, wraps around"

    @property
    def words(self) -> Range:
        """All words of the format."""
        return Range(self.number.minimum_word, self.number.maximum_word)


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
        number, target = self.conversion.number, self.conversion.words
        free = rounded_range(source.words, self._drop(source), relu=self.relu, half_to_even=self.conversion.exact)
        if self.conversion.exact:
            words = Range(*(min(max(end, target.low), target.high) for end in (free.low, free.high)))
        else:
            words = free if free in target else target
        return Tensor(source.shape, exponent_of(number.step), words, number)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return rounded words, saturated or wrapped around."""
        (words,), (source,) = inputs, of
        drop = self._drop(source)
        words = as_wide_as(words, source.words.bits + max(-drop, 0) + 1)
        words = rounded(np.maximum(words, 0) if self.relu else words, drop, half_to_even=self.conversion.exact)
        target = self.conversion.words
        if self.conversion.exact:
            return np.clip(words, target.low, target.high).astype(np.int64)
        return wrapped(words, target).astype(np.int64)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add a change of format for each value."""
        (signals,), (source,) = inputs, of
        drop, target = self._drop(source), self.conversion.words
        return [
            assembly.quantize(self.layer, signal, target, drop, relu=self.relu, exact=self.conversion.exact)
            for signal in signals
        ]

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say the format of the result."""
        behind = " behind a ReLU" if self.relu else ""
        return (f"result as {self.conversion.number}{behind} ({self.conversion.modes})",)

    def _drop(self, source: Tensor) -> int:
        return exponent_of(self.conversion.number.step) - source.exponent


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
