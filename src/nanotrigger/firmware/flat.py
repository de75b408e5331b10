"""Flat: an integer graph as the ONNX network that hls4ml converts rightly, whatever file the graph came from.

hls4ml knows some layers not at all (sums over an axis, pooling in one dimension), gives others wrong values without
a word (depthwise convolutions for oneAPI), and wants all of them in forms of its own. Here tensors are vectors, and
layers are dense ones, quantizers, ReLUs, and sums and maxima of two. A convolution becomes the dense layer that it is
when all of its places are computed at once: with io_parallel and a reuse factor of 1 firmware has a multiplier for each
weight that is not zero in either form.
"""

from collections.abc import Sequence
from functools import reduce, singledispatchmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes

from nanotrigger.errors import InputError
from nanotrigger.firmware.vector_layers import (
    MOST_WEIGHTS,
    VectorLayers,
    common_format,
    format_of,
    joint,
)
from nanotrigger.graph.arrange import Arrange
from nanotrigger.graph.combine import Addition
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input, Node, Tensor
from nanotrigger.graph.normalize import QONNX_DOMAIN
from nanotrigger.graph.piecewise import Clip, LeakyRelu, Sign
from nanotrigger.graph.pool import MaxPool
from nanotrigger.graph.quantize import Conversion, Quantize, Relu
from nanotrigger.graph.quantize_channels import QuantizeChannels

FEATURES, OUTPUTS = "features", "outputs"


