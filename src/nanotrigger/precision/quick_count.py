"""Quick count: about what a network costs, for trials, of which each changes one layer: a full count takes longer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.assembly import Assembly, Bound, Term, signed_digits
from nanotrigger.datapath.compiled import compiled
from nanotrigger.datapath.costs import aluts
from nanotrigger.datapath.operations import Range
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input, Tensor, Words, exponent_of
from nanotrigger.graph.quantize import Conversion, Quantize
from nanotrigger.graph.quantize_channels import QuantizeChannels
from nanotrigger.networks import Network
from nanotrigger.numbers import FixedPoint

Mask = NDArray[np.bool_]
Activation = Quantize | QuantizeChannels

_KEPT = 1024  # layers of which the count is remembered


def quick_count(network: Network, *, is_shared: bool) -> int:
    """Return about the ALUTs of a chain of layers, without the kernel's shell.

    Each layer is counted by itself, and again only if it changed: its inputs take all words of their formats, what
    nothing reads and what is constant is left out, and each sum may be as late as a balanced tree of its digits.

    Args:
        network: quantized, of fixed formats.
        is_shared: whether the neurons of a layer share adders.
    """
    graph = graph_of(network)
    layers = [node for node in graph.nodes if isinstance(node, Dense)]
    quantizers = [node for node in graph.nodes if isinstance(node, Activation)]
    read = [*(np.asarray(layer.weights.any(axis=1)) for layer in layers[1:]), np.ones(len(layers[-1].bias), bool)]
    moves, constants = np.ones(len(layers[0].weights), bool), np.zeros(len(layers[0].weights), np.int64)
    sources = (graph.inputs[0].number,) * len(moves)
    count = 0
    for layer, is_read, after in zip_longest(layers, read, quantizers):
        kept = _without(layer, moves, is_read, constants, graph.tensors[layer.inputs[0]].step)
        count += _counted(_Layer(kept, sources, after, is_shared))
        if after is not None:
            moves = np.asarray(kept.weights.any(axis=0))
            sources = tuple(conversion.number for conversion in _conversions(after, len(kept.bias)))
            words = Range(int(kept.bias.min()), int(kept.bias.max()))
            biases = Tensor(kept.bias.shape, exponent_of(kept.bias_step), words)
            constants = np.where(moves, 0, after.compute(kept.bias[None], of=(biases,))[0])
    return count


def _without(layer: Dense, moves: Mask, is_read: Mask, constants: Words, source: float) -> Dense:
    """Return a layer without the weights of inputs that are constant, which are part of its biases, and of unread sums.

    Args:
        layer: of a graph.
        moves: which inputs do.
        is_read: which sums are.
        constants: words of the inputs, zero where they move.
        source: what a word of the inputs is worth.
    """
    product = source * layer.weight_step
    step = min(product, layer.bias_step)
    biases = layer.bias * round(layer.bias_step / step) + constants @ layer.weights * round(product / step)
    weights = np.where(np.outer(moves, is_read), layer.weights, 0)
    return replace(layer, weights=weights, bias=np.where(is_read, biases, 0), bias_step=step)


def _conversions(after: Activation, neurons: int) -> tuple[Conversion, ...]:
    """Return how each neuron's activation comes to its format."""
    return (after.conversion,) * neurons if isinstance(after, Quantize) else after.conversions


class _Layer:
    """A layer and what follows it; equal to another one of the same words and formats."""

    def __init__(
        self, dense: Dense, sources: tuple[FixedPoint, ...], after: Activation | None, is_shared: bool
    ) -> None:
        self.dense, self.sources, self.after, self.is_shared = dense, sources, after, is_shared
        words = (dense.weights.shape, dense.weights.tobytes(), dense.bias.tobytes())
        behind = None if after is None else (_conversions(after, len(dense.bias)), after.relu)
        self._key = (words, dense.weight_step, dense.bias_step, sources, behind, is_shared)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Layer) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Signals(Input):
    """Inputs each of which takes all words of a format of its own.

    Attributes:
        numbers: the formats.
    """

    numbers: tuple[FixedPoint, ...]

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the words of all formats, in the finest step."""
        ranges = [self._words(number) * (1 << self._zeros(number)) for number in self.numbers]
        whole = Range(min(words.low for words in ranges), max(words.high for words in ranges))
        return Tensor(self.shape, self._exponent, whole)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Return a signal for each input."""
        signals = [assembly.input(self.layer, place, self._words(number)) for place, number in enumerate(self.numbers)]
        padded = [Term(signal, 1, self._zeros(number)) for signal, number in zip(signals, self.numbers, strict=True)]
        return [assembly.offset(self.layer, term, 0) for term in padded]

    @cached_property
    def _exponent(self) -> int:
        return min(exponent_of(number.step) for number in set(self.numbers))

    def _zeros(self, number: FixedPoint) -> int:
        return exponent_of(number.step) - self._exponent

    def _words(self, number: FixedPoint) -> Range:
        return Range(number.minimum_word, number.maximum_word)


@lru_cache(maxsize=_KEPT)
def _counted(layer: _Layer) -> int:
    dense = layer.dense
    name = dense.inputs[0]
    shape = (len(dense.weights),)
    first = _Signals(
        name=name, inputs=(name,), output=name, layer=name, shape=shape, number=layer.sources[0], numbers=layer.sources
    )
    nodes = (first, dense) if layer.after is None else (first, dense, layer.after)
    graph = Graph(nodes, (nodes[-1].output,))
    datapath = compiled(graph.unroll({dense.name: _bounds(dense.weights)} if layer.is_shared else None))
    return sum(aluts(datapath, position) for position in range(len(datapath.operations)))


def _bounds(weights: NDArray[np.int64]) -> tuple[Bound, ...]:
    """Return the levels of balanced trees of the digits of each neuron."""
    digits = (sum(len(signed_digits(weight)) for weight in column if weight) for column in weights.T.tolist())
    return tuple(Bound(max(number - 1, 0).bit_length(), number > 0) for number in digits)
