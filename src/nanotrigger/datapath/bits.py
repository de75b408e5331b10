"""Bits: which bits of a datapath's signals never change, and which can change no output. Synthesis leaves both out."""

from collections.abc import Sequence
from typing import NamedTuple

from nanotrigger.datapath.operations import Offset, Operation, Quantize, Range, Select, Sum, rounded_range

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


def idle_bits(operations: Sequence[Operation], needed: Sequence[int], outputs: Sequence[int]) -> tuple[int, ...]:
    """Return how many of the lowest bits of each signal change no output: those that are cut and carry nothing.

    Args:
        operations: of a datapath.
        needed: low bits of each signal that matter, as `needed_bits` returns them.
        outputs: positions of the output words.
    """
    idle = list(needed)
    for output in outputs:
        idle[output] = 0
    for position in range(len(operations) - 1, -1, -1):
        operation = operations[position]
        if needed[position]:
            idle_operands = _idle_operands(operation, idle[position], operations)
            for operand, bits in zip(operation.operands, idle_operands, strict=True):
                idle[operand] = min(idle[operand], bits)
    return tuple(idle)


def _idle_operands(operation: Operation, idle: int, operations: Sequence[Operation]) -> tuple[int, ...]:
    """Return how many of the lowest bits of each operand are idle if so many of the result are.

    Where two operands overlap, or a constant is added, the carry reads the low bits.
    """
    if isinstance(operation, Sum):
        if operation.is_concatenation(operations[operation.left].range):
            return idle, max(idle - operation.shift, 0)
        return (min(idle, operation.shift) if operation.left_sign > 0 else 0), 0
    if isinstance(operation, Offset):
        added = (operation.constant >> operation.shift) + (operation.sign < 0)  # minus x is its complement plus one
        zeros = _trailing_ones(~added) if added else _ALL
        return (min(max(idle - operation.shift, 0), zeros),) * len(operation.operands)
    if isinstance(operation, Quantize):
        if operation.rounds and operation.drop > 0:
            return (0,)
        return (max(operation.drop + (0 if operation.saturates else idle), 0),)
    return (0,) * len(operation.operands)
