"""Arrange: values in another order or shape, of one tensor or of several; it costs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanotrigger.datapath.assembly import Assembly, Term
from nanotrigger.datapath.operations import Range
from nanotrigger.graph.gather import Table
from nanotrigger.graph.node import Node, Tensor, Words, as_wide_as, shifted_up


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrange(Node):
    """Reshape, transpose, slice, pad, concatenate and the like.

    Attributes:
        table: positions among the values of all inputs, one input after the other, in the shape of the output; -1 is a
            zero.
        kind: what the datasheet calls it.
    """

    table: Table
    kind: str

    joins_layer = True

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return self.kind

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the range of all inputs, in the finest of their steps."""
        exponent = min(source.exponent for source in inputs)
        ranges = [source.words * (1 << (source.exponent - exponent)) for source in inputs]
        ranges += [Range(0, 0)] * bool((self.table < 0).any())
        words = Range(min(one.low for one in ranges), max(one.high for one in ranges))
        numbers = {source.number for source in inputs}
        return Tensor(self.table.shape, exponent, words, numbers.pop() if len(numbers) == 1 else None)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return the words in their new places."""
        known = self.infer(*of)
        parts = [
            shifted_up(as_wide_as(words, known.words.bits + 1), source.exponent - known.exponent).reshape(
                len(words), -1
            )
            for words, source in zip(inputs, of, strict=True)
        ]
        parts.append(np.zeros((len(inputs[0]), 1), np.int64))  # position -1
        return np.concatenate(parts, axis=1)[:, self.table]

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Return the same signals in their new places."""
        exponent, signals = self.infer(*of).exponent, []
        for known, source in zip(of, inputs, strict=True):
            shift = known.exponent - exponent
            signals += [assembly.offset(self.layer, Term(signal, 1, shift), 0) for signal in source]
        if (self.table < 0).any():
            signals.append(assembly.offset(self.layer, None, 0))
        return [signals[place] for place in self.table.ravel().tolist()]
