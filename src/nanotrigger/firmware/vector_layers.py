"""Vector layers: the few layers of which hls4ml makes exact firmware, as nodes of an ONNX network."""

import re
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from nanotrigger.datapath.operations import Range
from nanotrigger.errors import InputError
from nanotrigger.graph.gather import Table
from nanotrigger.graph.node import Tensor
from nanotrigger.graph.normalize import QONNX_DOMAIN
from nanotrigger.graph.quantize import HALF_EVEN, ROUNDINGS, Conversion
from nanotrigger.numbers import CoarseFixedPoint, FixedPoint

MOST_WEIGHTS = 1 << 20  # of a layer, those that are zero included
_MOST_BITS = 24  # of a constant: float32 holds it


class VectorLayers:
    """A network of vectors in the making; what adds a layer returns the name of the vector that it computes.

    Args:
        taken: names that no node may have.

    Attributes:
        nodes: of the network, in order.
        constants: of the network.
        exact: names of nodes whose results have the full precision of what they read, with their formats.
    """

    def __init__(self, *taken: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.exact: dict[str, FixedPoint] = {}
        self._names = set(taken)

    def chosen(self, source: str, size: int, places: Table, name: str) -> str:
        """Return a vector of the values at some places of another one; -1 is a zero."""
        if np.array_equal(places, np.arange(size)):
            return source
        matrix = np.zeros((size, len(places)), np.int64)
        columns = np.flatnonzero(places >= 0)
        matrix[places[columns], columns] = 1
        return self.product(source, matrix, 1.0, name)

    def product(
        self,
        source: str,
        matrix: NDArray[np.int64],
        step: float,
        name: str,
        bias: NDArray[np.int64] | None = None,
        bias_step: float = 1.0,
    ) -> str:
        """Add a dense layer."""
        if matrix.size > MOST_WEIGHTS:
            shape = " × ".join(map(str, matrix.shape))
            raise InputError(f"node {name}: {shape} products are written one by one; at most {MOST_WEIGHTS:,}")
        product = self._add("MatMul", [source, self._constant(matrix, step, name)], name)
        if bias is None or not bias.any():
            return product
        return self._add("Add", [product, self._constant(bias, bias_step, name)], f"{name}_bias")

    def quantized(self, source: str, conversion: Conversion, of: Tensor, name: str, *, relu: bool = False) -> str:
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
            one = np.eye(of.size, dtype=np.int64)
            whole = format_of(max(of.words.bits - drop + 2, 2), of.exponent + drop, signed=False)
            sides = [source, self.product(source, -one, 1.0, name)]
            flipped = Tensor(of.shape, of.exponent, of.words * -1)
            kept = [
                self.quantized(side, Conversion(whole, rounding=conversion.rounding), known, name, relu=True)
                for side, known in zip(sides, (of, flipped), strict=True)
            ]
            known = Tensor(of.shape, of.exponent + drop, _differences(whole))
            source = self.exactly("Add", [kept[0], self.product(kept[1], -one, 1.0, name)], known, name)
            constant = 0
        if constant:
            one, added = np.eye(of.size, dtype=np.int64), np.full(of.size, constant)
            source = self.product(source, one, 1.0, name, added, of.step)
        is_even = conversion.rounding == HALF_EVEN or not drop
        number = conversion.number
        return self._add(
            "Quant",
            [source, *(self._float(value) for value in (number.step, 0.0, float(number.width)))],
            name,
            signed=int(number.signed),
            narrow=int(number.narrow),
            rounding_mode=HALF_EVEN if is_even else "FLOOR",
        )

    def concatenated(self, sources: Sequence[str], known: Tensor, name: str) -> str:
        """Return vectors side by side, hls4ml's way: two at a time."""
        return reduce(lambda one, other: self.exactly("Concat", [one, other], known, name, axis=1), sources)

    def exactly(self, kind: str, sources: Sequence[str], known: Tensor, name: str, **attributes: int) -> str:
        """Add a node whose result has the full precision of what is known of it."""
        result = self._add(kind, sources, name, **attributes)
        try:
            self.exact[self.nodes[-1].name] = common_format([known])
        except InputError as error:
            raise InputError(f"node {name}: {error}; put a quantizer before it") from None
        return result

    def _constant(self, words: NDArray[np.int64], step: float, name: str) -> str:
        """Add quantized constants, which tell hls4ml their format."""
        bits = max(int(np.abs(words).max(initial=0)).bit_length() + 1, 2)
        if bits > _MOST_BITS:
            raise InputError(f"node {name}: constants of {bits} bits; at most {_MOST_BITS}")
        values = [self._float(value) for value in (words * step, step, 0.0, float(bits))]
        return self._add("Quant", values, f"{name}_constant", signed=1, narrow=0, rounding_mode=HALF_EVEN)

    def _float(self, values: Any) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def _add(self, kind: str, sources: Sequence[str], name: str, **attributes: int | str) -> str:
        """Add a node; return its tensor. Names are those of C++."""
        plain = re.sub(r"\W", "_", name)
        plain = plain if re.match(r"[A-Za-z]", plain) else f"node_{plain}"
        number, unique = 1, plain
        while unique in self._names:
            number, unique = number + 1, f"{plain}_{number + 1}"
        self._names.add(unique)
        self.nodes.append(
            helper.make_node(
                kind,
                list(sources),
                [f"{unique}_out"],
                name=unique,
                domain=QONNX_DOMAIN if kind == "Quant" else "",
                **attributes,
            )
        )
        return f"{unique}_out"


def common_format(tensors: Sequence[Tensor]) -> FixedPoint:
    """Return a format that holds all words of some tensors."""
    exponent, words = joint(tensors)
    width = max(Range(min(words.low, 0), max(words.high, 0)).bits, 2)
    return format_of(width, exponent, signed=words.low < 0)


def format_of(width: int, exponent: int, *, signed: bool) -> FixedPoint:
    """Return the format of so many bits whose words are worth two to the power of `exponent`."""
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
