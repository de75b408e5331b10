"""Datapath: a network at reuse factor 1, in which every sum and every rounding is an operation of its own."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nanotrigger.datapath.known_bits import Known, known_bits
from nanotrigger.datapath.needed_bits import needed_bits
from nanotrigger.datapath.operations import Operation, Words


@dataclass(frozen=True)
class Datapath:
    """Operations in an order in which each follows its operands.

    Attributes:
        operations: what computes each signal; a signal is known by its position.
        outputs: positions of the output words.
        output_bits: width of each output word at the firmware's interface.
        output_step: value of one output word.
    """

    operations: tuple[Operation, ...]
    outputs: tuple[int, ...]
    output_bits: tuple[int, ...]
    output_step: float

    @cached_property
    def bits(self) -> tuple[int, ...]:
        """Low bits of each signal that matter for an output; 0 for a signal that is constant or of no use."""
        return needed_bits(self.operations, self.outputs)

    @cached_property
    def known(self) -> tuple[Known, ...]:
        """The bits of each signal that never change."""
        return known_bits(self.operations)

    @property
    def depth(self) -> int:
        """Adders, or roundings, on the longest way from an input to an output."""
        return max(self.operations[output].level for output in self.outputs)

    def evaluate(self, inputs: Words) -> Words:
        """Return output words, shape (samples, outputs), of input words, shape (samples, inputs).

        Exact as long as every sum has less than 64 bits.
        """
        signals: list[Words] = []
        for operation in self.operations:
            signals.append(operation.evaluate(signals, inputs))
        return np.stack([signals[output] for output in self.outputs], axis=1)
