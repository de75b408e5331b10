"""Flat: an integer graph as the ONNX network that hls4ml converts rightly, whatever file the graph came from.

hls4ml knows some layers not at all (sums over an axis), gives others wrong values without a word (depthwise
convolutions for oneAPI), and wants all of them in forms of its own. Here convolutions have all channels in one group,
and the channels last; so has max-pooling. All else is dense layers, over all values or over the channels of each place,
quantizers, ReLUs, and sums and maxima of two.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce, singledispatchmethod
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from nanotrigger.errors import InputError
from nanotrigger.firmware.images import kernel_of, matrix_of, over_two_axes, pools, scales_of, slides
from nanotrigger.firmware.layout import Vector, in_order, inverse, transposed_axes, with_last
from nanotrigger.firmware.vector_layers import VectorLayers, common_format, format_of, joint
from nanotrigger.graph.arrange import Arrange
from nanotrigger.graph.combine import Addition
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.evaluate import CHANNELS_LAST
from nanotrigger.graph.gather import Windows
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input, Node, Tensor
from nanotrigger.graph.normalize import QONNX_DOMAIN
from nanotrigger.graph.piecewise import Clip, LeakyRelu, Sign
from nanotrigger.graph.pool import MaxPool
from nanotrigger.graph.quantize import Conversion, Quantize, Relu
from nanotrigger.graph.quantize_channels import QuantizeChannels
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import WIDEST

FEATURES, OUTPUTS = "features", "outputs"
_OPSET = 13


class Flat(VectorLayers):
    """The network that computes an integer graph, with one input and one output, both vectors in the graph's order.

    Args:
        graph: that it computes.
        io_type: how layers hand over their values, `io_parallel` or `io_stream`.

    Attributes:
        number: format of all inputs, side by side, which are words of it already.
        vectors: tensors of the firmware that hold the graph's tensors, by the names of these.

    Raises:
        InputError: a node has no such form; the message names it.
    """

    def __init__(self, graph: Graph, io_type: str = "io_parallel") -> None:
        super().__init__(FEATURES, OUTPUTS, in_streams=io_type == "io_stream")
        self.graph = graph
        self.number = _handed_over("inputs", [graph.tensors[node.output] for node in graph.inputs])
        _handed_over("outputs", [graph.tensors[name] for name in graph.outputs])
        self.vectors: dict[str, Vector] = {}
        self._total = sum(node.size for node in graph.inputs)
        begin, features = 0, in_order(FEATURES, (self._total,))
        for node in self.graph.inputs:
            places = np.arange(begin, begin + node.size)
            self.vectors[node.output], begin = self.chosen(features, places, node.name), begin + node.size
        readers = Counter([*graph.outputs, *(name for node in graph.nodes for name in node.inputs)])
        for other in self.graph.nodes:
            if not isinstance(other, Input):
                sources = [self.vectors[name] for name in other.inputs]
                result, known = self._write(other, sources, self.graph.inputs_of(other)), graph.tensors[other.output]
                if readers[other.output] > 1 and (isinstance(other, Dense) or self._is_product(result.name)):
                    # hls4ml makes the first quantizer a part of the layer, also for what reads the layer without it
                    result = self.quantized(result, Conversion(common_format([known])), known, other.name)
                self.vectors[other.output] = result
        last = self._joined([self.vectors[name] for name in self.graph.outputs])
        self._end_in(self.moved(last, np.arange(self.words), (self.words,), OUTPUTS).name)

    @property
    def tensors(self) -> dict[str, str]:
        """Names of the firmware's tensors that hold those of the graph, by the names of these."""
        return {name: vector.name for name, vector in self.vectors.items()}

    def write(self, path: Path) -> None:
        """Write the network into a file."""
        starts, ends = (
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])]
            for name, size in ((FEATURES, self._total), (OUTPUTS, self.words))
        )
        shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in self.known.items()]
        shapes += [helper.make_tensor_value_info(one.name, one.data_type, one.dims) for one in self.constants]
        graph = helper.make_graph(self.nodes, "flat", starts, ends, self.constants, value_info=shapes)
        # nodes whose channels come last are of the version that they have in ONNX itself
        versions = {"": _OPSET, QONNX_DOMAIN: 1, CHANNELS_LAST: _OPSET}
        opsets = [helper.make_opsetid(domain, version) for domain, version in versions.items()]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)

    @property
    def words(self) -> int:
        """Number of output words of an event."""
        return sum(self.graph.tensors[name].size for name in self.graph.outputs)

    def _is_product(self, name: str) -> bool:
        """Whether a tensor is made by a layer with weights, such as one that moves values."""
        makers = {output: node for node in self.nodes for output in node.output}
        maker = makers.get(name)
        if maker is not None and maker.op_type == "Add":  # of a bias
            maker = makers.get(maker.input[0])
        return maker is not None and maker.op_type in ("MatMul", "Conv")

    def _end_in(self, last: str) -> None:
        """Give the last tensor the output's name."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [OUTPUTS if name == last else name for name in names]
        for name, vector in self.vectors.items():
            if vector.name == last:
                self.vectors[name] = replace(vector, name=OUTPUTS)

    @singledispatchmethod
    def _write(self, node: Node, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        raise InputError(f"node {node.name}: hls4ml has no form for a {node.title}")

    @_write.register
    def _(self, node: Dense, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        if node.accumulator is not None:
            raise InputError(f"node {node.name}: its accumulator has a format of its own; give sums full precision")
        for form in (self._convolution, self._over_places, self._channels_scaled):
            found = form(node, sources[0], of[0])
            if found is not None:
                return found
        matrix, bias = matrix_of(node, of[0])
        return self.product(sources[0], matrix, node.weight_step, node.name, bias, node.bias_step)

    @_write.register
    def _(self, node: Quantize, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        return self.quantized(sources[0], node.conversion, of[0], node.name, relu=node.relu)

    @_write.register
    def _(self, node: QuantizeChannels, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        source, parts, order = sources[0], [], []
        conversions = np.array(node.conversions, object)
        lying = conversions[inverse(source.order)].reshape(-1, source.shape[-1])
        if (lying != lying[0]).any():
            source = self.shaped(source, (source.size,))
        for conversion in dict.fromkeys(node.conversions):
            places = np.flatnonzero(conversions == conversion)
            part = self.chosen(source, places, node.name)
            known = Tensor(places.shape, of[0].exponent, of[0].words)
            parts.append(self.quantized(part, conversion, known, node.name, relu=node.relu))
            order += places.tolist()
        whole = self.concatenated(parts, self.graph.tensors[node.output], node.name)
        return self.chosen(whole, np.argsort(order), node.name)

    @_write.register
    def _(self, node: Relu, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        return self.exactly("Relu", sources, self.graph.tensors[node.output], node.name)

    @_write.register
    def _(self, node: Addition, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        known = self.graph.tensors[node.output]
        spread = []
        for source, tensor in zip(sources, of, strict=True):
            places = np.broadcast_to(np.arange(tensor.size).reshape(tensor.shape), known.shape).ravel()
            spread.append(self.chosen(source, places, node.name))
        if node.sign < 0 or spread[0].name == spread[1].name:  # hls4ml stumbles over a tensor that is added to itself
            spread[1] = self.scaled(spread[1], node.sign, 1.0, node.name)
        return self.exactly("Add", spread, known, node.name)

    @_write.register
    def _(self, node: MaxPool, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        known = self.graph.tensors[node.output]
        if node.sliding is not None and pools(node.sliding, in_streams=self.in_streams):
            return self._pooled(node, node.sliding, sources[0], of[0])
        inside = np.where(node.windows < 0, node.windows.max(axis=1, keepdims=True), node.windows)
        order = inverse(np.argsort(sources[0].order[inside[:, 0]], kind="stable"))
        columns = [self.chosen(sources[0], places, node.name, order) for places in inside.T]
        return reduce(lambda one, other: self.exactly("Max", [one, other], known, node.name), columns)

    @_write.register
    def _(self, node: Arrange, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        whole = self.concatenated(sources, self.graph.tensors[node.output], node.name)
        return self.chosen(whole, node.table.ravel(), node.name)

    @_write.register
    def _(self, node: LeakyRelu, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        product = self.scaled(sources[0], node.slope, 2.0**node.slope_exponent, node.name)
        return self.exactly("Max", [sources[0], product], self.graph.tensors[node.output], node.name)

    @_write.register
    def _(self, node: Clip, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        result, known = sources[0], self.graph.tensors[node.output]
        for bound, kind in ((node.low, "Max"), (node.high, "Min")):
            if bound is not None:
                limit = self.scaled(sources[0], 0, 1.0, node.name, bound, 2.0**node.exponent)
                result = self.exactly(kind, [result, limit], self._between(known, of[0]), node.name)
        return result

    @_write.register
    def _(self, node: Sign, sources: Sequence[Vector], of: Sequence[Tensor]) -> Vector:
        # cut off above all bits of a value, -1 or 0 are left; hls4ml takes one bit for a network of binary numbers
        step, places = node.number.step, of[0].exponent + of[0].words.bits_with_zero
        above = Conversion(format_of(2, places, signed=True), rounding="FLOOR")
        negative = self.quantized(sources[0], above, of[0], node.name)
        return self.scaled(negative, 2, step * 2.0**-places, node.name, 1, step)

    @staticmethod
    def _between(known: Tensor, source: Tensor) -> Tensor:
        """Return a tensor that holds what is bounded on one side only."""
        return Tensor(known.shape, *joint([known, source]))

    def _joined(self, sources: Sequence[Vector]) -> Vector:
        """Return all outputs side by side."""
        tensors = [self.graph.tensors[name] for name in self.graph.outputs]
        return self.concatenated(sources, Tensor((self.words,), *joint(tensors)), OUTPUTS)

    def _convolution(self, node: Dense, source: Vector, of: Tensor) -> Vector | None:
        """Return the places of a convolution, channels last; None if it is none that hls4ml has."""
        windows = node.gather.windows if node.gather else None
        if node.gather is None or windows is None or not slides(windows) or node.gather.taps.shape[1] == 1:
            return None
        channels, *sizes = of.shape
        image = self.moved(source, with_last(of.shape, 0), (*sizes, channels), node.name)
        kernel = kernel_of(node, windows.kernel, channels)
        found = self.windowed(image, kernel, node.weight_step, node.name, node.bias, node.bias_step, windows)
        return replace(found, order=with_last(node.gather.shape, 0))

    def _over_places(self, node: Dense, source: Vector, of: Tensor) -> Vector | None:
        """Return what a dense layer makes of each place by itself; None if places share values or lie scattered."""
        inputs, neurons = node.weights.shape
        taps = np.arange(of.size).reshape(1, -1, inputs) if node.gather is None else node.gather.taps
        groups, places, _ = taps.shape
        if groups > 1 or places == 1 or not np.array_equal(np.sort(taps.ravel()), np.arange(of.size)):
            return None
        if transposed_axes(source.order[taps.ravel()]) is None:
            return None
        shape = source.shape if source.shape[-1] == inputs else (places, inputs)
        image = self.moved(source, inverse(taps.ravel()), shape, node.name)
        name = self.over_channels(image, node.weights, node.weight_step, node.name, node.bias, node.bias_step)
        last = node.gather is None or node.gather.neurons_last
        order = np.arange(places * neurons) if last else with_last((neurons, places), 0)
        return Vector(name, (*shape[:-1], neurons), order)

    def _channels_scaled(self, node: Dense, source: Vector, of: Tensor) -> Vector | None:
        """Return values times constants that are alike at all places, plus others; None if they are not."""
        alone = np.arange(of.size).reshape(-1, 1, 1)
        if node.gather is None or node.weights.shape != (1, of.size) or not np.array_equal(node.gather.taps, alone):
            return None
        axes = reversed(range(len(of.shape)))  # the last one needs no move
        layouts = [(source.order, source.shape[-1]), *((with_last(of.shape, axis), of.shape[axis]) for axis in axes)]
        for order, channels in layouts:
            constants = scales_of(node, order, channels)
            if constants is not None and 1 < channels < of.size:
                shape = source.shape if order is source.order else (of.size // channels, channels)
                image = self.moved(source, order, shape, node.name)
                scale, bias = constants
                name = self.over_channels(
                    image, np.diag(scale).astype(np.int64), node.weight_step, node.name, bias, node.bias_step
                )
                return replace(image, name=name)
        return None

    def _pooled(self, node: MaxPool, windows: Windows, source: Vector, of: Tensor) -> Vector:
        """Return max-pooling, channels last, over two axes: over one hls4ml takes the axes for others."""
        channels, *sizes = of.shape
        if len(sizes) == 1:
            windows, sizes = over_two_axes(windows), [1, *sizes]
        image = self.moved(source, with_last(of.shape, 0), (*sizes, channels), node.name)
        if any((*windows.before, *windows.after)) and of.words.low >= 0:  # hls4ml pads with the lowest signed word
            image = replace(image, name=self._signed(image, of, node.name))
        return replace(self.pooled(image, windows, node.name), order=with_last(node.shape, 0))

    def _signed(self, source: Vector, of: Tensor, name: str) -> str:
        """Return the same values, none of which is below zero, in a signed format."""
        result = self._add("Relu", [source.name], f"{name}_signed", source.shape)
        self.exact[self.nodes[-1].name] = format_of(of.words.bits_with_zero + 1, of.exponent, signed=True)
        return result


def _handed_over(ends: str, tensors: Sequence[Tensor]) -> FixedPoint:
    """Return the format of all inputs or outputs, side by side.

    Raises:
        InputError: the double-precision numbers in which a back end hands them over do not hold its words.
    """
    number = common_format(tensors)
    if number.width > WIDEST:
        raise InputError(f"{ends} of {number.width} bits: emulation hands over {WIDEST}; give them narrower quantizers")
    return number
