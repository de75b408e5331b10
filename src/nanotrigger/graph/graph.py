"""Graph: a network as integers. What it computes is what every other form of the network must compute."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.assembly import Assembly, Bound
from nanotrigger.datapath.datapath import Datapath, Section
from nanotrigger.errors import InputError
from nanotrigger.graph.node import Input, Node, Tensor, Words
from nanotrigger.numbers import FixedPoint

Array = NDArray[np.float64]

_VALUES = 1 << 23  # of the largest tensor that are held at a time
_ROWS = 65_536  # events that are, at most


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in an order in which each follows those that it reads.

    Attributes:
        nodes: with an `Input` for each input of the network.
        outputs: names of the tensors that leave.
        left_out: nodes of the file behind the outputs that are not computed, such as a softmax, by name.

    Raises:
        InputError: there is no input, a tensor is read that no node computes, or computed twice.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.inputs:
            raise InputError("the network has no input with a format; make a quantizer its first layer")
        known: set[str] = set()
        for node in self.nodes:
            missing = [name for name in node.inputs if name not in known and not isinstance(node, Input)]
            if missing:
                raise InputError(f"node {node.name} reads {missing[0]}, which no node before it computes")
            if node.output in known:
                raise InputError(f"node {node.name}: another node computes {node.output} as well")
            known.add(node.output)
        if not self.outputs:
            raise InputError("the network has no output; export it again")
        for output in self.outputs:
            if output not in known:
                raise InputError(f"no node computes the network's output {output}; leave that output out")

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """The nodes at which words arrive."""
        return tuple(node for node in self.nodes if isinstance(node, Input))

    @property
    def input(self) -> Input:
        """The only node at which words arrive.

        Raises:
            InputError: there are several.
        """
        if len(self.inputs) > 1:
            raise InputError(f"the network has {len(self.inputs)} inputs; this is for networks of one")
        return self.inputs[0]

    @property
    def output(self) -> str:
        """Name of the only tensor that leaves.

        Raises:
            InputError: there are several.
        """
        if len(self.outputs) > 1:
            raise InputError(f"the network has {len(self.outputs)} outputs; this is for networks of one")
        return self.outputs[0]

    @property
    def input_format(self) -> FixedPoint:
        """Format of the words of the only input."""
        return self.input.number

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """What is known of every tensor, by its name."""
        tensors: dict[str, Tensor] = {}
        for node in self.nodes:
            read = [] if isinstance(node, Input) else [tensors[name] for name in node.inputs]
            tensors[node.output] = node.infer(*read)
        return tensors

    def inputs_of(self, node: Node) -> list[Tensor]:
        """Return what is known of the tensors that a node reads; nothing for an input."""
        return [] if isinstance(node, Input) else [self.tensors[name] for name in node.inputs]

    def run(self, features: Array | Mapping[str, Array]) -> Array:
        """Return the network's only output, shape (events, *shape); arguments and errors as of `run_all`."""
        return self.run_all(features)[self.output]

    def run_all(self, features: Array | Mapping[str, Array]) -> dict[str, Array]:
        """Return the network's outputs, each of shape (events, *shape), by the names of their tensors.

        They are exact: words times a power of two, which float64 holds up to 53 bits.

        Args:
            features: of the only input, shape (events, *shape); or of each, by the input's name in the file.

        Raises:
            InputError: an input is missing, or has another shape.
        """
        parts = [self.words(part) for part in self._parts(features)]
        return {
            name: np.concatenate([self.values(name, words[name]) for words in parts])
            for name in dict.fromkeys(self.outputs)
        }

    def words(self, features: Array | Mapping[str, Array]) -> dict[str, Words]:
        """Return the words of every tensor, each of shape (events, *shape), by its name; arguments as of `run_all`."""
        arriving = self._arriving(features)
        words: dict[str, Words] = {}
        for node in self.nodes:
            if isinstance(node, Input):
                words[node.output] = node.compute(node.words(arriving[node.inputs[0]]), of=[])
            else:
                words[node.output] = node.compute(*(words[name] for name in node.inputs), of=self.inputs_of(node))
        return words

    def input_words(self, features: Array | Mapping[str, Array]) -> Words:
        """Return the words that stand for features, rounded to the format and saturated, as the datapath reads them.

        They are of shape (events, words), all inputs side by side; arguments as of `run_all`.
        """
        arriving = self._arriving(features)
        sides = [node.words(arriving[node.inputs[0]]) for node in self.inputs]
        return np.concatenate([words.reshape(len(words), -1) for words in sides], axis=1)

    def values(self, tensor: str, words: Words) -> Array:
        """Return what the words of a tensor are worth, shape (events, *shape), of words in that order."""
        known = self.tensors[tensor]
        return np.ldexp(words.astype(np.float64), known.exponent).reshape(len(words), *known.shape)

    def unroll(self, bounds: Mapping[str, Sequence[Bound]] | None = None) -> Datapath:
        """Return the fully unrolled datapath, every sum and every rounding an operation of its own.

        Args:
            bounds: of the values of each node whose sums share adders, by its name (`shared_datapath` chooses them);
                none do by default, and that datapath is made once.
        """
        return self._lowered(bounds) if bounds else self._datapath

    @cached_property
    def _datapath(self) -> Datapath:
        return self._lowered({})

    def _lowered(self, bounds: Mapping[str, Sequence[Bound]]) -> Datapath:
        assembly, sections = Assembly(bounds), []
        signals: dict[str, list[int]] = {}
        remarks: dict[str, tuple[str, ...]] = {}
        for node in self.nodes:
            read = [] if isinstance(node, Input) else [signals[name] for name in node.inputs]
            of = self.inputs_of(node)
            signals[node.output] = node.lower(assembly, *read, of=of)
            sections.append(Section(node.name, node.layer, tuple(signals[node.output])))
            remarks[node.layer] = (*remarks.get(node.layer, ()), *node.remarks(*of))
        outputs, bits, steps = [], [], []
        for name in self.outputs:
            last = self.tensors[name]
            outputs += signals[name]
            bits += [last.number.width if last.number else assembly.range_of(signal).bits for signal in signals[name]]
            steps += [math.ldexp(1.0, last.exponent)] * last.size
        formats = tuple(node.number for node in self.inputs)
        return Datapath(
            tuple(assembly.operations), tuple(outputs), tuple(bits), tuple(steps), formats, tuple(sections), remarks
        )

    def bit_operations(self) -> int:
        """Return the effective bit operations of all products (HGQ, arXiv 2405.00645, eq. 5); biases are none."""
        return sum(node.bit_operations(*self.inputs_of(node)) for node in self.nodes)

    def largest_sum(self, features: Array | Mapping[str, Array]) -> int:
        """Return the largest word that any partial sum can have for these events, in whatever order is summed."""
        largest = 0
        for part in self._parts(features):
            words = self.words(part)
            for node in self.nodes:
                if not isinstance(node, Input):
                    read = (words[name] for name in node.inputs)
                    largest = max(largest, node.largest_sum(*read, of=self.inputs_of(node)))
        return largest

    def _arriving(self, features: Array | Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the features of each input by its name in the file."""
        arriving = features if isinstance(features, Mapping) else {self.input.inputs[0]: features}
        for node in self.inputs:
            name = node.inputs[0]
            if name not in arriving:
                raise InputError(f"no features for the network's input {name!r}; give it by that name")
            if arriving[name].shape[1:] != node.shape:
                found = f"{arriving[name].shape}, not (events, {', '.join(map(str, node.shape))})"
                raise InputError(f"features of the network's input {name!r} have shape {found}")
        return arriving

    def _parts(self, features: Array | Mapping[str, Array]) -> list[Mapping[str, Array]]:
        """Return the features in parts of so few events that the largest tensor of each takes little memory."""
        arriving = self._arriving(features)
        rows = max(min(_ROWS, _VALUES // max(tensor.size for tensor in self.tensors.values())), 1)
        events = len(next(iter(arriving.values())))
        starts = range(0, events, rows) if events else [0]
        return [{name: values[at : at + rows] for name, values in arriving.items()} for at in starts]
