"""Node: what every kind of node of an integer graph says of itself."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.assembly import Assembly
from nanotrigger.datapath.operations import Range
from nanotrigger.numbers import FixedPoint

Words = NDArray[Any]  # int64, or Python's integers where these are too narrow; the first dimension are the events

INPUT = "input"  # the layer to which the input words belong
INPUT_ROUNDINGS = {"ROUND": None, "FLOOR": np.floor, "CEIL": np.ceil, "DOWN": np.trunc}  # those of an input's values
MOST_BITS = 62  # of a word for which int64 is enough


@dataclass(frozen=True)
class Tensor:
    """What is known of a tensor before any event is.

    Attributes:
        shape: of the values of an event.
        exponent: the power of two that a word is worth. Of channels with formats of their own it is the finest one's;
            the words of the others are multiples.
        words: all words that it can take.
        number: its format; None if it has the full precision of a sum, or channels with formats of their own.
    """

    shape: tuple[int, ...]
    exponent: int
    words: Range
    number: FixedPoint | None = None

    @property
    def size(self) -> int:
        """Number of values of an event."""
        return math.prod(self.shape)

    @property
    def step(self) -> float:
        """What a word is worth."""
        return math.ldexp(1.0, self.exponent)

    @property
    def bits(self) -> int:
        """Width of the words: that of their format, or as wide as they grow."""
        return self.words.bits if self.number is None else self.number.width


@dataclass(frozen=True, kw_only=True, eq=False)
class Node(ABC):
    """A node of an integer graph: it computes one tensor from others.

    A kind of node is a subclass, and the only place that knows what the node does.

    Attributes:
        name: of the node, that of the network's layer where there is one.
        inputs: names of the tensors that it reads.
        output: name of the tensor that it computes.
        layer: to which its cost belongs.
    """

    name: str
    inputs: tuple[str, ...]
    output: str
    layer: str

    joins_layer: ClassVar[bool] = False  # whether the datasheet draws it into the box of the layer before it

    @property
    @abstractmethod
    def title(self) -> str:
        """What the datasheet's picture calls it."""

    @abstractmethod
    def infer(self, *inputs: Tensor) -> Tensor:
        """Return what is known of the output."""

    @abstractmethod
    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return the output's words, shape (events, *shape), exactly.

        Args:
            inputs: words, each of shape (events, *shape).
            of: what is known of the inputs.
        """

    @abstractmethod
    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add the operations that compute the output; return its signals, one for each value.

        Signals are in the order of the values in memory: the last axis of the shape runs fastest.

        Args:
            assembly: receives the operations.
            inputs: signals of the inputs.
            of: what is known of the inputs.
        """

    def bit_operations(self, *inputs: Tensor) -> int:
        """Return the effective bit operations of its products (HGQ, arXiv 2405.00645, eq. 5); none if it has none."""
        return 0

    def largest_sum(self, *inputs: Words, of: Sequence[Tensor]) -> int:
        """Return the largest word that a partial sum can have for these events, in whatever order is summed."""
        return 0

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Return what a reader of the Verilog should know of it, a line each."""
        return ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Input(Node):
    """An input of the network: words arrive in its format, so that it costs nothing.

    Attributes:
        shape: of the values of an event.
        number: format of the words.
        rounding: how values are brought to it, a rounding mode of QONNX.
    """

    shape: tuple[int, ...]
    number: FixedPoint
    rounding: str = "ROUND"

    @property
    def size(self) -> int:
        """Number of values of an event."""
        return math.prod(self.shape)

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "input"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the format."""
        words = Range(self.number.minimum_word, self.number.maximum_word)
        return Tensor(self.shape, exponent_of(self.number.step), words, self.number)

    def words(self, features: NDArray[np.float64]) -> Words:
        """Return the words that stand for features: rounded to the format and saturated."""
        rounds = INPUT_ROUNDINGS[self.rounding]
        return self.number.words(features if rounds is None else rounds(features / self.number.step) * self.number.step)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return the words as they are."""
        return inputs[0]

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Return a signal for each word."""
        known, first = self.infer(), assembly.inputs
        return [assembly.input(self.layer, first + place, known.words) for place in range(known.size)]

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say how many words arrive, and in which format."""
        return (f"Inputs: {self.size} words of type {self.number}",)


def exponent_of(step: float) -> int:
    """Return the power of two that a step is.

    >>> exponent_of(0.25)
    -2
    """
    return math.frexp(step)[1] - 1


def as_wide_as(words: Words, bits: int) -> Words:
    """Return words in a type in which integers of so many bits are exact."""
    return words.astype(object) if bits > MOST_BITS and words.dtype != object else words


def shifted_up(words: Words, shift: int) -> Words:
    """Return words times two to the power of `shift`, at least 0."""
    return words << shift if shift else words


def product_of(words: Words, weights: Words, bits: int) -> Words:
    """Return the matrix product, exactly, of sums that need at most so many bits.

    Floating point is used where it is exact and much faster.
    """
    if bits <= 53:
        return np.rint(words.astype(np.float64) @ weights.astype(np.float64)).astype(np.int64)
    return as_wide_as(words, bits) @ as_wide_as(weights, bits)
