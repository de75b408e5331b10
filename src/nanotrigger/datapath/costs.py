"""Costs: the ALUTs that an operation takes. One ALUT is one bit of an adder, or a function of up to six bits."""

from nanotrigger.datapath.bits import Known, rounds_up
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Input, Offset, Quantize, Range, Select, Sum, rounded_range

LUT_INPUTS = 6
_NEVER = 1 << 30  # more bits than any word has
_MERGED = 3  # bits of an incrementer that become part of the look-up tables that follow it


def aluts(datapath: Datapath, position: int) -> int:
    """Return the ALUTs of the operation at a position, of which only the bits that matter and change are made."""
    operation, bits, known = datapath.operations[position], datapath.bits[position], datapath.known[position]
    if not bits or isinstance(operation, Input):
        return 0
    if isinstance(operation, Sum):
        return _sum(operation, bits, known, datapath.operations[operation.left].range)
    if isinstance(operation, Offset):
        return _offset(operation, bits, known)
    if isinstance(operation, Select):
        return _select(datapath, operation, bits, known)
    return _quantize(operation, bits, datapath.operations[operation.source].range, datapath.known[operation.source])


def tree_of_luts(inputs: int) -> int:
    """Return the ALUTs of one function, such as AND or OR, of many bits.

    >>> tree_of_luts(1), tree_of_luts(6), tree_of_luts(7), tree_of_luts(12)
    (0, 1, 2, 3)
    """
    return -(-max(inputs - 1, 0) // (LUT_INPUTS - 1))


def _sum(operation: Sum, bits: int, known: Known, left: Range) -> int:
    """An adder bit for each bit but the lowest, which pass unchanged unless negated; a difference needs a carry-in."""
    if operation.is_concatenation(left):
        return 0
    passing = max(operation.shift if operation.left_sign > 0 else 0, known.low)
    return max(bits - passing, 0) + (operation.left_sign != operation.right_sign)


def _offset(operation: Offset, bits: int, known: Known) -> int:
    """An adder bit for each bit from the constant's lowest one up; all, and a carry-in, if the signal is negated."""
    if operation.sign < 0:
        return max(bits - known.low, 0) + 1
    constant = operation.constant >> operation.shift
    if constant == 0:
        return 0
    lowest = (constant & -constant).bit_length() - 1
    return max(bits - max(operation.shift + lowest, known.low), 0)


def _quantize(operation: Quantize, bits: int, source: Range, source_known: Known) -> int:
    """An incrementer that rounds up, and after it one ALUT for each bit that ReLU or saturation may change."""
    target = operation.target
    rounded = rounded_range(source, operation.drop, relu=operation.relu, half_to_even=operation.rounds)
    drops_negative = operation.saturates and target.low == 0  # so only the other words need be rounded
    rounded_bits = max(rounded.high, 0).bit_length() if drops_negative else rounded.bits
    count = 0
    up = rounds_up(operation, source_known)
    if up is None:
        count += _rounding(operation.drop, rounded_bits, source_known)
    elif up and rounded_bits > _MERGED:
        count += rounded_bits
    if operation.saturates and rounded not in target:
        alone = rounded_bits - target.bits + 1 + (source.low < 0) <= LUT_INPUTS  # the ALUT of a bit sees it all
        return count + bits + (0 if alone else _overflow(rounded_bits, target))
    return count + (bits if operation.relu and source.low < 0 else 0)


def _select(datapath: Datapath, operation: Select, bits: int, known: Known) -> int:
    """A carry chain that compares, and after it a multiplexer: an ALUT for each bit that may change.

    The chain is that of the difference, whose sign tells which word is larger: a bit for each of the wider word, one
    for the sign, and a carry-in. Low bits that are known in both words are not part of it.
    """
    words = [datapath.operations[operand].range for operand in operation.operands]
    lowest = min(
        _NEVER if range_.is_constant else datapath.known[at].low
        for at, range_ in zip(operation.operands, words, strict=True)
    )
    whole = Range(min(range_.low for range_ in words), max(range_.high for range_ in words))
    return whole.bits - lowest + 2 + known.unknown(bits)


def _rounding(drop: int, rounded_bits: int, source_known: Known) -> int:
    """Whether to round up is a function of all dropped bits and the last that stays; the carry ends at a known zero."""
    kept = source_known.zeros >> drop
    carries = rounded_bits if not kept else min(rounded_bits, (kept & -kept).bit_length() - 1)
    below_half = (1 << (drop - 1)) - 1
    if source_known.ones & below_half:
        return carries  # the first dropped bit alone tells
    return carries + tree_of_luts(source_known.unknown(drop + 1))


def _overflow(source_bits: int, target: Range) -> int:
    """Detect that the bits above the format are not zero, or in a signed one not all equal to the sign, either way."""
    upper = source_bits - target.bits
    return 2 * tree_of_luts(upper + 1) if target.low < 0 else tree_of_luts(upper)
