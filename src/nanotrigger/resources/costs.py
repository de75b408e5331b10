"""Costs: the ALUTs that an operation takes. One ALUT is one bit of an adder, or a function of up to six bits."""

from collections.abc import Sequence

from nanotrigger.resources.operations import Input, Offset, Operation, Quantize, Sum, rounded_range
from nanotrigger.resources.ranges import Range

LUT_INPUTS = 6


def aluts(operation: Operation, bits: int, operations: Sequence[Operation]) -> int:
    """Return the ALUTs of an operation of which the low `bits` are needed; `operations` hold its operands."""
    if not bits or isinstance(operation, Input):
        return 0
    if isinstance(operation, Sum):
        return _sum(operation, bits, operations[operation.left].range)
    if isinstance(operation, Offset):
        return _offset(operation, bits)
    return _quantize(operation, bits, operations[operation.source].range)


def tree_of_luts(inputs: int) -> int:
    """Return the ALUTs of one function, such as AND or OR, of many bits.

    >>> tree_of_luts(1), tree_of_luts(6), tree_of_luts(7), tree_of_luts(12)
    (0, 1, 2, 3)
    """
    return -(-max(inputs - 1, 0) // (LUT_INPUTS - 1))


def _sum(operation: Sum, bits: int, left: Range) -> int:
    """An adder bit for each bit but the lowest, which pass unchanged unless negated; a difference needs a carry-in."""
    if operation.is_concatenation(left):
        return 0
    passing = operation.shift if operation.left_sign > 0 else 0
    return max(bits - passing, 0) + (operation.left_sign != operation.right_sign)


def _offset(operation: Offset, bits: int) -> int:
    """An adder bit for each bit from the constant's lowest one up; all, and a carry-in, if the signal is negated."""
    if operation.sign < 0:
        return max(bits - operation.shift, 0) + 1
    constant = operation.constant >> operation.shift
    if constant == 0:
        return 0
    lowest = (constant & -constant).bit_length() - 1
    return max(bits - operation.shift - lowest, 0)


def _quantize(operation: Quantize, bits: int, source: Range) -> int:
    """An incrementer that rounds up, and behind it one ALUT for each bit that ReLU or saturation may change."""
    target = operation.target
    rounded = rounded_range(source, operation.drop, relu=operation.relu, half_to_even=operation.rounds)
    drops_negative = operation.saturates and target.low == 0  # so only the other words need be rounded
    rounded_bits = max(rounded.high, 0).bit_length() if drops_negative else rounded.bits
    count = 0
    if operation.rounds and operation.drop > 0:
        count += rounded_bits + tree_of_luts(operation.drop + 1)  # whether to round up: all dropped bits and the last
    if operation.saturates and rounded not in target:
        alone = rounded_bits - target.bits + 1 + (source.low < 0) <= LUT_INPUTS  # the ALUT of a bit sees it all
        return count + bits + (0 if alone else _overflow(rounded_bits, target))
    return count + (bits if operation.relu and source.low < 0 else 0)


def _overflow(source_bits: int, target: Range) -> int:
    """Detect that the bits above the format are not zero, or in a signed one not all equal to the sign, either way."""
    upper = source_bits - target.bits
    return 2 * tree_of_luts(upper + 1) if target.low < 0 else tree_of_luts(upper)
