"""Quick count: about what a network costs, for trials, of which each changes one layer: a full count takes longer."""

from dataclasses import replace
from functools import lru_cache
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.assembly import Bound, signed_digits
from nanotrigger.datapath.compiled import compiled
from nanotrigger.datapath.costs import aluts
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input, Words, exponent_of
from nanotrigger.graph.quantize import Quantize
from nanotrigger.networks import Network
from nanotrigger.numbers import FixedPoint

Mask = NDArray[np.bool_]

_KEPT = 1024  # layers of which the count is remembered


def quick_count(network: Network, *, is_shared: bool) -> int:
    """Return about the ALUTs of a chain of layers, without the kernel's shell.

    Each layer is counted by itself, and again only if it changed: its inputs take all words of their format, what
    nothing reads and what is constant is left out, and each sum may be as late as a balanced tree of its digits.

    Args:
        network: quantized, of fixed formats.
        is_shared: whether the neurons of a layer share adders.
    """
    graph = graph_of(network)
    layers = [node for node in graph.nodes if isinstance(node, Dense)]
    quantizers = [node for node in graph.nodes if isinstance(node, Quantize)]
    read = [*(np.asarray(layer.weights.any(axis=1)) for layer in layers[1:]), np.ones(len(layers[-1].bias), bool)]
    moves, constants = np.ones(len(layers[0].weights), bool), np.zeros(len(layers[0].weights), np.int64)
    count = 0
    for layer, is_read, after in zip_longest(layers, read, quantizers):
        source = graph.tensors[layer.inputs[0]].number
        assert source is not None  # a chain quantizes what a layer reads
        kept = _without(layer, moves, is_read, constants, source)
        count += _counted(_Layer(kept, source, after, is_shared))
        if after is not None:
            moves = np.asarray(kept.weights.any(axis=0))
            drop = after.conversion.drop(exponent_of(kept.bias_step))
            constants = np.where(moves, 0, after.conversion.apply(kept.bias, drop, relu=after.relu))
    return count


def _without(layer: Dense, moves: Mask, is_read: Mask, constants: Words, source: FixedPoint) -> Dense:
    """Return a layer without the weights of inputs that are constant, which are part of its biases, and of unread sums.

    Args:
        layer: of a graph.
        moves: which inputs do.
        is_read: which sums are.
        constants: words of the inputs, zero where they move.
        source: format of the inputs.
    """
    product = source.step * layer.weight_step
    step = min(product, layer.bias_step)
    biases = layer.bias * round(layer.bias_step / step) + constants @ layer.weights * round(product / step)
    weights = np.where(np.outer(moves, is_read), layer.weights, 0)
    return replace(layer, weights=weights, bias=np.where(is_read, biases, 0), bias_step=step)


class _Layer:
    """A layer and what follows it; equal to another one of the same words and formats."""

    def __init__(self, dense: Dense, source: FixedPoint, after: Quantize | None, is_shared: bool) -> None:
        self.dense, self.source, self.after, self.is_shared = dense, source, after, is_shared
        words = (dense.weights.shape, dense.weights.tobytes(), dense.bias.tobytes())
        behind = None if after is None else (after.conversion, after.relu)
        self._key = (words, dense.weight_step, dense.bias_step, source, behind, is_shared)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Layer) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=_KEPT)
def _counted(layer: _Layer) -> int:
    dense = layer.dense
    name = dense.inputs[0]
    shape = (len(dense.weights),)
    first = Input(name=name, inputs=(name,), output=name, layer=name, shape=shape, number=layer.source)
    nodes = (first, dense) if layer.after is None else (first, dense, layer.after)
    graph = Graph(nodes, (nodes[-1].output,))
    datapath = compiled(graph.unroll({dense.name: _bounds(dense.weights)} if layer.is_shared else None))
    return sum(aluts(datapath, position) for position in range(len(datapath.operations)))


def _bounds(weights: NDArray[np.int64]) -> tuple[Bound, ...]:
    """Return the levels of balanced trees of the digits of each neuron."""
    digits = (sum(len(signed_digits(weight)) for weight in column if weight) for column in weights.T.tolist())
    return tuple(Bound(max(number - 1, 0).bit_length(), number > 0) for number in digits)
