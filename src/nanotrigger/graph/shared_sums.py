"""Shared sums: the adders of a layer whose sums have parts in common, put into the datapath."""

from collections.abc import Mapping, Sequence

from nanotrigger.datapath.assembly import Assembly, Bound, Term
from nanotrigger.datapath.operations import Kind
from nanotrigger.datapath.shared_adders import Column, Source, share

Columns = Sequence[Mapping[int, int]]  # for each sum the constants, by the signals that they multiply


def shared_sums(assembly: Assembly, layer: str, columns: Columns, bounds: Sequence[Bound]) -> list[Term | None]:
    """Add adders that compute sums of products; return the sums, None for one without terms.

    Sums that have no signal in common, such as those of different particles, share with none; nor do those that nothing
    reads.

    Args:
        assembly: receives the operations.
        layer: of the operations.
        columns: constants other than zero.
        bounds: of each sum.
    """
    sums: list[Term | None] = [None] * len(columns)
    for numbers in _groups(columns, bounds):
        signals = sorted({signal for number in numbers for signal in columns[number]})
        place = {signal: at for at, signal in enumerate(signals)}
        first = min((assembly.level_of(signal) for signal in signals), default=0)
        graph = share(
            tuple(_column(columns[number], place) for number in numbers),
            tuple(Source(assembly.range_of(signal), assembly.level_of(signal) - first) for signal in signals),
            tuple(_limit(bounds[number], first) for number in numbers),
        )
        nodes = [Term(signal) for signal in signals]
        last = {total.node for total in graph.sums if total is not None}
        for number, adder in enumerate(graph.adders):
            pair = tuple(_read(nodes, term) for term in (adder.left, adder.right))
            kind = Kind.SHARED if number < graph.shared else Kind.TREE
            positive = len(nodes) in last  # nothing after it will take a minus
            nodes.append(assembly.add(layer, kind, (pair[0], pair[1]), positive=positive, words=adder.range))
        for number, total in zip(numbers, graph.sums, strict=True):
            sums[number] = None if total is None else _read(nodes, total)
    return sums


def _read(nodes: Sequence[Term], term: tuple[int, int, int]) -> Term:
    node, sign, shift = term
    return Term(nodes[node].signal, nodes[node].sign * sign, nodes[node].shift + shift)


def _column(constants: Mapping[int, int], place: Mapping[int, int]) -> Column:
    return tuple(sorted((place[signal], constant) for signal, constant in constants.items()))


def _limit(bound: Bound, first: int) -> int | None:
    """Return the level of a bound, counted from the level at which the first signal is ready."""
    return None if bound.level is None else max(bound.level - first, 0)


def _groups(columns: Columns, bounds: Sequence[Bound]) -> list[list[int]]:
    """Return the sums that may have parts in common."""
    by_signal: dict[int, int] = {}  # to a sum that reads it
    parents = list(range(len(columns)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = number = parents[parents[number]]
        return number

    for number, constants in enumerate(columns):
        for signal in constants if bounds[number].is_read else ():
            parents[root(number)] = root(by_signal.setdefault(signal, number))
    groups: dict[int, list[int]] = {}
    for number in range(len(columns)):
        groups.setdefault(root(number), []).append(number)
    return list(groups.values())
