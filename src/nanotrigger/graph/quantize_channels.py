"""QuantizeChannels: a tensor each of whose channels has a format of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanotrigger.datapath.assembly import Assembly, Term
from nanotrigger.datapath.operations import Range
from nanotrigger.graph.node import Node, Tensor, Words, as_wide_as, exponent_of, shifted_up
from nanotrigger.graph.quantize import Conversion


@dataclass(frozen=True, kw_only=True, eq=False)
class QuantizeChannels(Node):
    """A quantizer of several formats; a word of the result is worth the finest step of all.

    Attributes:
        conversions: one for each value, as many as the tensor has.
        relu: whether negative values become zero first.
    """

    conversions: tuple[Conversion, ...]
    relu: bool = False

    joins_layer = True

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "ReLU" if self.relu else "quantizer"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the words of all formats, in the finest step."""
        (source,) = inputs
        exponent = self._exponent()
        ranges = [
            conversion.range_of(source.words, conversion.drop(source.exponent), relu=self.relu)
            * (1 << (exponent_of(conversion.number.step) - exponent))
            for conversion in dict.fromkeys(self.conversions)
        ]
        words = Range(min(one.low for one in ranges), max(one.high for one in ranges))
        return Tensor(source.shape, exponent, words)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return rounded and saturated words."""
        (words,), (source,) = inputs, of
        flat, exponent = words.reshape(len(words), -1), self._exponent()
        result = np.zeros(flat.shape, np.int64)
        for conversion in dict.fromkeys(self.conversions):
            drop = conversion.drop(source.exponent)
            wide = as_wide_as(flat, max(source.words.bits + max(-drop, 0), drop) + 1)
            places = [place for place, other in enumerate(self.conversions) if other == conversion]
            kept = conversion.apply(wide[:, places], drop, relu=self.relu)
            result[:, places] = shifted_up(kept, exponent_of(conversion.number.step) - exponent)
        return result.reshape(words.shape)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add a change of format for each value; the zeros below a coarser one cost nothing."""
        (signals,), (source,) = inputs, of
        exponent, found = self._exponent(), []
        for signal, conversion in zip(signals, self.conversions, strict=True):
            kept = conversion.lower(assembly, self.layer, signal, conversion.drop(source.exponent), relu=self.relu)
            shift = exponent_of(conversion.number.step) - exponent
            found.append(assembly.offset(self.layer, Term(kept, 1, shift), 0))
        return found

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say the formats of the result."""
        behind = " behind a ReLU" if self.relu else ""
        formats = dict.fromkeys(self.conversions)
        names = ", ".join(str(conversion.number) for conversion in formats)
        return (f"result by channel as {names}{behind} ({next(iter(formats)).modes})",)

    def _exponent(self) -> int:
        return min(exponent_of(conversion.number.step) for conversion in self.conversions)
