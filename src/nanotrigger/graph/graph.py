"""Graph: a network as integers. What it computes is what every other form of the network must compute."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.assembly import Assembly
from nanotrigger.datapath.datapath import Datapath, Section
from nanotrigger.errors import InputError
from nanotrigger.graph.node import Input, Node, Tensor, Words
from nanotrigger.numbers import FixedPoint

_ROWS = 65_536  # at once


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in an order in which each follows those that it reads.

    Attributes:
        nodes: the first one is the input.
        output: name of the tensor that leaves.

    Raises:
        InputError: there is no input, a tensor is read that no node computes, or computed twice.
    """

    nodes: tuple[Node, ...]
    output: str

    def __post_init__(self) -> None:
        if not self.nodes or not isinstance(self.nodes[0], Input):
            raise InputError("the network has no input with a format; make a quantizer its first layer")
        known: set[str] = set()
        for node in self.nodes:
            missing = [name for name in node.inputs if name not in known and not isinstance(node, Input)]
            if missing:
                raise InputError(f"node {node.name} reads {missing[0]}, which no node before it computes")
            if node.output in known:
                raise InputError(f"node {node.name}: another node computes {node.output} as well")
            known.add(node.output)
        if self.output not in known:
            raise InputError(f"no node computes the network's output {self.output}")

    @property
    def input(self) -> Input:
        """The node at which words arrive."""
        node = self.nodes[0]
        assert isinstance(node, Input)
        return node

    @property
    def input_format(self) -> FixedPoint:
        """Format of the input words."""
        return self.input.number

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """What is known of every tensor, by its name."""
        tensors: dict[str, Tensor] = {}
        for node in self.nodes:
            read = [] if node is self.input else [tensors[name] for name in node.inputs]
            tensors[node.output] = node.infer(*read)
        return tensors

    def inputs_of(self, node: Node) -> list[Tensor]:
        """Return what is known of the tensors that a node reads; nothing for the input."""
        return [] if node is self.input else [self.tensors[name] for name in node.inputs]

    def run(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the network's outputs, shape (events, outputs), of features, shape (events, inputs).

        They are exact: words times a power of two, which float64 holds up to 53 bits.
        """
        parts = (self.words(features[start : start + _ROWS])[self.output] for start in range(0, len(features), _ROWS))
        return np.concatenate([self.values(self.output, words) for words in parts])

    def words(self, features: NDArray[np.float64]) -> dict[str, Words]:
        """Return the words of every tensor, each of shape (events, size), by its name."""
        words: dict[str, Words] = {}
        for node in self.nodes:
            read = [self.input_words(features)] if node is self.input else [words[name] for name in node.inputs]
            words[node.output] = node.compute(*read, of=self.inputs_of(node))
        return words

    def input_words(self, features: NDArray[np.float64]) -> Words:
        """Return the words that stand for features, shape (events, inputs): rounded to the format and saturated."""
        return self.input_format.words(features)

    def values(self, tensor: str, words: Words) -> NDArray[np.float64]:
        """Return what the words of a tensor are worth."""
        return np.ldexp(words.astype(np.float64), self.tensors[tensor].exponent)

    def unroll(self) -> Datapath:
        """Return the fully unrolled datapath, every sum and every rounding an operation of its own; it is made once."""
        return self._datapath

    @cached_property
    def _datapath(self) -> Datapath:
        assembly, sections = Assembly(), []
        signals: dict[str, list[int]] = {}
        remarks: dict[str, tuple[str, ...]] = {}
        for node in self.nodes:
            read, of = [] if node is self.input else [signals[name] for name in node.inputs], self.inputs_of(node)
            signals[node.output] = node.lower(assembly, *read, of=of)
            sections.append(Section(node.name, node.layer, tuple(signals[node.output])))
            remarks[node.layer] = (*remarks.get(node.layer, ()), *node.remarks(*of))
        outputs, last = signals[self.output], self.tensors[self.output]
        bits = [assembly.range_of(signal).bits if last.number is None else last.number.width for signal in outputs]
        step = math.ldexp(1.0, last.exponent)
        return Datapath(
            tuple(assembly.operations), tuple(outputs), tuple(bits), step, self.input_format, tuple(sections), remarks
        )

    def bit_operations(self) -> int:
        """Return the effective bit operations of all products (HGQ, arXiv 2405.00645, eq. 5); biases are none."""
        return sum(node.bit_operations(*self.inputs_of(node)) for node in self.nodes)

    def largest_sum(self, features: NDArray[np.float64]) -> int:
        """Return the largest word that any partial sum can have for these events, in whatever order is summed."""
        largest = 0
        for start in range(0, len(features), _ROWS):
            words = self.words(features[start : start + _ROWS])
            for node in self.nodes[1:]:
                read = (words[name] for name in node.inputs)
                largest = max(largest, node.largest_sum(*read, of=self.inputs_of(node)))
        return largest
