"""Comparison: one judge of all witnesses, word for word against what the integer graph computes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.firmware.inputs import by_input
from nanotrigger.graph.graph import Graph

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Where a witness first differs from the integer graph.

    Attributes:
        witness: `torch`, `qonnx`, `datapath` or `firmware`.
        event: row of the inputs.
        node: the first one, in the order in which the data flow, whose output differs for that event.
    """

    witness: str
    event: int
    node: str

    def __str__(self) -> str:
        return f"{self.witness} differs from the integer graph first in event {self.event}, node {self.node}"


@dataclass(frozen=True, eq=False)
class Expected:
    """What every witness must compute.

    Attributes:
        graph: the network as integers.
        inputs: before quantization, shape (rows, values of all inputs).
    """

    graph: Graph
    inputs: Array

    @cached_property
    def outputs(self) -> Array:
        """All outputs of the graph side by side, shape (rows, words)."""
        return side_by_side(self.graph, self.graph.run_all(by_input(self.graph, self.inputs)))

    @cached_property
    def largest_sum(self) -> int:
        """The largest word that a sum can have: floating point that can hold it is exact, in any order."""
        return self.graph.largest_sum(by_input(self.graph, self.inputs))


@dataclass(frozen=True, eq=False)
class Witness:
    """Who else computes the network.

    Attributes:
        name: in records.
        outputs: all outputs side by side, shape (rows, words).
        nodes: what it computes in every node that it knows, by name, for inputs of shape (1, values of all inputs).
        rows: of the inputs, if it does not compute all of them.
        is_exact: whether its arithmetic can hold all sums; if not, it is no witness, but its facts are recorded.
        facts: what else parity.json says of it.
    """

    name: str
    outputs: Array
    nodes: Callable[[Array], Mapping[str, Array]]
    rows: NDArray[np.intp] | None = None
    is_exact: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return those rows that it computes."""
        return values if self.rows is None else values[self.rows]


def compare(expected: Expected, witnesses: Sequence[Witness]) -> tuple[dict[str, Any], Difference | None]:
    """Return the record of a comparison for parity.json, and the first difference, if there is one."""
    exact = [witness for witness in witnesses if witness.is_exact]
    wrong = {witness.name: witness.of(expected.outputs) != witness.outputs for witness in exact}
    anywhere = np.zeros(expected.outputs.shape, bool)
    for witness in exact:
        anywhere[... if witness.rows is None else witness.rows] |= wrong[witness.name]
    differing = next((witness for witness in exact if wrong[witness.name].any()), None)
    difference = None
    if differing is not None:
        event = int(differing.of(np.arange(len(anywhere)))[wrong[differing.name].any(axis=1).argmax()])
        row = expected.inputs[event : event + 1]
        difference = first_difference(differing.name, event, graph_nodes(expected.graph, row), differing.nodes(row))
    return {
        "differing_words": int(anywhere.sum()),
        "differing_words_of": {name: int(differs.sum()) for name, differs in wrong.items()},
        **{key: value for witness in witnesses for key, value in witness.facts.items()},
        "first_difference": None if difference is None else asdict(difference),
    }, difference


def first_difference(witness: str, event: int, expected: Mapping[str, Array], found: Mapping[str, Array]) -> Difference:
    """Name the first node in which a witness differs from the integer graph for one event.

    Args:
        witness: who computed `found`.
        event: row that both computed, and in which their outputs differ.
        expected: what every node computes for that event alone, by name and in order, each of shape (1, size).
        found: the witness' nodes, by the same names, of as many values each; nodes that it does not know are skipped.
            If none of them differs (the witness gave its outputs by other means), the last node is named.
    """
    differing = [
        name for name, values in expected.items() if name in found and (found[name].ravel() != values.ravel()).any()
    ]
    return Difference(witness, event, differing[0] if differing else list(expected)[-1])


def graph_nodes(graph: Graph, inputs: Array) -> dict[str, Array]:
    """Return what every node of the graph computes, each of shape (rows, size), by its name and in order.

    Args:
        graph: the network as integers.
        inputs: shape (rows, values of all inputs).
    """
    words = graph.words(by_input(graph, inputs))
    values = {node.name: graph.values(node.output, words[node.output]) for node in graph.nodes}
    return {name: found.reshape(len(found), -1) for name, found in values.items()}


def side_by_side(graph: Graph, outputs: Mapping[str, Array]) -> Array:
    """Return all outputs of the network, shape (rows, words)."""
    return np.concatenate([outputs[name].reshape(len(outputs[name]), -1) for name in graph.outputs], axis=1)
