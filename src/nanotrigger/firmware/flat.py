"""Flat: an integer graph as the ONNX network that hls4ml converts rightly, whatever file the graph came from.

hls4ml knows some layers not at all (sums over an axis, pooling in one dimension), gives others wrong values without
a word (depthwise convolutions for oneAPI), and wants all of them in forms of its own. Here tensors are vectors, and
layers are dense ones, quantizers, ReLUs, and sums and maxima of two. A convolution becomes the dense layer that it is
when all of its places are computed at once: with io_parallel and a reuse factor of 1 firmware has a multiplier for each
weight that is not zero in either form.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce, singledispatchmethod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes

from nanotrigger.datapath.operations import Range
from nanotrigger.errors import InputError
from nanotrigger.graph.arrange import Arrange
from nanotrigger.graph.combine import Addition
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input, Node, Tensor
from nanotrigger.graph.piecewise import Clip, LeakyRelu, Sign
from nanotrigger.graph.pool import MaxPool
from nanotrigger.graph.quantize import HALF_EVEN, ROUNDINGS, Conversion, Quantize, Relu
from nanotrigger.graph.quantize_channels import QuantizeChannels
from nanotrigger.numbers import CoarseFixedPoint, FixedPoint

FEATURES, OUTPUTS = "features", "outputs"
MOST_WEIGHTS = 1 << 20  # of a layer, those that are zero included
_MOST_BITS = 24  # of a constant: float32 holds it
_QONNX = "qonnx.custom_op.general"

Table = NDArray[np.int64]


@dataclass
class Flat:
    """The network in the making, and what came of it.

    Attributes:
        graph: that it computes.
        number: format of all inputs, which are words of it already.
        tensors: names of the vectors that hold the graph's tensors, by the names of these.
        exact: names of nodes whose results have the full precision of what they read, with their formats.
    """

    graph: Graph
    number: FixedPoint = field(init=False)
    tensors: dict[str, str] = field(default_factory=dict)
    exact: dict[str, FixedPoint] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.number = common_format([self.graph.tensors[node.output] for node in self.graph.inputs])
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._names: set[str] = {FEATURES, OUTPUTS}
        begin, total = 0, sum(node.size for node in self.graph.inputs)
        for node in self.graph.inputs:
            places = np.arange(begin, begin + node.size)
            name = FEATURES if node.size == total else self._chosen(FEATURES, total, places, node.name)
            self.tensors[node.output], begin = name, begin + node.size
        for other in self.graph.nodes:
            if not isinstance(other, Input):
                sources = [self.tensors[name] for name in other.inputs]
                self.tensors[other.output] = self._write(other, sources, self.graph.inputs_of(other))
        last = [self.tensors[name] for name in self.graph.outputs]
        self._last = last[0] if len(last) == 1 else self._joined(last, self.graph.outputs)
        self._total = total

    def write(self, path: Path) -> None:
        """Write the network into a file."""
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
            for name, size in ((FEATURES, self._total), (OUTPUTS, self.words))
        ]
        for node in self._nodes:
            for names in (node.input, node.output):
                names[:] = [OUTPUTS if name == self._last else name for name in names]
        self.tensors = {name: OUTPUTS if flat == self._last else flat for name, flat in self.tensors.items()}
        graph = helper.make_graph(self._nodes, "flat", ends[:1], ends[1:], self._constants)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid(_QONNX, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        ModelWrapper(model).transform(InferShapes()).save(str(path))

    @property
    def words(self) -> int:
        """Number of output words of an event."""
        return sum(self.graph.tensors[name].size for name in self.graph.outputs)

    @singledispatchmethod
    def _write(self, node: Node, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        raise InputError(f"node {node.name}: hls4ml has no form for a {node.title}")

    @_write.register
    def _(self, node: Dense, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        if node.accumulator is not None:
            raise InputError(f"node {node.name}: its accumulator has a format of its own; give sums full precision")
        matrix, bias = _matrix(node, of[0])
        return self._product(sources[0], matrix, node.weight_step, node.name, bias, node.bias_step)

    @_write.register
    def _(self, node: Quantize, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        return self._quantized(sources[0], node.conversion, of[0], node.name, relu=node.relu)

    @_write.register
    def _(self, node: QuantizeChannels, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        parts, order = [], []
        for conversion in dict.fromkeys(node.conversions):
            places = np.array([place for place, other in enumerate(node.conversions) if other == conversion])
            chosen = self._chosen(sources[0], of[0].size, places, node.name)
            part = Tensor(places.shape, of[0].exponent, of[0].words)
            parts.append(self._quantized(chosen, conversion, part, node.name, relu=node.relu))
            order += places.tolist()
        known = self.graph.tensors[node.output]
        return self._chosen(self._concatenated(parts, known, node.name), known.size, np.argsort(order), node.name)

    @_write.register
    def _(self, node: Relu, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        return self._exactly("Relu", sources, self.graph.tensors[node.output], node.name)

    @_write.register
    def _(self, node: Addition, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        known = self.graph.tensors[node.output]
        spread = []
        for source, tensor in zip(sources, of, strict=True):
            places = np.broadcast_to(np.arange(tensor.size).reshape(tensor.shape), known.shape).ravel()
            spread.append(self._chosen(source, tensor.size, places, node.name))
        if node.sign < 0 or spread[0] == spread[1]:  # hls4ml stumbles over a vector that is added to itself
            spread[1] = self._product(spread[1], node.sign * np.eye(known.size, dtype=np.int64), 1.0, node.name)
        return self._exactly("Add", spread, known, node.name)

    @_write.register
    def _(self, node: MaxPool, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        inside = np.where(node.windows < 0, node.windows.max(axis=1, keepdims=True), node.windows)
        columns = [self._chosen(sources[0], of[0].size, places, node.name) for places in inside.T]
        known = self.graph.tensors[node.output]
        return reduce(lambda one, other: self._exactly("Max", [one, other], known, node.name), columns)

    @_write.register
    def _(self, node: Arrange, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        known = self.graph.tensors[node.output]
        whole = sources[0] if len(sources) == 1 else self._concatenated(sources, known, node.name)
        return self._chosen(whole, sum(tensor.size for tensor in of), node.table.ravel(), node.name)

    @_write.register
    def _(self, node: LeakyRelu, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        slope = node.slope * np.eye(of[0].size, dtype=np.int64)
        product = self._product(sources[0], slope, 2.0**node.slope_exponent, node.name)
        return self._exactly("Max", [sources[0], product], self.graph.tensors[node.output], node.name)

    @_write.register
    def _(self, node: Clip, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        result, known = sources[0], self.graph.tensors[node.output]
        for bound, kind in ((node.low, "Max"), (node.high, "Min")):
            if bound is not None:
                nothing, bounds = np.zeros((known.size,) * 2, np.int64), np.full(known.size, bound)
                limit = self._product(sources[0], nothing, 1.0, node.name, bounds, 2.0**node.exponent)
                result = self._exactly(kind, [result, limit], self._between(known, of[0]), node.name)
        return result

    @_write.register
    def _(self, node: Sign, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        # cut off above all bits of a value, -1 or 0 are left; hls4ml takes one bit for a network of binary numbers
        size, step, places = of[0].size, node.number.step, of[0].exponent + of[0].words.bits
        above = Conversion(_format(2, places, signed=True), rounding="FLOOR")
        negative = self._quantized(sources[0], above, of[0], node.name)
        doubled = 2 * np.eye(size, dtype=np.int64)
        return self._product(negative, doubled, step * 2.0**-places, node.name, np.ones(size, np.int64), step)

    @staticmethod
    def _between(known: Tensor, source: Tensor) -> Tensor:
        """Return a tensor that holds what is bounded on one side only."""
        return Tensor(known.shape, *_joint([known, source]))

    def _chosen(self, source: str, size: int, places: Table, name: str) -> str:
        """Return a vector of the values at some places of another one; -1 is a zero."""
        if np.array_equal(places, np.arange(size)):
            return source
        matrix = np.zeros((size, len(places)), np.int64)
        columns = np.flatnonzero(places >= 0)
        matrix[places[columns], columns] = 1
        return self._product(source, matrix, 1.0, name)

    def _product(
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

    def _quantized(self, source: str, conversion: Conversion, of: Tensor, name: str, *, relu: bool = False) -> str:
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
            source = self._exactly("Relu", [source], _positive(of), f"{name}_relu")
        elif negative and of.words.low < 0:
            one = np.eye(of.size, dtype=np.int64)
            whole = _format(max(of.words.bits - drop + 2, 2), of.exponent + drop, signed=False)
            sides = [source, self._product(source, -one, 1.0, name)]
            flipped = Tensor(of.shape, of.exponent, of.words * -1)
            kept = [
                self._quantized(side, Conversion(whole, rounding=conversion.rounding), known, name, relu=True)
                for side, known in zip(sides, (of, flipped), strict=True)
            ]
            known = Tensor(of.shape, of.exponent + drop, whole_range(whole))
            source = self._exactly("Add", [kept[0], self._product(kept[1], -one, 1.0, name)], known, name)
            constant = 0
        if constant:
            one, added = np.eye(of.size, dtype=np.int64), np.full(of.size, constant)
            source = self._product(source, one, 1.0, name, added, of.step)
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

    def _concatenated(self, sources: Sequence[str], known: Tensor, name: str) -> str:
        """Return vectors side by side, hls4ml's way: two at a time."""
        return reduce(lambda one, other: self._exactly("Concat", [one, other], known, name, axis=1), sources)

    def _joined(self, sources: Sequence[str], names: Sequence[str]) -> str:
        """Return all outputs side by side."""
        tensors = [self.graph.tensors[name] for name in names]
        return self._concatenated(sources, Tensor((self.words,), *_joint(tensors)), OUTPUTS)

    def _exactly(self, kind: str, sources: Sequence[str], known: Tensor, name: str, **attributes: int) -> str:
        """Add a node whose result has the full precision of what is known of it."""
        result = self._add(kind, sources, name, **attributes)
        self.exact[self._nodes[-1].name] = common_format([known])
        return result

    def _constant(self, words: NDArray[np.int64], step: float, name: str) -> str:
        """Add quantized constants, which tell hls4ml their format."""
        bits = max(int(np.abs(words).max(initial=0)).bit_length() + 1, 2)
        if bits > _MOST_BITS:
            raise InputError(f"node {name}: constants of {bits} bits; at most {_MOST_BITS}")
        values = [self._float(value) for value in (words * step, step, 0.0, float(bits))]
        return self._add("Quant", values, f"{name}_constant", signed=1, narrow=0, rounding_mode=HALF_EVEN)

    def _float(self, values: Any) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def _add(self, kind: str, sources: Sequence[str], name: str, **attributes: int | str) -> str:
        """Add a node; return its tensor. Names are those of C++."""
        plain = re.sub(r"\W", "_", name)
        plain = plain if re.match(r"[A-Za-z]", plain) else f"node_{plain}"
        number, unique = 1, plain
        while unique in self._names:
            number, unique = number + 1, f"{plain}_{number + 1}"
        self._names.add(unique)
        self._nodes.append(
            helper.make_node(
                kind,
                list(sources),
                [f"{unique}_out"],
                name=unique,
                domain=_QONNX if kind == "Quant" else "",
                **attributes,
            )
        )
        return f"{unique}_out"


