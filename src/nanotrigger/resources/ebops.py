"""Effective bit operations: a measure of logic that no tool and no rule of a synthesis enters."""

import numpy as np

from nanotrigger.resources.layers import IntegerNetwork, Words


def ebops(network: IntegerNetwork) -> int:
    """Return the effective bit operations of a network's products (HGQ, arXiv 2405.00645, eq. 5).

    Each product counts the weight's bits, from its first to its last one that is set, times the bits of the signal's
    format. Biases are no products.
    """
    signal, total = network.number.width, 0
    for layer in network.layers:
        total += int(significant_bits(layer.weights).sum()) * signal
        if layer.conversions:
            signal = layer.conversions[-1].number.width
    return total


def significant_bits(words: Words) -> Words:
    """Return the bits of each word's magnitude between the first and the last that is set; zero for zero.

    >>> significant_bits(np.array([0, 1, -8, 6, 5]))
    array([0, 1, 1, 2, 3])
    """
    magnitudes = np.abs(words)
    lowest = magnitudes & -magnitudes
    odd = magnitudes // np.maximum(lowest, 1)
    return np.frexp(odd.astype(np.float64))[1].astype(np.int64)
