"""Unroll: the datapath of a network at reuse factor 1."""

import math
from collections.abc import Sequence

import numpy as np

from nanotrigger.datapath.assembly import Assembly, Term
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Input, Kind, rounded
from nanotrigger.datapath.products import Products
from nanotrigger.datapath.ranges import Range
from nanotrigger.graph.layers import Conversion, IntegerNetwork, Layer
from nanotrigger.numbers import FixedPoint

INPUT = "input"  # the layer to which the input words belong


def unroll(network: IntegerNetwork) -> Datapath:
    """Return the fully unrolled datapath of a network.

    The product of a signal and a constant is made once and serves every neuron that needs it, whatever its sign and
    power of two. The products of a neuron are added in a balanced tree, its bias after them. Constant signals become
    part of the biases. The input's quantizer costs nothing: words arrive in its format.
    """
    assembly = Assembly()
    words = _words(network.number)
    features = len(network.layers[0].weights)
    signals = [assembly.append(Input(INPUT, Kind.INPUT, words, column)) for column in range(features)]
    exponent = _exponent(network.number.step)
    for layer in network.layers:
        signals, exponent = _dense(assembly, layer, signals, exponent)
        for conversion in layer.conversions:
            signals, exponent = _converted(assembly, layer.name, signals, conversion, exponent)
    last = network.layers[-1].conversions[-1:]
    bits = [last[0].number.width if last else assembly.range_of(signal).bits for signal in signals]
    return Datapath(tuple(assembly.operations), tuple(signals), tuple(bits), math.ldexp(1.0, exponent))


def _dense(assembly: Assembly, layer: Layer, inputs: Sequence[int], exponent: int) -> tuple[list[int], int]:
    """Add the products and sums of a layer; return its sums, bias included, and the exponent of their step."""
    exponent += _exponent(layer.weight_step)
    drop = 0 if layer.accumulator is None else _exponent(layer.accumulator.number.step) - exponent
    neurons, constants = _products(assembly, layer, inputs, drop)
    exponent += drop
    bias_exponent = _exponent(layer.bias_step) if layer.bias.any() else exponent
    common = min(exponent, bias_exponent)
    sums = []
    for terms, constant, bias in zip(neurons, constants, layer.bias.tolist(), strict=True):
        total = _tree(assembly, layer.name, terms)
        if total is not None:
            total = total._replace(shift=total.shift + exponent - common)
        offset = (constant << (exponent - common)) + (bias << (bias_exponent - common))
        sums.append(assembly.offset(layer.name, total, offset))
    return sums, common


def _products(assembly: Assembly, layer: Layer, inputs: Sequence[int], drop: int) -> tuple[list[list[Term]], list[int]]:
    """Return the products of each neuron, and the sum of its constant ones; the accumulator drops `drop` bits."""
    neurons: list[list[Term]] = [[] for _ in layer.bias]
    constants = [0] * len(neurons)
    alone = (np.count_nonzero(layer.weights, axis=0) == 1).tolist()
    for signal, row in zip(inputs, layer.weights.tolist(), strict=True):
        words = assembly.range_of(signal)
        products = Products(assembly, layer.name, signal)
        for neuron, weight in enumerate(row):
            if words.is_constant:
                constants[neuron] += rounded(weight * words.low, drop, half_to_even=False)
            elif weight:
                term = products.times(weight, positive=alone[neuron])
                neurons[neuron].append(_accumulated(assembly, layer, term, drop))
    return neurons, constants


def _tree(assembly: Assembly, layer: str, terms: list[Term]) -> Term | None:
    """Return the sum of all terms; those that are ready first are added first."""
    level = 0
    while len(terms) > 1:
        ready = [term for term in terms if assembly.level_of(term.signal) <= level]
        late = [term for term in terms if assembly.level_of(term.signal) > level]
        pairs = zip(ready[::2], ready[1::2], strict=False)
        sums = [assembly.add(layer, Kind.TREE, pair, positive=len(terms) == 2) for pair in pairs]
        terms = sums + ready[2 * len(sums) :] + late
        level += 1
    return terms[0] if terms else None


def _accumulated(assembly: Assembly, layer: Layer, term: Term, drop: int) -> Term:
    """Return a product in the accumulator's format, if there is one."""
    if layer.accumulator is None:
        return term
    signal = assembly.offset(layer.name, term, 0)
    words, exact = _words(layer.accumulator.number), layer.accumulator.exact
    return Term(assembly.quantize(layer.name, signal, words, drop, relu=False, exact=exact))


def _converted(
    assembly: Assembly, layer: str, signals: Sequence[int], conversion: Conversion, exponent: int
) -> tuple[list[int], int]:
    """Bring signals to another format; return them, and the exponent of their step."""
    target = _exponent(conversion.number.step)
    words = _words(conversion.number)
    return [
        assembly.quantize(layer, signal, words, target - exponent, relu=conversion.relu, exact=conversion.exact)
        for signal in signals
    ], target


def _words(number: FixedPoint) -> Range:
    return Range(number.minimum_word, number.maximum_word)


def _exponent(step: float) -> int:
    """Return the power of two that a step is."""
    return math.frexp(step)[1] - 1
