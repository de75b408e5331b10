"""Vector layers: all others of which hls4ml makes exact firmware: values that are chosen, quantized and compared."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nanotrigger.datapath.operations import Range
from nanotrigger.errors import InputError
from nanotrigger.firmware.layout import Vector, chosen_channels, inverse, transposed_axes
from nanotrigger.firmware.weight_layers import WeightLayers, check_weights
from nanotrigger.graph.gather import Table
from nanotrigger.graph.node import Tensor
from nanotrigger.graph.normalize import QONNX_DOMAIN
from nanotrigger.graph.quantize import HALF_EVEN, ROUNDINGS, Conversion
from nanotrigger.numbers import CoarseFixedPoint, FixedPoint, WideFixedPoint
from nanotrigger.numbers.fixed_point import WIDEST

_MOST_AXES = 3  # of a tensor that layers of hls4ml read


class VectorLayers(WeightLayers):
    """A network in the making; what adds a layer returns the tensor that it computes."""

    def chosen(self, source: Vector, places: Table, name: str, order: Table | None = None) -> Vector:
        """Return the values at some places of another tensor; -1 is a zero.

        Args:
            source: the other tensor.
            places: in the order of the result's values.
            name: of nodes.
            order: of the result in memory; by default that of the source, as far as there is one.
        """
        read = np.where(places < 0, -1, source.order[places])
        if order is None:
            if np.array_equal(np.sort(read), np.arange(source.size)):
                return replace(source, order=read)
            order = np.arange(read.size) if (read < 0).any() else inverse(np.argsort(read, kind="stable"))
        return self._gathered(source, read, order, name)

    def moved(self, source: Vector, order: Table, shape: tuple[int, ...], name: str) -> Vector:
        """Return the same values in another order and shape."""
        return self.shaped(self._gathered(source, source.order, order, name), shape)

    def _gathered(self, source: Vector, read: Table, order: Table, name: str) -> Vector:
        """Return a tensor in an order, each of whose values is what lies at a place of another one.

        Axes that change places cost nothing. All else is a dense layer of zeros and ones, over the channels if it does
        the same everywhere.
        """
        places = read[inverse(order)]
        if np.array_equal(places, np.arange(source.size)):
            return replace(source, order=order)
        axes = transposed_axes(places) if places.size == source.size else None
        if axes is not None:
            sizes = {step: size for size, step in axes}
            steps = sorted(sizes, reverse=True)
            whole = self.shaped(source, tuple(sizes[step] for step in steps))
            perm = (0, *(1 + steps.index(step) for _, step in axes))
            shape, last = tuple(size for size, _ in axes), axes[-1][0]
            moved = Vector(self._add("Transpose", [whole.name], name, shape, perm=perm), shape, order)
            return moved if len(axes) <= _MOST_AXES else self.shaped(moved, (places.size // last, last))
        channels = chosen_channels(places, source.shape[-1], source.size)
        if channels is None:
            source, channels = self.shaped(source, (source.size,)), places
        check_weights((source.shape[-1], channels.size), name)
        matrix = np.zeros((source.shape[-1], channels.size), np.int64)
        inside = np.flatnonzero(channels >= 0)
        matrix[channels[inside], inside] = 1
        shape = (*source.shape[:-1], channels.size)
        return Vector(self.over_channels(source, matrix, 1.0, name), shape, order)

    def quantized(self, source: Vector, conversion: Conversion, of: Tensor, name: str, *, relu: bool = False) -> Vector:
        """Add a quantizer, behind a ReLU if need be.

        hls4ml rounds to nearest, ties to even, or down. The other ways add something first, and those that depend on
        the sign do so with positive and negative values apart.
        """
        if not conversion.exact:
            raise InputError(f"node {name}: {conversion} has no form in hls4ml; give it a quantizer that saturates")
        if conversion.number.width == 1 and not conversion.number.signed:
            raise InputError(f"node {name}: one unsigned bit has no exact firmware; use two bits")
        drop = max(conversion.drop(of.exponent), 0)
        constant, negative = ROUNDINGS[conversion.rounding].added(drop) if drop else (0, 0)
        if relu:
            source = self.exactly("Relu", [source], _positive(of), f"{name}_relu")
        elif negative and of.words.low < 0:
            whole = format_of(max(of.words.bits_with_zero - drop + 2, 2), of.exponent + drop, signed=False)
            sides = [source, self.scaled(source, -1, 1.0, name)]
            flipped = Tensor(of.shape, of.exponent, of.words * -1)
            kept = [
                self.quantized(side, Conversion(whole, rounding=conversion.rounding), known, name, relu=True)
                for side, known in zip(sides, (of, flipped), strict=True)
            ]
            known = Tensor(of.shape, of.exponent + drop, _differences(whole))
            source = self.exactly("Add", [kept[0], self.scaled(kept[1], -1, 1.0, name)], known, name)
            constant = 0
        if constant:
            source = self.scaled(source, 1, 1.0, name, constant, of.step)
        is_even = conversion.rounding == HALF_EVEN or not drop
        number = conversion.number
        result = self._add(
            "Quant",
            [source.name, *(self._float(value) for value in (number.step, 0.0, float(number.width)))],
            name,
            source.shape,
            QONNX_DOMAIN,
            signed=int(number.signed),
            narrow=int(number.narrow),
            rounding_mode=HALF_EVEN if is_even else "FLOOR",
        )
        return replace(source, name=result)

    def concatenated(self, sources: Sequence[Vector], known: Tensor, name: str) -> Vector:
        """Return tensors side by side, hls4ml's way: two at a time; along the channels if there are the same places."""
        if len(sources) == 1:
            return sources[0]
        places = {source.shape[:-1] for source in sources}
        if len(places) > 1 or places == {()}:
            # of vectors of different sizes in streams hls4ml reads too few or too many values; of matrices it does not
            places = {(1,) if self.in_streams else ()}
            sources = [self.shaped(source, (*next(iter(places)), source.size)) for source in sources]
        lead, whole = next(iter(places)), sum(source.shape[-1] for source in sources)
        result, width, orders = sources[0].name, 0, []
        for place, source in enumerate(sources):
            channels = source.shape[-1]
            orders.append(source.order // channels * whole + width + source.order % channels)
            width += channels
            if place:
                names = [result, source.name]
                result = self._exact("Concat", names, known, name, (*lead, width), axis=len(lead) + 1)
        joined = Vector(result, (*lead, whole), np.concatenate(orders))
        return self.shaped(joined, (whole,)) if lead == (1,) else joined

    def exactly(self, kind: str, sources: Sequence[Vector], known: Tensor, name: str) -> Vector:
        """Add a node that works value by value, whose result has the full precision of what is known of it."""
        first = sources[0]
        alike = [first, *(self.moved(source, first.order, first.shape, name) for source in sources[1:])]
        return replace(first, name=self._exact(kind, [source.name for source in alike], known, name, first.shape))

    def _exact(
        self, kind: str, sources: Sequence[str], known: Tensor, name: str, shape: Sequence[int], **attributes: Any
    ) -> str:
        result = self._add(kind, sources, name, shape, **attributes)
        try:
            self.exact[self.nodes[-1].name] = common_format([known])
        except InputError as error:
            raise InputError(f"node {name}: {error}; put a quantizer before it") from None
        return result


def common_format(tensors: Sequence[Tensor]) -> FixedPoint:
    """Return a format that holds all words of some tensors."""
    exponent, words = joint(tensors)
    width = max(words.bits_with_zero, 2)
    return format_of(width, exponent, signed=words.low < 0)


def format_of(width: int, exponent: int, *, signed: bool) -> FixedPoint:
    """Return the format of so many bits whose words are worth two to the power of `exponent`."""
    if width > WIDEST:
        return WideFixedPoint(width, width + exponent, signed=signed)
    kind = FixedPoint if exponent <= 0 else CoarseFixedPoint
    return kind(width, width + exponent, signed=signed)


def joint(tensors: Sequence[Tensor]) -> tuple[int, Range]:
    """Return the finest step, as a power of two, and the range of all words in it."""
    exponent = min(tensor.exponent for tensor in tensors)
    ranges = [tensor.words * (1 << (tensor.exponent - exponent)) for tensor in tensors]
    return exponent, Range(min(one.low for one in ranges), max(one.high for one in ranges))


def _differences(number: FixedPoint) -> Range:
    """Return the differences of two words of an unsigned format."""
    return Range(-number.maximum_word, number.maximum_word)


def _positive(tensor: Tensor) -> Tensor:
    return Tensor(tensor.shape, tensor.exponent, Range(max(tensor.words.low, 0), max(tensor.words.high, 0)))