def common_format(tensors: Sequence[Tensor]) -> FixedPoint:
    """Return a format that holds all words of some tensors."""
    exponent, words = _joint(tensors)
    width = max(Range(min(words.low, 0), max(words.high, 0)).bits, 2)
    return _format(width, exponent, signed=words.low < 0)


def whole_range(number: FixedPoint) -> Range:
    """Return the differences of two words of an unsigned format."""
    return Range(-number.maximum_word, number.maximum_word)


def _positive(tensor: Tensor) -> Tensor:
    return Tensor(tensor.shape, tensor.exponent, Range(max(tensor.words.low, 0), max(tensor.words.high, 0)))


def _format(width: int, exponent: int, *, signed: bool) -> FixedPoint:
    kind = FixedPoint if exponent <= 0 else CoarseFixedPoint
    return kind(width, width + exponent, signed=signed)


def _joint(tensors: Sequence[Tensor]) -> tuple[int, Range]:
    """Return the finest step, as a power of two, and the range of all words in it."""
    exponent = min(tensor.exponent for tensor in tensors)
    ranges = [tensor.words * (1 << (tensor.exponent - exponent)) for tensor in tensors]
    return exponent, Range(min(one.low for one in ranges), max(one.high for one in ranges))


def _matrix(node: Dense, source: Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return weights, shape (values that are read, values that are computed), and biases of a layer's every place."""
    inputs, neurons = node.weights.shape
    if node.gather is None:
        places = source.size // inputs
        taps = np.arange(source.size).reshape(1, places, inputs)
        last = True
    else:
        taps, last = node.gather.taps, node.gather.neurons_last
    groups, places, _ = taps.shape
    of_group = neurons // groups
    result = np.arange(neurons * places).reshape((places, neurons) if last else (neurons, places))
    if source.size * result.size > MOST_WEIGHTS:
        raise InputError(
            f"node {node.name}: {source.size} × {result.size} products are written one by one; at most {MOST_WEIGHTS:,}"
        )
    matrix, bias = np.zeros((source.size, result.size), np.int64), np.zeros(result.size, np.int64)
    for neuron in range(neurons):
        columns = result[:, neuron] if last else result[neuron]
        bias[columns] = int(node.bias[neuron])
        for place, column in enumerate(columns.tolist()):
            read = taps[neuron // of_group, place]
            inside = read >= 0
            np.add.at(matrix[:, column], read[inside], node.weights[inside, neuron].astype(np.int64))
    return matrix, bias
