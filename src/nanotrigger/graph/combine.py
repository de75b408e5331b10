"""Combine: two tensors that both change with the event, added or subtracted value by value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanotrigger.datapath.assembly import Assembly, Term
from nanotrigger.datapath.operations import Kind
from nanotrigger.graph.gather import Table
from nanotrigger.graph.node import Node, Tensor, Words, as_wide_as, shifted_up


@dataclass(frozen=True, kw_only=True, eq=False)
class Addition(Node):
    """The sum of two tensors, or their difference.

    Attributes:
        sign: of the second tensor, +1 or -1.
    """

    sign: int = 1

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "sum" if self.sign > 0 else "difference"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the range of the sum of independent tensors, in the finer of their steps.

        Raises:
            ValueError: the shapes do not fit.
        """
        exponent = min(source.exponent for source in inputs)
        left, right = (source.words * (1 << (source.exponent - exponent)) for source in inputs)
        shape = np.broadcast_shapes(*(source.shape for source in inputs))
        return Tensor(shape, exponent, left + right * self.sign)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return the sums."""
        left, right = self._aligned(inputs, of)
        return left + right if self.sign > 0 else left - right

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add an adder for each value."""
        exponent, shape = self.infer(*of).exponent, self.infer(*of).shape
        shifts = [source.exponent - exponent for source in of]
        places = [_places(source.shape, shape).ravel().tolist() for source in of]
        found = []
        for left, right in zip(*places, strict=True):
            terms = Term(inputs[0][left], 1, shifts[0]), Term(inputs[1][right], self.sign, shifts[1])
            found.append(self._sum(assembly, terms))
        return found

    def largest_sum(self, *inputs: Words, of: Sequence[Tensor]) -> int:
        """Return the sum of the magnitudes of both."""
        left, right = self._aligned(inputs, of)
        return int((np.abs(left) + np.abs(right)).max(initial=0))

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say what is added."""
        return (f"{self.name}: the {self.title} of {' and '.join(self.inputs)}",)

    def _sum(self, assembly: Assembly, terms: tuple[Term, Term]) -> int:
        ranges = [assembly.range_of(term.signal) for term in terms]
        for term, other, words in zip(terms, reversed(terms), ranges, strict=True):
            if words.is_constant:
                return assembly.offset(self.layer, other, term.sign * words.low << term.shift)
        return assembly.offset(self.layer, assembly.add(self.layer, Kind.TREE, terms, positive=True), 0)

    def _aligned(self, inputs: Sequence[Words], of: Sequence[Tensor]) -> list[Words]:
        """Return both tensors in the same step, with the axes that broadcasting adds."""
        known = self.infer(*of)
        bits, axes = known.words.bits + 1, len(known.shape)
        return [
            shifted_up(as_wide_as(words, bits), source.exponent - known.exponent).reshape(
                len(words), *[1] * (axes - len(source.shape)), *source.shape
            )
            for words, source in zip(inputs, of, strict=True)
        ]


def _places(shape: tuple[int, ...], result: tuple[int, ...]) -> Table:
    """Return which value of a tensor is read for each one of the result."""
    return np.broadcast_to(np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape), result)
