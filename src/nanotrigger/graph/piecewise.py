"""Functions of a few straight pieces: bounds, leaky ReLU and sign."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanotrigger.datapath.assembly import Assembly, Products, Term
from nanotrigger.datapath.operations import Range
from nanotrigger.graph.node import Node, Tensor, Words, as_wide_as, exponent_of, shifted_up
from nanotrigger.numbers import FixedPoint


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip(Node):
    """Values within bounds, such as HardTanh, or ReLU6.

    Attributes:
        low, high: bounds as words; None where there is none.
        exponent: the power of two that a word of the bounds is worth.
    """

    low: int | None
    high: int | None
    exponent: int

    joins_layer = True

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "clip"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the range within the bounds, in the finer of both steps."""
        (source,) = inputs
        exponent = min(source.exponent, self.exponent)
        words = source.words * (1 << (source.exponent - exponent))
        return Tensor(source.shape, exponent, Range(*(self._bounded(end, exponent) for end in (words.low, words.high))))

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return words within the bounds."""
        (words,), (source,) = inputs, of
        exponent, (low, high) = self.infer(source).exponent, self._bounds(self.infer(source).exponent)
        shift = source.exponent - exponent
        bounds = [bound for bound in (low, high) if bound is not None]
        widest = max([source.words.bits + shift, *(bound.bit_length() for bound in bounds)]) + 1
        words = shifted_up(as_wide_as(words, widest), shift)
        words = words if low is None else np.maximum(words, low)
        return words if high is None else np.minimum(words, high)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add comparisons with the bounds, a ReLU for a lower bound of zero."""
        (signals,), (source,) = inputs, of
        exponent = self.infer(source).exponent
        low, high = self._bounds(exponent)
        found = []
        for signal in signals:
            signal = assembly.offset(self.layer, Term(signal, 1, source.exponent - exponent), 0)
            words = assembly.range_of(signal)
            if low == 0 and words.low < 0:
                above = Range(0, max(words.high, 0))
                signal = assembly.quantize(self.layer, signal, above, 0, relu=True, exact=False)
            for bound, larger in ((low, True), (high, False)):
                if bound is not None and not (larger and bound == 0):
                    limit = assembly.offset(self.layer, None, bound)
                    signal = assembly.select(self.layer, signal, limit, larger=larger)
            found.append(signal)
        return found

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say the bounds."""
        low, high = ("-" if bound is None else f"{bound * 2.0**self.exponent:g}" for bound in (self.low, self.high))
        return (f"result within {low} and {high}",)

    def _bounds(self, exponent: int) -> tuple[int | None, int | None]:
        shift = self.exponent - exponent
        low, high = (None if bound is None else bound << shift for bound in (self.low, self.high))
        return low, high

    def _bounded(self, word: int, exponent: int) -> int:
        low, high = self._bounds(exponent)
        word = word if low is None else max(word, low)
        return word if high is None else min(word, high)


@dataclass(frozen=True, kw_only=True, eq=False)
class LeakyRelu(Node):
    """Negative values times a slope between 0 and 1: the larger one of a value and its product with the slope.

    Attributes:
        slope: a word.
        slope_exponent: the power of two that it is worth, at most 0.
    """

    slope: int
    slope_exponent: int

    joins_layer = True

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "leaky ReLU"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the range, in words as fine as the products."""
        (source,) = inputs
        return Tensor(source.shape, source.exponent + self.slope_exponent, self._leaky(source.words))

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return the larger words."""
        words = as_wide_as(inputs[0], of[0].words.bits - self.slope_exponent + 1)
        return np.maximum(words << -self.slope_exponent, words * self.slope)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add a product and a comparison for each value."""
        return [self._lower(assembly, signal) for signal in inputs[0]]

    def bit_operations(self, *inputs: Tensor) -> int:
        """Return the bits of the slope times those of the input, for each value."""
        return self.slope.bit_length() * inputs[0].bits * inputs[0].size

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say the slope."""
        return (f"result behind a leaky ReLU of slope {self.slope * 2.0**self.slope_exponent:g}",)

    def _lower(self, assembly: Assembly, signal: int) -> int:
        whole = assembly.offset(self.layer, Term(signal, 1, -self.slope_exponent), 0)
        if assembly.range_of(signal).low >= 0:
            return whole
        product = Products(assembly, self.layer, signal).times(self.slope)
        return assembly.select(self.layer, whole, assembly.offset(self.layer, product, 0), larger=True)

    def _leaky(self, words: Range) -> Range:
        return Range(*(max(end << -self.slope_exponent, end * self.slope) for end in (words.low, words.high)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Sign(Node):
    """Plus or minus one step; zero counts as positive (BipolarQuant, and Quant of one signed bit).

    Attributes:
        number: the binary format.
    """

    number: FixedPoint

    joins_layer = True

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "sign"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return both words, or the one that can occur, in the two bits that hold them."""
        (words,) = (source.words for source in inputs)
        ends = Range(*(1 if end >= 0 else -1 for end in (words.low, words.high)))
        return Tensor(inputs[0].shape, exponent_of(self.number.step), ends, self.number.carrier)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return +1 or -1."""
        return np.where(inputs[0] >= 0, 1, -1).astype(np.int64)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Take the sign bit, of which the result is made without logic."""
        found = []
        for signal in inputs[0]:
            words = assembly.range_of(signal)
            if words.low >= 0 or words.high < 0:
                found.append(assembly.offset(self.layer, None, 1 if words.low >= 0 else -1))
                continue
            sign = assembly.quantize(self.layer, signal, Range(-1, 0), words.bits - 1, relu=False, exact=False)
            found.append(assembly.offset(self.layer, Term(sign, 1, 1), 1))
        return found

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say what a word is worth."""
        return (f"result as plus or minus {self.number.step:g}",)
