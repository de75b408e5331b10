"""Datapath: a network at reuse factor 1, every sum and every rounding an operation; and which of its bits matter.

Synthesis leaves out bits that can change no output, and those that never change.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.operations import (
    Input,
    Offset,
    Operation,
    Quantize,
    Range,
    Select,
    Sum,
    Words,
    rounded_range,
)
from nanotrigger.numbers import FixedPoint

_ALL = 1 << 30  # more than any word has


class Known(NamedTuple):
    """The bits of a two's complement word that are known, as masks, the lowest bit first (as LLVM's KnownBits).

    Attributes:
        zeros: bits that are always zero.
        ones: bits that are always one.
    """

    zeros: int = 0
    ones: int = 0

    @property
    def low(self) -> int:
        """How many of the lowest bits are known, up to the first that is not."""
        return _trailing_ones(self.zeros | self.ones)

    def is_known(self, bit: int) -> bool:
        """Whether a bit is known."""
        return bool((self.zeros | self.ones) >> bit & 1)

    def unknown(self, bits: int) -> int:
        """Return how many of the lowest bits are not known."""
        return bits - ((self.zeros | self.ones) & _mask(bits)).bit_count()


def known_bits(operations: Sequence[Operation]) -> tuple[Known, ...]:
    """Return the known bits of each signal, as far as shifts, constants and sums of known low bits tell."""
    known: list[Known] = []
    for operation in operations:
        if isinstance(operation, Sum):
            known.append(_of_sum(operation, known, operations[operation.left].range))
        elif isinstance(operation, Offset) and operation.source is not None:
            shifted = _shifted(known[operation.source], operation.shift)
            known.append(_lowest(operation.sign * shifted.ones + operation.constant, shifted.low))
        elif isinstance(operation, Quantize):
            known.append(_of_quantize(operation, known[operation.source], operations[operation.source].range))
        elif isinstance(operation, Select):
            known.append(_of_select(operation, known, operations))
        else:
            known.append(Known())
    return tuple(known)


def rounds_up(operation: Quantize, source: Known) -> bool | None:
    """Return whether the rounding of a quantizer always adds one, or never; None if it depends."""
    if not operation.rounds or operation.drop <= 0:
        return False
    if source.unknown(operation.drop):
        return None
    dropped, half = source.ones & _mask(operation.drop), 1 << (operation.drop - 1)
    if dropped == half:
        return bool(source.ones >> operation.drop & 1) if source.is_known(operation.drop) else None
    return dropped > half


def _of_sum(operation: Sum, known: Sequence[Known], left_range: Range) -> Known:
    left, right = known[operation.left], _shifted(known[operation.right], operation.shift)
    if operation.is_concatenation(left_range):
        gap = _mask(operation.shift) & ~_mask(left_range.bits)
        low = _mask(operation.shift)
        return Known(left.zeros & low | gap | right.zeros & ~low, left.ones & low | right.ones)
    low = min(left.low, right.low)
    return _lowest(operation.left_sign * left.ones + operation.right_sign * right.ones, low)


def _of_quantize(operation: Quantize, source: Known, words: Range) -> Known:
    """A word that is only cut keeps its known zeros, and its ones if no ReLU may clear them."""
    if rounds_up(operation, source) is not False:
        return Known()
    if rounded_range(words, operation.drop, relu=operation.relu, half_to_even=False) not in operation.target:
        return Known()
    kept = _shifted(source, -operation.drop)
    return Known(kept.zeros, 0 if operation.relu and words.low < 0 else kept.ones)


def _of_select(operation: Select, known: Sequence[Known], operations: Sequence[Operation]) -> Known:
    """A bit is known that is the same in both words."""
    left, right = (_word_known(known[at], operations[at].range) for at in operation.operands)
    return Known(left.zeros & right.zeros, left.ones & right.ones)


def _word_known(known: Known, words: Range) -> Known:
    """Return the known bits of a word, all of them if it is a constant."""
    if not words.is_constant:
        return known
    bits = max(words.low.bit_length(), (~words.low).bit_length()) + 1
    return _lowest(words.low, bits)


def _shifted(known: Known, shift: int) -> Known:
    if shift < 0:
        return Known(known.zeros >> -shift, known.ones >> -shift)
    return Known(known.zeros << shift | _mask(shift), known.ones << shift)


def _lowest(word: int, bits: int) -> Known:
    """Return that the lowest bits are those of a word."""
    return Known(~word & _mask(bits), word & _mask(bits))


def _mask(bits: int) -> int:
    return (1 << bits) - 1


def _trailing_ones(mask: int) -> int:
    return (~mask & (mask + 1)).bit_length() - 1


def needed_bits(operations: Sequence[Operation], outputs: Sequence[int]) -> tuple[int, ...]:
    """Return the low bits of each signal that matter for an output, one number per operation.

    A constant needs none, nor does what only a pruned weight would read. Above a word that wraps around, the upper
    bits of its sum are not needed either.
    """
    needed = [0] * len(operations)
    for output in outputs:
        needed[output] = operations[output].range.bits
    for position in range(len(operations) - 1, -1, -1):
        if needed[position]:
            operation = operations[position]
            for operand, bits in zip(operation.operands, _of_operands(operation, needed[position]), strict=True):
                needed[operand] = max(needed[operand], min(bits, operations[operand].range.bits))
    return tuple(needed)


def _of_operands(operation: Operation, bits: int) -> tuple[int, ...]:
    """Return how many low bits of each operand the low `bits` of a result depend on."""
    if isinstance(operation, Sum):
        return bits, max(bits - operation.shift, 0)
    if isinstance(operation, Offset):
        return (max(bits - operation.shift, 0),) * len(operation.operands)
    if isinstance(operation, Select):
        return _ALL, _ALL
    if isinstance(operation, Quantize):
        reads_all = operation.saturates or operation.relu
        return (_ALL if reads_all else max(bits + operation.drop, 0),)
    return ()


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
