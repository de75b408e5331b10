"""Datapath: a network at reuse factor 1, every sum and every rounding an operation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.bits import Known, idle_bits, known_bits, needed_bits
from nanotrigger.datapath.operations import Input, Operation, Quantize, Words
from nanotrigger.numbers import FixedPoint

_MOST_BITS = 62  # of a word for which int64 is enough, sums of two such words included
_AT_ONCE = 1 << 24  # words that are held at a time


@dataclass(frozen=True)
class Section:
    """What a node of the network became.

    Attributes:
        node: its name.
        layer: to which its operations belong.
        signals: positions of what it computes.
    """

    node: str
    layer: str
    signals: tuple[int, ...]


@dataclass(frozen=True)
class Datapath:
    """Operations in an order in which each follows its operands.

    Attributes:
        operations: what computes each signal; a signal is known by its position.
        outputs: positions of the output words.
        output_bits: width of each output word at the firmware's interface.
        output_steps: value of one word of each output.
        input_formats: format of the words of each input of the network.
        sections: the network's nodes, in the order in which the data flow.
        remarks: what a reader should know of each layer, a few lines by its name.
    """

    operations: tuple[Operation, ...]
    outputs: tuple[int, ...]
    output_bits: tuple[int, ...]
    output_steps: tuple[float, ...]
    input_formats: tuple[FixedPoint, ...]
    sections: tuple[Section, ...] = ()
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def bits(self) -> tuple[int, ...]:
        """Low bits of each signal that matter for an output; 0 for a signal that is constant or of no use."""
        return needed_bits(self.operations, self.outputs)

    @cached_property
    def idle_bits(self) -> tuple[int, ...]:
        """Lowest bits of each signal that change no output, because they are cut and carry nothing."""
        return idle_bits(self.operations, self.bits, self.outputs)

    @cached_property
    def known(self) -> tuple[Known, ...]:
        """The bits of each signal that never change."""
        return known_bits(self.operations)

    @property
    def output_step(self) -> float | NDArray[np.float64]:
        """Value of one output word: a number, or one for each output word if they differ, shape (outputs,)."""
        first = self.output_steps[0]
        return first if set(self.output_steps) == {first} else np.array(self.output_steps)

    @property
    def input_width(self) -> int:
        """Bits in which each input word arrives: those of the widest."""
        return max(number.width for number in self.input_formats)

    @property
    def inputs(self) -> int:
        """Number of input words."""
        return sum(isinstance(operation, Input) for operation in self.operations)

    @property
    def depth(self) -> int:
        """Adders, or roundings, on the longest way from an input to an output."""
        return max(self.operations[output].level for output in self.outputs)

    def evaluate(self, inputs: Words) -> Words:
        """Return output words, shape (samples, outputs), of input words, shape (samples, inputs), exactly."""
        parts = [[signals[output] for output in self.outputs] for signals in self._signals(inputs)]
        return np.concatenate([np.stack(part, axis=1) for part in parts])

    def evaluate_nodes(self, inputs: Words) -> dict[str, Words]:
        """Return the words of every node, each of shape (samples, values), by its name."""
        parts: dict[str, list[Words]] = {section.node: [] for section in self.sections}
        for signals in self._signals(inputs):
            for section in self.sections:
                parts[section.node].append(np.stack([signals[at] for at in section.signals], axis=1))
        return {node: np.concatenate(words) for node, words in parts.items()}

    def _signals(self, inputs: Words) -> Iterator[list[Words]]:
        """Yield all signals, each of shape (samples,), of so few samples at a time that they take little memory."""
        words: NDArray[Any] = inputs.astype(object) if self._is_wide else inputs
        rows = max(_AT_ONCE // len(self.operations), 1)
        for start in range(0, len(words), rows):
            signals: list[Words] = []
            for operation in self.operations:
                signals.append(operation.evaluate(signals, words[start : start + rows]))
            yield signals

    @cached_property
    def _is_wide(self) -> bool:
        """Whether int64 is too narrow for some signal, so that Python's integers have to serve."""
        return any(
            operation.range.bits > _MOST_BITS or (isinstance(operation, Quantize) and operation.drop > _MOST_BITS)
            for operation in self.operations
        )
