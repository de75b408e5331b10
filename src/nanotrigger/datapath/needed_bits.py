"""Needed bits: how many low bits of each signal can change an output."""

from collections.abc import Sequence

from nanotrigger.datapath.operations import Offset, Operation, Quantize, Sum

_ALL = 1 << 30  # more than any word has


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
    if isinstance(operation, Quantize):
        reads_all = operation.saturates or operation.relu
        return (_ALL if reads_all else max(bits + operation.drop, 0),)
    return ()
