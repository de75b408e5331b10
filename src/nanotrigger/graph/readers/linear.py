"""Readers of nodes that multiply by constants and sum: matrix products, convolutions and scalings."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.graph.combine import Addition
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.formats import exact_words
from nanotrigger.graph.gather import Gather
from nanotrigger.graph.node import Words
from nanotrigger.graph.quantize import Quantize
from nanotrigger.graph.reader import Reader
from nanotrigger.graph.readers.windows import windows_of


def read_product(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a MatMul node, with the bias that is added to it alone."""
    left, right = node.input
    if reader.is_constant(left):
        _read_product_from_left(reader, node)
        return
    shape = reader.tensor(left).shape
    words, step = reader.constant(right)
    if words.ndim != 2 or not shape or len(words) != shape[-1]:
        raise InputError(f"node {node.name}: constants of shape {words.shape} do not fit values of shape {shape}")
    append_dense(reader, node, left, words, step, axis=len(shape))


def _read_product_from_left(reader: Reader, node: onnx.NodeProto) -> None:
    """Read constants times a tensor: each column of the tensor is a place, each row of the constants a neuron."""
    reader.refuse_in_float(node)
    words, step = reader.constant(node.input[0])
    shape = reader.tensor(node.input[1]).shape
    words = words[0] if words.ndim == 3 and len(words) == 1 else words
    if words.ndim != 2 or len(shape) != 2 or words.shape[1] != shape[0]:
        raise InputError(f"node {node.name}: constants of shape {words.shape} do not fit values of shape {shape}")
    taps = np.arange(math.prod(shape), dtype=np.int64).reshape(shape).T[None]
    gather = Gather(taps, (len(words), shape[1]))
    append_dense(reader, node, node.input[1], words.T, step, axis=1, gather=gather)


