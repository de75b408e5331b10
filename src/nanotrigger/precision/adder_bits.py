"""Adder bits: about what a network with shared adders costs, for trials: a full count takes ten times as long."""

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.assembly import signed_digits
from nanotrigger.datapath.shared_adders import Source, share
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_network import graph_of
from nanotrigger.networks import Network

_ROUNDING = 3  # bits of logic of a neuron's activation, beside those of its sum that it reads


def adder_bits(network: Network) -> int:
    """Return the bits of all adders of a chain of layers that shares them, and about those of biases and activations.

    It is in proportion to the ALUTs of the full count within some per cent, and takes a tenth of its time: a layer that
    did not change is not made again. Inputs take all words of their format; what nothing reads and what is constant is
    left out.

    Args:
        network: quantized, of fixed formats.
    """
    graph = graph_of(network)
    layers = [node for node in graph.nodes if isinstance(node, Dense)]
    read = [*(layer.weights.any(axis=1) for layer in layers[1:]), np.ones(len(layers[-1].bias), bool)]
    moves: NDArray[np.bool_] | np.bool_ = np.ones(len(layers[0].weights), bool)
    bits = 0
    for layer, is_read in zip(layers, read, strict=True):
        weights = np.where(np.outer(moves, is_read), layer.weights, 0)
        columns = tuple(
            tuple((place, weight) for place, weight in enumerate(column) if weight) for column in weights.T.tolist()
        )
        source = Source(graph.tensors[layer.inputs[0]].words, 0)
        digits = [sum(len(signed_digits(weight)) for _, weight in column) for column in columns]
        limits = tuple(max(number - 1, 0).bit_length() for number in digits)
        shared = share(columns, (source,) * len(weights), limits)
        bits += sum(max(adder.range.bits - max(adder.left.shift, adder.right.shift), 1) for adder in shared.adders)
        ranges = [source.range] * len(weights) + [adder.range for adder in shared.adders]
        for total, bias in zip(shared.sums, layer.bias.tolist(), strict=True):
            if total is not None:
                bits += ranges[total.node].bits * (1 + bool(bias)) // 2 + _ROUNDING
        moves = weights.any(axis=0)
    return bits
