"""Share adders: the datapath of a network in which layers share adders between neurons where that makes it smaller."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate

from nanotrigger.datapath.assembly import Bound
from nanotrigger.datapath.costs import aluts
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Offset
from nanotrigger.datapath.schedule import Schedule, schedule
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.graph import Graph

Bounds = Mapping[str, tuple[Bound, ...]]  # of the values of nodes, by the node's name

MOST_PAIRS = 4_000_000  # of digits that are compared in a network; a million takes about four seconds
_FLIP_FLOP = 0.5  # of an ALUT: a device has two for each


@lru_cache(maxsize=8)
def shared_datapath(
    graph: Graph, levels: int | None = None, slack: int | None = 0, *, clock_period: float = 5.0
) -> Datapath:
    """Return the smallest datapath found that computes what `graph.unroll()` does in no more cycles.

    Each layer has adders for each neuron alone, or shared ones (`datapath.shared_adders`), whichever costs less: ALUTs,
    and flip-flops at half. It is made once for the same arguments. Where all layers together have more than
    `MOST_PAIRS` pairs of digits, the largest are left as they are.

    Args:
        graph: the network as integers.
        levels: levels of adders between two registers; by default as many as fit into the clock period.
        slack: by how many levels a sum may be ready later than with adders of its own, if that costs less; None for
            any number.
        clock_period: in ns.

    Raises:
        InputError: `levels` is below 1.
    """
    alone, layers = graph.unroll(), _sharing(graph)
    ways: list[Bounds] = [{}, *(_bounds(layers, alone, late) for late in dict.fromkeys([0, slack]))]
    plans = [schedule(graph.unroll(way), levels, clock_period=clock_period) for way in ways]
    prices = [_prices(plan) for plan in plans]
    for count in range(2, len(ways) + 1):
        mixed = _cheapest(layers, ways[:count], prices)
        if mixed not in ways:
            plans.append(schedule(graph.unroll(mixed), levels, clock_period=clock_period))
            prices.append(_prices(plans[-1]))
    as_fast = [one for one in zip(prices, plans, strict=True) if one[1].count <= plans[0].count]
    return min(as_fast, key=lambda one: sum(one[0].values()))[1].datapath


def digit_pairs(graph: Graph) -> int:
    """Return how many pairs of digits are compared at first: what the time is in proportion to."""
    return sum(node.digit_pairs(*graph.inputs_of(node)) for node in _sharing(graph))


def _sharing(graph: Graph) -> list[Dense]:
    """Return the layers whose neurons may share adders: as many as there is time for, the smallest first."""
    layers = [node for node in graph.nodes if isinstance(node, Dense) and node.accumulator is None]
    sized = sorted(((node.digit_pairs(*graph.inputs_of(node)), node) for node in layers), key=lambda one: one[0])
    so_far = accumulate(pairs for pairs, _ in sized)
    return [node for pairs, (_, node) in zip(so_far, sized, strict=True) if pairs <= MOST_PAIRS]


def _cheapest(layers: Sequence[Dense], ways: Sequence[Bounds], prices: Sequence[Mapping[str, float]]) -> Bounds:
    """Return for each layer the way in which it costs least, the first of equal ones."""
    best = {
        node.name: min(zip(ways, prices, strict=False), key=lambda way: way[1].get(node.layer, 0.0))[0]
        for node in layers
    }
    return {name: way[name] for name, way in best.items() if name in way}


def _prices(plan: Schedule) -> Mapping[str, float]:
    """Return what each layer costs, flip-flops where their signal is made."""
    prices: defaultdict[str, float] = defaultdict(float)
    for position, (operation, held) in enumerate(zip(plan.datapath.operations, plan.flip_flops, strict=True)):
        prices[operation.layer] += aluts(plan.datapath, position) + _FLIP_FLOP * held
    return prices


def _bounds(layers: Sequence[Dense], alone: Datapath, slack: int | None) -> Bounds:
    """Return bounds for the layers that share adders: the levels that their sums have alone, and some more."""
    signals = {section.node: section.signals for section in alone.sections}
    return {
        node.name: tuple(
            Bound(None if slack is None else _level(alone, at) + slack, alone.bits[at] > 0) for at in signals[node.name]
        )
        for node in layers
    }


def _level(datapath: Datapath, position: int) -> int:
    """Return the level of a sum before its bias."""
    operation = datapath.operations[position]
    is_biased = isinstance(operation, Offset) and operation.source is not None
    return datapath.operations[operation.operands[0]].level if is_biased else operation.level
