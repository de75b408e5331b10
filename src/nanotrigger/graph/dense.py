"""Dense: constants times a tensor, summed, plus a bias."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanotrigger.datapath.assembly import Assembly, Products, Term
from nanotrigger.datapath.operations import Kind, Range, rounded, wrapped
from nanotrigger.graph.node import Node, Tensor, Words, as_wide_as, exponent_of, product_of, shifted_up
from nanotrigger.graph.quantize import Conversion


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense(Node):
    """A dense layer.

    Attributes:
        weights: words, shape (inputs, outputs).
        weight_step: value of one word.
        bias: words, shape (outputs,).
        bias_step: value of one word.
        accumulator: how each product is brought to the accumulator's format; None if sums are exact.
    """

    weights: Words
    weight_step: float
    bias: Words
    bias_step: float
    accumulator: Conversion | None = None

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return "dense"

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the exact range of the sums, over all outputs."""
        (source,) = inputs
        scale = self._scale(source)
        if self.accumulator is not None:
            ends = self.accumulator.words
            most = int(np.count_nonzero(self.weights, axis=0).max(initial=0))
            low, high = min(ends.low, 0) * most, max(ends.high, 0) * most
        else:
            positive = np.where(self.weights > 0, self.weights, 0).astype(object)
            negative = np.where(self.weights < 0, self.weights, 0).astype(object)
            lows = positive.sum(axis=0) * source.words.low + negative.sum(axis=0) * source.words.high
            highs = positive.sum(axis=0) * source.words.high + negative.sum(axis=0) * source.words.low
            low, high = int(min(lows)), int(max(highs))
        bias = [int(word) << scale.bias for word in self.bias.tolist()]
        words = Range((low << scale.sum) + min(bias), (high << scale.sum) + max(bias))
        return Tensor((*source.shape[:-1], len(self.bias)), scale.exponent, words)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return the sums, bias included."""
        (words,), (source,) = inputs, of
        scale, bits = self._scale(source), self.infer(source).words.bits + 1
        if self.accumulator is None:
            # what a partial sum can reach, in whatever order is summed
            reach = int(np.abs(self.weights).astype(object).sum(axis=0).max(initial=0))
            most = reach * max(abs(source.words.low), abs(source.words.high))
            sums = product_of(words, self.weights, most.bit_length() + 1)
        else:
            sums = self._accumulated(words, scale.drop, max(bits, source.words.bits + 32))
        bias = as_wide_as(self.bias, bits)
        return shifted_up(as_wide_as(sums, bits), scale.sum) + shifted_up(bias, scale.bias)

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add products and sums.

        The product of a signal and a constant is made once and serves every neuron that needs it, whatever its sign
        and power of two. The products of a neuron are added in a balanced tree, its bias after them. Constant signals
        become part of the biases.
        """
        (signals,), (source,) = inputs, of
        scale = self._scale(source)
        neurons, constants = self._products(assembly, signals, scale.drop)
        sums = []
        for terms, constant, bias in zip(neurons, constants, self.bias.tolist(), strict=True):
            total = _tree(assembly, self.layer, terms)
            if total is not None:
                total = total._replace(shift=total.shift + scale.sum)
            sums.append(assembly.offset(self.layer, total, (constant << scale.sum) + (bias << scale.bias)))
        return sums

    def bit_operations(self, *inputs: Tensor) -> int:
        """Return each weight's bits, from its first to its last one that is set, times the bits of the input."""
        return product_bit_operations(self.weights, inputs[0].bits)

    def largest_sum(self, *inputs: Words, of: Sequence[Tensor]) -> int:
        """Return the sum of the magnitudes of all terms."""
        (words,), (source,) = inputs, of
        scale = self._scale(source)
        products = product_of(np.abs(words), np.abs(self.weights), 62)
        whole = shifted_up(products, scale.sum) + shifted_up(np.abs(self.bias), scale.bias)
        return int(whole.max(initial=0))

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say the layer's size and what its words are worth."""
        rows, neurons = self.weights.shape
        size = f"{self.layer}: {rows} inputs, {neurons} neurons, {(self.weights != 0).sum()} weights other than zero"
        steps = f"a weight word is {self.weight_step:g}, a bias word {self.bias_step:g}"
        product = () if self.accumulator is None else (f"each product as {self.accumulator}",)
        return (size, steps, *product)

    def _scale(self, source: Tensor) -> "_Scale":
        exponent = source.exponent + exponent_of(self.weight_step)
        drop = 0 if self.accumulator is None else exponent_of(self.accumulator.number.step) - exponent
        exponent += drop
        bias = exponent_of(self.bias_step) if self.bias.any() else exponent
        common = min(exponent, bias)
        return _Scale(common, drop, exponent - common, bias - common)

    def _accumulated(self, words: Words, drop: int, bits: int) -> Words:
        """Return the sums of products, each of which the accumulator cuts off and wraps around."""
        assert self.accumulator is not None
        wide, sums = as_wide_as(words, bits), np.zeros((len(words), len(self.bias)), np.int64)
        for column, weights in enumerate(self.weights):
            products = rounded(wide[:, column, None] * weights, drop, half_to_even=self.accumulator.exact)
            sums = sums + wrapped(products, self.accumulator.words)
        return sums

    def _products(self, assembly: Assembly, inputs: Sequence[int], drop: int) -> tuple[list[list[Term]], list[int]]:
        """Return the products of each neuron, and the sum of its constant ones; the accumulator drops `drop` bits."""
        neurons: list[list[Term]] = [[] for _ in self.bias]
        constants = [0] * len(neurons)
        alone = (np.count_nonzero(self.weights, axis=0) == 1).tolist()
        for signal, row in zip(inputs, self.weights.tolist(), strict=True):
            words = assembly.range_of(signal)
            products = Products(assembly, self.layer, signal)
            for neuron, weight in enumerate(row):
                if words.is_constant:
                    constants[neuron] += rounded(weight * words.low, drop, half_to_even=False)
                elif weight:
                    term = products.times(weight, positive=alone[neuron])
                    neurons[neuron].append(self._as_accumulated(assembly, term, drop))
        return neurons, constants

    def _as_accumulated(self, assembly: Assembly, term: Term, drop: int) -> Term:
        """Return a product in the accumulator's format, if there is one."""
        if self.accumulator is None:
            return term
        signal = assembly.offset(self.layer, term, 0)
        words, exact = self.accumulator.words, self.accumulator.exact
        return Term(assembly.quantize(self.layer, signal, words, drop, relu=False, exact=exact))


@dataclass(frozen=True)
class _Scale:
    """How sums and biases come to one power of two.

    Attributes:
        exponent: of the result.
        drop: bits that the accumulator drops of a product.
        sum, bias: by how many bits the sum of products and the bias are shifted up.
    """

    exponent: int
    drop: int
    sum: int
    bias: int


def product_bit_operations(weights: Words, signal_bits: int | Words) -> int:
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
