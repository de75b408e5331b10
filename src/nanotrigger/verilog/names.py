"""Names of signals, from which an engineer sees the layer, the neuron and the multiple that a wire holds."""

import re
from collections import Counter

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Input, Kind, Offset, Operation, Select, Sum

_OF_SEVERAL = (Kind.PRODUCT, Kind.SHARED)


def signal_names(datapath: Datapath) -> list[str]:
    """Return a Verilog name for each signal of a datapath.

    `feature_3` is an input, `feature_3_x5` and `feature_3_xm5` are its multiples by 5 and -5. `dense_1_n7` is the
    result of neuron 7, `dense_1_n7_sum_2` a partial sum in its adder tree, `dense_1_n7_biased` the sum with the bias.
    `dense_1_shared_4` is part of several sums of its layer.
    """
    shared: Counter[str] = Counter()
    names = [""] * len(datapath.operations)
    taken: Counter[str] = Counter()
    roles = _roles(datapath)
    multiples = [1] * len(names)
    roots = list(range(len(names)))
    for position, operation in enumerate(datapath.operations):
        if isinstance(operation, Input):
            name = f"feature_{operation.column}"
        elif isinstance(operation, Sum) and operation.kind == Kind.PRODUCT:
            roots[position] = roots[operation.left]
            multiples[position] = _multiple(operation, multiples)
            name = f"{names[roots[position]]}_x{multiples[position]}".replace("-", "m")
        elif operation.kind == Kind.SHARED:
            shared[operation.layer] += 1
            name = f"{identifier(operation.layer)}_shared_{shared[operation.layer]}"
        else:
            name = roles.get(position, f"{identifier(operation.layer)}_s{position}")
        taken[name] += 1
        names[position] = name if taken[name] == 1 else f"{name}_again_{taken[name]}"
    return names


def identifier(name: str) -> str:
    """Return a layer's name with all that Verilog does not allow replaced.

    >>> identifier("dense.1"), identifier("1/Conv")
    ('dense_1', '_1_Conv')
    """
    return re.sub(r"^(?=\d)|\W", "_", name, flags=re.ASCII)


def _multiple(operation: Sum, multiples: list[int]) -> int:
    left, right = multiples[operation.left], multiples[operation.right]
    return operation.left_sign * left + operation.right_sign * (right << operation.shift)


def _roles(datapath: Datapath) -> dict[int, str]:
    """Return names for the signals of which it is clear to which neuron they belong."""
    roles: dict[int, str] = {}
    for layer, results in _results(datapath).items():
        for neuron, result in enumerate(results):
            name = f"{identifier(layer)}_n{neuron}"
            counts: Counter[str] = Counter()
            for position in sorted(_within(datapath, layer, result)):
                role = "" if position == result else _role(datapath.operations[position])
                counts[role] += 1
                suffix = f"_{counts[role]}" if role in ("_sum", "_max", "_min") or counts[role] > 1 else ""
                roles.setdefault(position, f"{name}{role}{suffix}")
    return roles


def _results(datapath: Datapath) -> dict[str, tuple[int, ...]]:
    """Return the positions of what the neurons of each layer give, by the layer's name: those of its last node."""
    return {section.layer: section.signals for section in datapath.sections}


def _within(datapath: Datapath, layer: str, result: int) -> set[int]:
    """Return the signals of a layer that one result is made of, down to what others have as well."""
    found: set[int] = set()
    open_ends = [result]
    while open_ends:
        position = open_ends.pop()
        operation = datapath.operations[position]
        if position not in found and operation.layer == layer and operation.kind not in _OF_SEVERAL:
            found.add(position)
            open_ends.extend(operation.operands)
    return found


def _role(operation: Operation) -> str:
    if isinstance(operation, Sum):
        return "_sum"
    if isinstance(operation, Select):
        return "_max" if operation.larger else "_min"
    return "_biased" if isinstance(operation, Offset) else "_cast"
