"""Dense: constants times a tensor, summed, plus a bias; with a `Gather` also convolutions, sums and scalings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotrigger.datapath.assembly import Assembly, Products, Term
from nanotrigger.datapath.operations import Range, rounded, unshifted, wrapped
from nanotrigger.graph.gather import Gather, uses_of
from nanotrigger.graph.node import Node, Tensor, Words, as_wide_as, exponent_of, product_of, shifted_up
from nanotrigger.graph.quantize import Conversion
from nanotrigger.graph.shared_sums import shared_sums

_AT_ONCE = 1 << 22  # gathered words that are held at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense(Node):
    """A layer of neurons: each sums products of constants and values of the input, and adds a bias.

    Attributes:
        weights: words, shape (inputs, outputs).
        weight_step: value of one word.
        bias: words, shape (outputs,).
        bias_step: value of one word.
        accumulator: how each product is brought to the accumulator's format; None if sums are exact.
        gather: which values the neurons read at which places; None if all of them read the last axis.
        kind: what the datasheet calls the layer.
    """

    weights: Words
    weight_step: float
    bias: Words
    bias_step: float
    accumulator: Conversion | None = None
    gather: Gather | None = None
    kind: str = "dense"

    @property
    def title(self) -> str:
        """What the datasheet's picture calls it."""
        return self.kind

    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the exact range of the sums, over all outputs."""
        (source,) = inputs
        scale = self._scale(source)
        if self.accumulator is not None:
            ends = self.accumulator.words
            most = int(np.count_nonzero(self.weights, axis=0).max(initial=0))
            low, high = min(ends.low, 0) * most, max(ends.high, 0) * most
        else:
            words = self._gathered(source)
            positive = np.where(self.weights > 0, self.weights, 0).astype(object)
            negative = np.where(self.weights < 0, self.weights, 0).astype(object)
            lows = positive.sum(axis=0) * words.low + negative.sum(axis=0) * words.high
            highs = positive.sum(axis=0) * words.high + negative.sum(axis=0) * words.low
            low, high = int(min(lows)), int(max(highs))
        bias = [int(word) << scale.bias for word in self.bias.tolist()]
        words = Range((low << scale.sum) + min(bias), (high << scale.sum) + max(bias))
        shape = (*source.shape[:-1], len(self.bias)) if self.gather is None else self.gather.shape
        return Tensor(shape, scale.exponent, words)

    def compute(self, *inputs: Words, of: Sequence[Tensor]) -> Words:
        """Return the sums, bias included."""
        (words,), (source,) = inputs, of
        scale, bits = self._scale(source), self.infer(source).words.bits + 1
        if self.accumulator is None:
            sums = self._summed(words, self.weights, self._partial_bits(source))
        else:
            sums = self._accumulated(words, scale.drop, max(bits, source.words.bits + 32))
        return self._arranged(
            shifted_up(as_wide_as(sums, bits), scale.sum) + shifted_up(as_wide_as(self.bias, bits), scale.bias),
            source,
        )

    def lower(self, assembly: Assembly, *inputs: Sequence[int], of: Sequence[Tensor]) -> list[int]:
        """Add products and sums.

        The product of a signal and a constant is made once and serves every neuron that needs it, whatever its sign
        and power of two. The products of a neuron are added in a balanced tree, its bias after them. Constant signals
        become part of the biases. Where the assembly has bounds for the sums, neurons share adders instead.
        """
        (signals,), (source,) = inputs, of
        scale, taps = self._scale(source), self._taps(source)
        biases = self.bias.tolist()
        order = self._arranged(np.arange(taps.shape[1] * len(biases)).reshape(1, -1, len(biases)), source).ravel()
        bounds = assembly.bounds.get(self.name)
        if bounds is None:
            neurons, constants = self._products(assembly, signals, scale.drop, taps)
            totals = [assembly.tree(self.layer, terms) for terms in neurons]
        else:
            columns, constants = self._columns(assembly, signals, taps)
            ordered = [bounds[place] for place in np.argsort(order)]
            totals = shared_sums(assembly, self.layer, columns, ordered)
        sums = []
        for number, (total, constant) in enumerate(zip(totals, constants, strict=True)):
            shifted = None if total is None else total._replace(shift=total.shift + scale.sum)
            bias = biases[number % len(biases)] << scale.bias
            sums.append(assembly.offset(self.layer, shifted, (constant << scale.sum) + bias))
        return [sums[number] for number in order]

    def bit_operations(self, *inputs: Tensor) -> int:
        """Return each weight's bits, from its first to its last one that is set, times the bits of the input."""
        places = self._places(inputs[0])
        return product_bit_operations(self.weights, inputs[0].bits) * places

    def digit_pairs(self, *inputs: Tensor) -> int:
        """Return how many pairs of signed digits all sums have."""
        sizes = np.abs(self.weights).astype(np.int64)
        digits = np.bitwise_count(3 * sizes ^ sizes).sum(axis=0, dtype=np.int64)  # of each sum, canonical ones
        return self._places(inputs[0]) * int((digits * (digits - 1) // 2).sum())

    def largest_sum(self, *inputs: Words, of: Sequence[Tensor]) -> int:
        """Return the sum of the magnitudes of all terms."""
        (words,), (source,) = inputs, of
        scale = self._scale(source)
        bits = self._partial_bits(source)
        products = as_wide_as(self._summed(np.abs(words), np.abs(self.weights), bits), bits + scale.sum + 1)
        bias = as_wide_as(np.abs(self.bias), bits + scale.sum + 1)
        whole = shifted_up(products, scale.sum) + shifted_up(bias, scale.bias)
        return int(whole.max(initial=0))

    def remarks(self, *inputs: Tensor) -> tuple[str, ...]:
        """Say the layer's size and what its words are worth."""
        rows, neurons = self.weights.shape
        size = f"{self.layer}: {rows} inputs, {neurons} neurons, {(self.weights != 0).sum()} weights other than zero"
        steps = f"a weight word is {self.weight_step:g}, a bias word {self.bias_step:g}"
        product = () if self.accumulator is None else (f"each product as {self.accumulator}",)
        return (size, steps, *product)

    def _partial_bits(self, source: Tensor) -> int:
        """Return the bits that hold every partial sum of products, in whatever order is summed."""
        reach = int(np.abs(self.weights).astype(object).sum(axis=0).max(initial=0))
        return (reach * max(abs(source.words.low), abs(source.words.high))).bit_length() + 1

    def _scale(self, source: Tensor) -> "_Scale":
        exponent = source.exponent + exponent_of(self.weight_step)
        drop = 0 if self.accumulator is None else exponent_of(self.accumulator.number.step) - exponent
        exponent += drop
        bias = exponent_of(self.bias_step) if self.bias.any() else exponent
        common = min(exponent, bias)
        return _Scale(common, drop, exponent - common, bias - common)

    def _gathered(self, source: Tensor) -> Range:
        """Return the words that are read, zeros beyond the edge included."""
        words = source.words
        padded = self.gather is not None and bool((self.gather.taps < 0).any())
        return Range(min(words.low, 0), max(words.high, 0)) if padded else words

    def _places(self, source: Tensor) -> int:
        """Return at how many places each neuron works."""
        return source.size // len(self.weights) if self.gather is None else self.gather.taps.shape[1]

    def _taps(self, source: Tensor) -> NDArray[np.int64]:
        """Return positions of what is read, as in `Gather`."""
        return np.arange(source.size).reshape(1, -1, len(self.weights)) if self.gather is None else self.gather.taps

    def _summed(self, words: Words, weights: Words, bits: int) -> Words:
        """Return the sums, shape (events, places, neurons), of words of any shape; they need at most so many bits."""
        if self.gather is None:
            return product_of(words.reshape(len(words), -1, len(weights)), weights, bits)
        groups, places, taps = self.gather.taps.shape
        by_group = weights.reshape(taps, groups, -1).swapaxes(0, 1)  # (groups, taps, neurons of a group)
        flat, sums = words.reshape(len(words), -1), []
        rows = max(_AT_ONCE // self.gather.taps.size, 1)
        for start in range(0, max(len(flat), 1), rows):
            read = self.gather.read(flat[start : start + rows])
            if taps == 1:  # a product of matrices of one row and one column is slow
                part = as_wide_as(read, bits) * as_wide_as(by_group, bits)
            else:
                part = product_of(read, by_group, bits)
            sums.append(np.moveaxis(part, 1, 2).reshape(len(read), places, -1))
        return np.concatenate(sums)

    def _arranged(self, values: Words, source: Tensor) -> Words:
        """Return values of shape (events, places, neurons) in the shape of the output."""
        if self.gather is None:
            return values.reshape(len(values), *source.shape[:-1], len(self.bias))
        if not self.gather.neurons_last:
            values = values.swapaxes(1, 2)
        return values.reshape(len(values), *self.gather.shape)

    def _accumulated(self, words: Words, drop: int, bits: int) -> Words:
        """Return the sums of products, each of which the accumulator cuts off and wraps around."""
        assert self.accumulator is not None
        wide = as_wide_as(words, bits).reshape(len(words), -1, len(self.weights))
        sums = np.zeros((*wide.shape[:2], len(self.bias)), np.int64)
        for column, weights in enumerate(self.weights):
            products = rounded(wide[..., column, None] * weights, drop, half_to_even=self.accumulator.exact)
            sums = sums + wrapped(products, self.accumulator.words)
        return sums

    def _products(
        self, assembly: Assembly, inputs: Sequence[int], drop: int, taps: NDArray[np.int64]
    ) -> tuple[list[list[Term]], list[int]]:
        """Return the products of each neuron at each place, and the sum of its constant ones.

        The accumulator drops `drop` bits.
        """
        sums = taps.shape[1] * len(self.bias)
        neurons: list[list[Term]] = [[] for _ in range(sums)]
        constants = [0] * sums
        alone = (np.count_nonzero(self.weights, axis=0) == 1).tolist()
        products: dict[int, Products] = {}
        for signal, number, weight in self._weighted(assembly, inputs, taps):
            words = assembly.range_of(signal)
            if words.is_constant:
                constants[number] += rounded(weight * words.low, drop, half_to_even=False)
            else:
                if signal not in products:
                    products[signal] = Products(assembly, self.layer, signal)
                term = products[signal].times(weight, positive=alone[number % len(self.bias)])
                neurons[number].append(self._as_accumulated(assembly, term, drop))
        return neurons, constants

    def _columns(
        self, assembly: Assembly, inputs: Sequence[int], taps: NDArray[np.int64]
    ) -> tuple[list[dict[int, int]], list[int]]:
        """Return the weights of each neuron at each place, by the signals that they multiply, and its constant sum."""
        columns: list[dict[int, int]] = [{} for _ in range(taps.shape[1] * len(self.bias))]
        constants = [0] * len(columns)
        for signal, number, weight in self._weighted(assembly, inputs, taps):
            words = assembly.range_of(signal)
            if words.is_constant:
                constants[number] += weight * words.low
            else:
                columns[number][signal] = columns[number].get(signal, 0) + weight
        return [{signal: weight for signal, weight in column.items() if weight} for column in columns], constants

    def _weighted(
        self, assembly: Assembly, inputs: Sequence[int], taps: NDArray[np.int64]
    ) -> Iterator[tuple[int, int, int]]:
        """Yield each signal with a sum that it is part of and its weight there, if that is not zero.

        One with zeros below, as a coarser format has, is read without them.
        """
        groups, _, _ = taps.shape
        width = len(self.bias)
        of_group = width // groups
        rows = [[row[start : start + of_group] for start in range(0, width, of_group)] for row in self.weights.tolist()]
        for padded, uses in zip(inputs, uses_of(taps, len(inputs)), strict=True):
            signal, zeros = unshifted(assembly.operations, padded)
            for group, place, tap in uses:
                for neuron, weight in enumerate(rows[tap][group], start=group * of_group):
                    if weight:
                        yield signal, place * width + neuron, weight << zeros

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
