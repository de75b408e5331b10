"""Compiled: a datapath as a compiler of C++ sees it, which knows of a word only how many bits it has, not its range."""

from dataclasses import replace

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import (
    Input,
    Kind,
    Offset,
    Operation,
    Quantize,
    Range,
    Select,
    Sum,
    bounded_range,
    rounded_range,
)


def compiled(datapath: Datapath) -> Datapath:
    """Return a datapath in which each sum has one bit more than the wider of its operands.

    That is what LLVM knows of a sum (`ComputeNumSignBits`, `computeKnownBits`), where the exact range of a sum of many
    terms is often one or two bits less. Products have the range of their constant, and formats bound their words.
    Operations keep their positions.
    """
    operations: list[Operation] = []
    for operation, (source, multiple) in zip(datapath.operations, multiples(datapath), strict=True):
        words = operation.range
        if not words.is_constant:
            whole = operations[source].range * multiple if multiple != 1 else _range_of(operation, operations)
            words = _whole(whole)
        operations.append(operation._replace(range=words))
    return replace(datapath, operations=tuple(operations))


def multiples(datapath: Datapath) -> list[tuple[int, int]]:
    """Return for each signal the earlier one of which it is a multiple, and the factor; itself and 1 if of none."""
    found: list[tuple[int, int]] = []
    for position, operation in enumerate(datapath.operations):
        if isinstance(operation, Sum) and operation.kind == Kind.PRODUCT:
            (source, left), (_, right) = found[operation.left], found[operation.right]
            found.append((source, operation.left_sign * left + operation.right_sign * (right << operation.shift)))
        else:
            found.append((position, 1))
    return found


def _range_of(operation: Operation, operations: list[Operation]) -> Range:
    """Return the range of a result, of the ranges of its operands."""
    if isinstance(operation, Input):
        return operation.range
    ranges = [operations[operand].range for operand in operation.operands]
    if isinstance(operation, Sum):
        left, right = ranges
        return left * operation.left_sign + right * (operation.right_sign << operation.shift)
    if isinstance(operation, Offset):
        (source,) = ranges
        return source * (operation.sign << operation.shift) + Range(operation.constant, operation.constant)
    if isinstance(operation, Select):
        choose = max if operation.larger else min
        left, right = ranges
        return Range(choose(left.low, right.low), choose(left.high, right.high))
    return _quantized(operation, ranges[0])


def _quantized(operation: Quantize, source: Range) -> Range:
    free = rounded_range(source, operation.drop, relu=operation.relu, half_to_even=operation.rounds)
    target = operation.target
    if operation.relu and not operation.saturates and operation.drop == 0 and target == operation.range:
        return free  # a ReLU without a format
    return bounded_range(free, target, saturates=operation.saturates)


def _whole(words: Range) -> Range:
    """Return all words of as many bits.

    >>> _whole(Range(-3, 6)), _whole(Range(0, 4))
    (Range(low=-8, high=7), Range(low=0, high=7))
    """
    bits = words.bits
    return Range(-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if words.low < 0 else Range(0, (1 << bits) - 1)
