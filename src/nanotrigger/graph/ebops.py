"""Effective bit operations: a measure of logic that no tool and no rule of a synthesis enters."""

import numpy as np

from nanotrigger.graph.layers import IntegerNetwork, Words


def ebops(network: IntegerNetwork) -> int:
    """Return the effective bit operations of a network's products (HGQ, arXiv 2405.00645, eq. 5).

    Each product counts the weight's bits, from its first to its last one that is set, times the bits of the signal's
    format. Biases are no products.
    """
    signal, total = network.number.width, 0
    for layer in network.layers:
        total += product_ebops(layer.weights, signal)
        if layer.conversions:
            signal = layer.conversions[-1].number.width
    return total


def product_ebops(weights: Words, signal_bits: int | Words) -> int:
    """Return the effective bit operations of a layer's products.

    Args:
        weights: words, shape (inputs, outputs).
        signal_bits: width of every input, or of each, shape (inputs,).
    """
    return int((significant_bits(weights).sum(axis=1) * signal_bits).sum())


def significant_bits(words: Words) -> Words:
    """Return the bits of each word's magnitude between the first and the last that is set; zero for zero.

    >>> significant_bits(np.array([0, 1, -8, 6, 5]))
    array([0, 1, 1, 2, 3])
    """
    magnitudes = np.abs(words)
    lowest = magnitudes & -magnitudes
    odd = magnitudes // np.maximum(lowest, 1)
    return np.frexp(odd.astype(np.float64))[1].astype(np.int64)