def read_convolution(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a Conv node of any number of axes, with its bias or the one that is added to it alone."""
    reader.refuse_in_float(node)
    source = node.input[0]
    words, step = reader.constant(node.input[1])
    channels, *sizes = reader.tensor(source).shape
    groups = int(reader.attributes(node).get("group", 1))
    if words.ndim != len(sizes) + 2 or channels != words.shape[1] * groups or len(words) % groups:
        found = f"constants of shape {words.shape} in {groups} groups"
        raise InputError(f"node {node.name}: {found} do not fit values of shape {(channels, *sizes)}")
    sliding, windows, counts = windows_of(reader, node, sizes, kernel=words.shape[2:])
    of_group = words.shape[1]
    reader.check_size(node, len(windows) * int(np.count_nonzero(words)))
    starts = np.arange(channels, dtype=np.int64).reshape(groups, 1, of_group, 1) * math.prod(sizes)
    taps = np.where(windows[:, None, :] < 0, -1, starts + windows[:, None, :])
    gather = Gather(taps.reshape(groups, len(windows), -1), (len(words), *counts), windows=sliding)
    bias = node.input[2] if len(node.input) > 2 and node.input[2] else None
    if bias is not None and reader.values(bias).shape != (len(words),):
        raise InputError(f"node {node.name}: a bias of shape {reader.values(bias).shape} for {len(words)} channels")
    append_dense(
        reader,
        node,
        source,
        words.reshape(len(words), -1).T,
        step,
        axis=1,
        gather=gather,
        bias=bias,
        kind="convolution",
    )


def read_scaling(reader: Reader, node: onnx.NodeProto) -> None:
    """Read Add, Sub, Mul or Div of a tensor and constants; or the sum or difference of two tensors."""
    first, second = node.input
    constant = next((name for name in (second, first) if reader.is_constant(name)), None)
    reader.refuse_in_float(node)
    if constant is None:
        if node.op_type in ("Mul", "Div"):
            raise NotExactError(node.name, f"{node.op_type} of two tensors that change with the event; use constants")
        layer, sign = node.name, 1 if node.op_type == "Add" else -1
        reader.check_size(node, math.prod(reader.shape_of(node.output[0])))
        addition = Addition(name=node.name, inputs=(first, second), output=node.output[0], layer=layer, sign=sign)
        reader.nodes.append(addition)
        return
    source = first if constant == second else second
    words, step = reader.constant(constant)
    one = np.ones((), np.int64)
    if node.op_type == "Add":
        _append_scaling(reader, node, source, (one, 1.0), (words, step))
    elif node.op_type == "Sub":
        sign = 1 if constant == second else -1
        _append_scaling(reader, node, source, (one * sign, 1.0), (-sign * words, step))
    elif node.op_type == "Mul":
        _append_scaling(reader, node, source, (words, step), (0 * one, 1.0))
    else:
        values = words * step
        inverse = exact_words(1 / values) if constant == second and values.all() else None
        if inverse is None or not np.array_equal(inverse[0] * inverse[1] * values, np.ones(values.shape)):
            raise NotExactError(node.name, "a division; only by constants that are powers of two it is exact")
        _append_scaling(reader, node, source, inverse, (0 * one, 1.0))


def read_batch_norm(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a BatchNormalization node whose scale and shift are words of few bits, computed in float32 as ONNX does."""
    reader.refuse_in_float(node)
    if reader.attributes(node).get("training_mode"):
        raise InputError(f"node {node.name}: in training mode; export the network for inference")
    given = [reader.values(name).astype(np.float32) for name in node.input[1:5]]
    scale, bias, mean, variance = given
    factor = scale / np.sqrt(variance + np.float32(reader.attributes(node).get("epsilon", 1e-5)))
    shift = bias - mean * factor
    words = [exact_words(values.astype(np.float64)) for values in (factor, shift)]
    if words[0] is None or words[1] is None:
        remedy = "fold the normalization into the layer before it, and train the quantized network"
        raise NotExactError(node.name, f"scale and shift of the batch normalization are no words of few bits; {remedy}")
    shape = (-1, *[1] * (len(reader.tensor(node.input[0]).shape) - 1))
    parts = [(found[0].reshape(shape), found[1]) for found in words if found is not None]
    _append_scaling(reader, node, node.input[0], parts[0], parts[1], kind="batch normalization")


def _append_scaling(
    reader: Reader,
    node: onnx.NodeProto,
    source: str,
    scale: tuple[Words, float],
    shift: tuple[Words, float],
    kind: str | None = None,
) -> None:
    """Append a layer of one product and one bias for each value."""
    shape, result = reader.tensor(source).shape, reader.shape_of(node.output[0])
    if shape != result:
        raise InputError(
            f"node {node.name}: constants give values of shape {shape} the shape {result}; export it again"
        )
    size = math.prod(shape)
    reader.check_size(node, size)
    weights, bias = (_of_values(words, shape) for words, _ in (scale, shift))
    reader.nodes.append(
        Dense(
            name=node.name,
            inputs=(source,),
            output=node.output[0],
            layer=node.name,
            weights=weights[None],
            weight_step=scale[1],
            bias=bias,
            bias_step=shift[1],
            gather=Gather(np.arange(size, dtype=np.int64).reshape(size, 1, 1), shape),
            kind=kind or {"Mul": "scaling", "Div": "scaling"}.get(node.op_type, "offset"),
        )
    )


def append_dense(
    reader: Reader,
    node: onnx.NodeProto,
    source: str,
    words: Words,
    step: float,
    *,
    axis: int | None,
    gather: Gather | None = None,
    bias: str | None = None,
    kind: str = "dense",
) -> None:
    """Append a layer, with the bias of one constant for each neuron that is added to it alone.

    Args:
        reader: receives it.
        node: that is read.
        source: tensor that it reads.
        words: of the weights, shape (inputs, neurons).
        step: what a word is worth.
        axis: of the neurons in the output, batch axis included; None if no bias is looked for.
        gather: as of `Dense`.
        bias: name of the bias that the node has itself.
        kind: as of `Dense`.
    """
    last, neurons = node, words.shape[1]
    biases, bias_step = np.zeros(neurons, np.int64), step
    if bias is not None:
        biases, bias_step = reader.constant(bias)
    elif axis is not None:
        addition = reader.only_reader(node.output[0], "Add")
        added = None if addition is None else _bias(reader, addition, node.output[0], neurons, axis)
        if addition is not None and added is not None:
            last, (biases, bias_step) = addition, added
            reader.take(addition)
    if gather is None:
        reader.check_size(node, int(np.count_nonzero(words)) * (reader.tensor(source).size // max(len(words), 1)))
    dense = Dense(
        name=node.name,
        inputs=(source,),
        output=last.output[0] if reader.cast is None else f"sums of {node.name}",
        layer=node.name,
        weights=words,
        weight_step=step,
        bias=np.array(np.broadcast_to(biases.reshape(-1), (neurons,))),
        bias_step=bias_step,
        accumulator=reader.cast,
        gather=gather,
        kind=kind,
    )
    reader.nodes.append(dense)
    if reader.cast is not None:
        result = Quantize(
            name=f"{node.name}_result",
            inputs=(dense.output,),
            output=last.output[0],
            layer=node.name,
            conversion=reader.cast,
        )
        reader.nodes.append(result)


def _bias(
    reader: Reader, addition: onnx.NodeProto, product: str, neurons: int, axis: int
) -> tuple[Words, float] | None:
    """Return the words that are added to each neuron; None if they differ from place to place."""
    name = next(name for name in addition.input if name != product)
    words, step = reader.constant(name)
    shape = (1, *reader.shape_of(product))
    if words.ndim > len(shape) or reader.shape_of(addition.output[0]) != shape[1:]:
        return None
    places = np.moveaxis(np.broadcast_to(words, shape), axis, -1).reshape(-1, neurons)
    return (places[0], step) if (places == places[0]).all() else None


def _of_values(words: Words, shape: Sequence[int]) -> NDArray[Any]:
    """Return words for each value, of words that broadcast to (1, *shape)."""
    return np.broadcast_to(words, (1, *shape)).reshape(-1)
