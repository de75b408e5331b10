"""Pool: the largest of several values, as in max-pooling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanotrigger.datapath.assembly import Assembly
from nanotrigger.graph.gather import Table, Windows
from nanotrigger.graph.node import Node, Tensor, Words


@dataclass(frozen=True, kw_only=True, eq=False)
class MaxPool(Node):
    """The largest word of each window.

    Attributes:
        windows: positions among the input's values, shape (outputs, values of a window); -1 is none.
        shape: of the output.
        sliding: the same windows, which slide over all axes but the first one, the channels; None if they do not.
    """

    windows: Table
    shape: tuple[int, ...]
    sliding: Windows | None = None

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "max-pooling"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the same format."""
        (source,) = inputs
        return Tensor(self.shape, source.exponent, source.words, source.number)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return the largest words."""
        flat = inputs[0].reshape(len(inputs[0]), -1)
        # a value beyond the edge counts as one within: every window has one
        inside = np.where(self.windows < 0, self.windows.max(axis=1, keepdims=True), self.windows)
        largest = flat[:, inside[:, 0]]
        for column in inside.T[1:]:
            largest = np.maximum(largest, flat[:, column])
        return largest.reshape(len(flat), *self.shape)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add a balanced tree of comparisons for each window."""
        (signals,) = inputs
        return [
            self._largest(assembly, [signals[place] for place in window if place >= 0])
            for window in self.windows.tolist()
        ]

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say how many values are compared."""
        return (f"{self.name}: the largest of up to {self.windows.shape[1]} values",)

    def _largest(self, assembly: Assembly, signals: list[int]) -> int:
        while len(signals) > 1:
            pairs = zip(signals[::2], signals[1::2], strict=False)
            larger = [assembly.select(self.layer, *pair, larger=True) for pair in pairs]
            signals = larger + signals[2 * len(larger) :]
        return signals[0]
