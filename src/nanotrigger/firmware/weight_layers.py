"""Weight layers: dense layers and convolutions of constants, as nodes of the ONNX network that hls4ml reads."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from nanotrigger.errors import InputError
from nanotrigger.firmware.layout import Vector, in_order
from nanotrigger.firmware.names import cpp_name
from nanotrigger.graph.evaluate import CHANNELS_LAST
from nanotrigger.graph.gather import Windows
from nanotrigger.graph.normalize import QONNX_DOMAIN
from nanotrigger.graph.quantize import HALF_EVEN
from nanotrigger.numbers import FixedPoint

MOST_WEIGHTS = 1 << 20  # of a layer, those that are zero included
_MOST_BITS = 24  # of a constant: float32 holds it


class WeightLayers:
    """A network in the making; what adds a layer returns the tensor that it computes, or its name.

    Args:
        taken: names that no node may have.
        in_streams: whether layers hand over their values place by place.

    Attributes:
        in_streams: as above.
        nodes: of the network, in order.
        constants: of the network.
        known: shapes of the tensors that nodes compute, batch axis included, by their names.
        exact: names of nodes whose results have the full precision of what they read, with their formats.
    """

    def __init__(self, *taken: str, in_streams: bool = False) -> None:
        self.in_streams = in_streams
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.exact: dict[str, FixedPoint] = {}
        self.known: dict[str, tuple[int, ...]] = {}
        self._names = set(taken)
        self._shaped: dict[tuple[str, tuple[int, ...]], str] = {}

    def product(
        self,
        source: Vector,
        matrix: NDArray[np.int64],
        step: float,
        name: str,
        bias: NDArray[np.int64] | None = None,
        bias_step: float = 1.0,
    ) -> Vector:
        """Add a dense layer; its matrix and bias have the values of both tensors in the graph's order."""
        check_weights(matrix.shape, name)
        rows = np.empty_like(matrix)
        rows[source.order] = matrix
        flat = self.shaped(source, (source.size,))
        return in_order(self.over_channels(flat, rows, step, name, bias, bias_step), (matrix.shape[1],))

    def over_channels(
        self,
        source: Vector,
        matrix: NDArray[np.int64],
        step: float,
        name: str,
        bias: NDArray[np.int64] | None = None,
        bias_step: float = 1.0,
    ) -> str:
        """Add a dense layer over the last axis: at several places it is a convolution of kernel 1."""
        axes = len(source.shape) - 1
        if axes:
            kernel = matrix.T.reshape(matrix.shape[1], *[1] * axes, len(matrix))
            return self.windowed(source, kernel, step, name, bias, bias_step).name
        check_weights(matrix.shape, name)
        result = matrix.shape[1:]
        product = self._add("MatMul", [source.name, self._constant(matrix, step, name)], name, result)
        if bias is None or not bias.any():
            return product
        return self._add("Add", [product, self._constant(bias, bias_step, name)], f"{name}_bias", result)

    def windowed(
        self,
        source: Vector,
        kernel: NDArray[np.int64],
        step: float,
        name: str,
        bias: NDArray[np.int64] | None = None,
        bias_step: float = 1.0,
        windows: Windows | None = None,
    ) -> Vector:
        """Add a convolution of channels that come last; `kernel` has the shape (filters, *window, channels).

        The values of the result are in the order in which they lie; windows move by one, without padding, if not given.
        """
        check_weights(kernel.shape, name)
        constants = [self._constant(kernel, step, name)]
        if bias is not None and bias.any():
            constants.append(self._constant(bias, bias_step, name))
        sizes = kernel.shape[1:-1]
        ones, zeros = (1,) * len(sizes), (0,) * len(sizes)
        windows = windows or Windows(sizes, ones, ones, zeros, zeros)
        return self._slid("Conv", source, constants, name, windows, len(kernel), group=1)

    def pooled(self, source: Vector, windows: Windows, name: str) -> Vector:
        """Add max-pooling of channels that come last; the values of the result are in the order in which they lie."""
        return self._slid("MaxPool", source, [], name, windows, source.shape[-1])

    def _slid(
        self, kind: str, source: Vector, constants: list[str], name: str, windows: Windows, channels: int, **given: Any
    ) -> Vector:
        pads = (*windows.before, *windows.after)
        given |= {
            "kernel_shape": windows.kernel,
            "strides": windows.strides,
            "dilations": windows.dilations,
            "pads": pads,
        }
        shape = (*windows.over(source.shape[:-1])[1], channels)
        return in_order(self._add(kind, [source.name, *constants], name, shape, CHANNELS_LAST, **given), shape)

    def scaled(
        self, source: Vector, factor: int, step: float, name: str, added: int = 0, added_step: float = 1.0
    ) -> Vector:
        """Return all values times a constant, plus another one."""
        if source.shape[-1] ** 2 > MOST_WEIGHTS:
            source = self.shaped(source, (source.size, 1))
        one = np.eye(source.shape[-1], dtype=np.int64)
        constants = np.full(source.shape[-1], added)
        return replace(source, name=self.over_channels(source, factor * one, step, name, constants, added_step))

    def shaped(self, source: Vector, shape: tuple[int, ...]) -> Vector:
        """Return the same values, as they lie, in another shape."""
        if shape == source.shape:
            return source
        if (source.name, shape) not in self._shaped:
            sizes = self._initializer(np.array([1, *shape], np.int64))
            named = f"{source.name.removesuffix('_out')}_shaped"
            self._shaped[source.name, shape] = self._add("Reshape", [source.name, sizes], named, shape)
        return replace(source, name=self._shaped[source.name, shape], shape=shape)

    def _constant(self, words: NDArray[np.int64], step: float, name: str) -> str:
        """Add quantized constants, which tell hls4ml their format."""
        bits = max(int(np.abs(words).max(initial=0)).bit_length() + 1, 2)
        if bits > _MOST_BITS:
            raise InputError(f"node {name}: constants of {bits} bits; at most {_MOST_BITS}")
        values = [self._float(value) for value in (words * step, step, 0.0, float(bits))]
        given = {"signed": 1, "narrow": 0, "rounding_mode": HALF_EVEN}
        result = self._add("Quant", values, f"{name}_constant", (), QONNX_DOMAIN, **given)
        self.known[result] = words.shape
        return result

    def _float(self, values: Any) -> str:
        return self._initializer(np.asarray(values, np.float32))

    def _initializer(self, values: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def _add(
        self, kind: str, sources: Sequence[str], name: str, shape: Sequence[int], domain: str = "", **attributes: Any
    ) -> str:
        """Add a node that computes a tensor of a shape, batch axis left out; return it. Names are those of C++."""
        unique = cpp_name(name, self._names)
        self.nodes.append(
            helper.make_node(
                kind,
                list(sources),
                [f"{unique}_out"],
                name=unique,
                domain=domain,
                **attributes,
            )
        )
        self.known[f"{unique}_out"] = (1, *shape)
        return f"{unique}_out"


def check_weights(shape: Sequence[int], name: str) -> None:
    """Raise InputError if a layer has more weights than are written."""
    if math.prod(shape) > MOST_WEIGHTS:
        sizes = " × ".join(map(str, shape))
        raise InputError(f"node {name}: {sizes} products are written one by one; at most {MOST_WEIGHTS:,}")