class Flat(VectorLayers):
    """The network of vectors that computes an integer graph, with one input and one output.

    Args:
        graph: that it computes.

    Attributes:
        number: format of all inputs, side by side, which are words of it already.
        tensors: names of the vectors that hold the graph's tensors, by the names of these.

    Raises:
        InputError: a node has no such form; the message names it.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__(FEATURES, OUTPUTS)
        self.graph = graph
        self.number = common_format([graph.tensors[node.output] for node in graph.inputs])
        self.tensors: dict[str, str] = {}
        begin, total = 0, sum(node.size for node in self.graph.inputs)
        for node in self.graph.inputs:
            places = np.arange(begin, begin + node.size)
            name = FEATURES if node.size == total else self.chosen(FEATURES, total, places, node.name)
            self.tensors[node.output], begin = name, begin + node.size
        for other in self.graph.nodes:
            if not isinstance(other, Input):
                sources = [self.tensors[name] for name in other.inputs]
                self.tensors[other.output] = self._write(other, sources, self.graph.inputs_of(other))
        last = [self.tensors[name] for name in self.graph.outputs]
        self._end_in(last[0] if len(last) == 1 else self._joined(last, self.graph.outputs))
        self._total = total

    def write(self, path: Path) -> None:
        """Write the network into a file."""
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
            for name, size in ((FEATURES, self._total), (OUTPUTS, self.words))
        ]
        graph = helper.make_graph(self.nodes, "flat", ends[:1], ends[1:], self.constants)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX_DOMAIN, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        ModelWrapper(model).transform(InferShapes()).save(str(path))

    @property
    def words(self) -> int:
        """Number of output words of an event."""
        return sum(self.graph.tensors[name].size for name in self.graph.outputs)

    def _end_in(self, last: str) -> None:
        """Give the last vector the output's name."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [OUTPUTS if name == last else name for name in names]
        self.tensors = {name: OUTPUTS if vector == last else vector for name, vector in self.tensors.items()}

    @singledispatchmethod
    def _write(self, node: Node, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        raise InputError(f"node {node.name}: hls4ml has no form for a {node.title}")

    @_write.register
    def _(self, node: Dense, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        if node.accumulator is not None:
            raise InputError(f"node {node.name}: its accumulator has a format of its own; give sums full precision")
        matrix, bias = _matrix(node, of[0])
        return self.product(sources[0], matrix, node.weight_step, node.name, bias, node.bias_step)

    @_write.register
    def _(self, node: Quantize, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        return self.quantized(sources[0], node.conversion, of[0], node.name, relu=node.relu)

    @_write.register
    def _(self, node: QuantizeChannels, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        parts, order = [], []
        for conversion in dict.fromkeys(node.conversions):
            places = np.array([place for place, other in enumerate(node.conversions) if other == conversion])
            chosen = self.chosen(sources[0], of[0].size, places, node.name)
            part = Tensor(places.shape, of[0].exponent, of[0].words)
            parts.append(self.quantized(chosen, conversion, part, node.name, relu=node.relu))
            order += places.tolist()
        known = self.graph.tensors[node.output]
        return self.chosen(self.concatenated(parts, known, node.name), known.size, np.argsort(order), node.name)

    @_write.register
    def _(self, node: Relu, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        return self.exactly("Relu", sources, self.graph.tensors[node.output], node.name)

    @_write.register
    def _(self, node: Addition, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        known = self.graph.tensors[node.output]
        spread = []
        for source, tensor in zip(sources, of, strict=True):
            places = np.broadcast_to(np.arange(tensor.size).reshape(tensor.shape), known.shape).ravel()
            spread.append(self.chosen(source, tensor.size, places, node.name))
        if node.sign < 0 or spread[0] == spread[1]:  # hls4ml stumbles over a vector that is added to itself
            spread[1] = self.product(spread[1], node.sign * np.eye(known.size, dtype=np.int64), 1.0, node.name)
        return self.exactly("Add", spread, known, node.name)

    @_write.register
    def _(self, node: MaxPool, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        inside = np.where(node.windows < 0, node.windows.max(axis=1, keepdims=True), node.windows)
        columns = [self.chosen(sources[0], of[0].size, places, node.name) for places in inside.T]
        known = self.graph.tensors[node.output]
        return reduce(lambda one, other: self.exactly("Max", [one, other], known, node.name), columns)

    @_write.register
    def _(self, node: Arrange, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        known = self.graph.tensors[node.output]
        whole = sources[0] if len(sources) == 1 else self.concatenated(sources, known, node.name)
        return self.chosen(whole, sum(tensor.size for tensor in of), node.table.ravel(), node.name)

    @_write.register
    def _(self, node: LeakyRelu, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        slope = node.slope * np.eye(of[0].size, dtype=np.int64)
        product = self.product(sources[0], slope, 2.0**node.slope_exponent, node.name)
        return self.exactly("Max", [sources[0], product], self.graph.tensors[node.output], node.name)

    @_write.register
    def _(self, node: Clip, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        result, known = sources[0], self.graph.tensors[node.output]
        for bound, kind in ((node.low, "Max"), (node.high, "Min")):
            if bound is not None:
                nothing, bounds = np.zeros((known.size,) * 2, np.int64), np.full(known.size, bound)
                limit = self.product(sources[0], nothing, 1.0, node.name, bounds, 2.0**node.exponent)
                result = self.exactly(kind, [result, limit], self._between(known, of[0]), node.name)
        return result

    @_write.register
    def _(self, node: Sign, sources: Sequence[str], of: Sequence[Tensor]) -> str:
        # cut off above all bits of a value, -1 or 0 are left; hls4ml takes one bit for a network of binary numbers
        size, step, places = of[0].size, node.number.step, of[0].exponent + of[0].words.bits
        above = Conversion(format_of(2, places, signed=True), rounding="FLOOR")
        negative = self.quantized(sources[0], above, of[0], node.name)
        doubled = 2 * np.eye(size, dtype=np.int64)
        return self.product(negative, doubled, step * 2.0**-places, node.name, np.ones(size, np.int64), step)

    @staticmethod
    def _between(known: Tensor, source: Tensor) -> Tensor:
        """Return a tensor that holds what is bounded on one side only."""
        return Tensor(known.shape, *joint([known, source]))

    def _joined(self, sources: Sequence[str], names: Sequence[str]) -> str:
        """Return all outputs side by side."""
        tensors = [self.graph.tensors[name] for name in names]
        return self.concatenated(sources, Tensor((self.words,), *joint(tensors)), OUTPUTS)


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
