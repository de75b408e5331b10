"""Rewrite ONNX nodes that few readers know in the words of nodes that all know."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from nanotrigger.errors import InputError
from nanotrigger.graph.check_model import replace
from nanotrigger.graph.evaluate import CHANNELS_LAST, attributes_of


def split_gemm(graph: onnx.GraphProto) -> None:
    """Write `alpha A B + beta C` as products and sums of their own, in place.

    Raises:
        InputError: A is transposed.
    """
    split: list[onnx.NodeProto] = []
    for node in graph.node:
        split += _parts_of_gemm(graph, node) if node.op_type == "Gemm" else [node]
    replace(graph.node, split)


def _parts_of_gemm(graph: onnx.GraphProto, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    given = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0, **attributes_of(node)}
    if given["transA"]:
        raise InputError(f"node {node.name}: Gemm with transA mixes events; export the network as MatMul")
    left, right, *bias = node.input
    bias = [name for name in bias if name and given["beta"]]
    if given["transB"]:
        yield helper.make_node("Transpose", [right], [f"{node.name}_transposed"], f"{node.name}_transpose", perm=[1, 0])
        right = f"{node.name}_transposed"
    scaled = {"alpha": given["alpha"], "beta": given["beta"]}
    for which, scale in scaled.items():
        source = right if which == "alpha" else (bias or [""])[0]
        if scale == 1 or not source:
            continue
        constant = numpy_helper.from_array(np.array(scale, np.float32), f"{node.name}_{which}")
        graph.initializer.append(constant)
        result = f"{node.name}_times_{which}"
        yield helper.make_node("Mul", [source, constant.name], [result], f"{node.name}_scale_{which}")
        right, bias = (result, bias) if which == "alpha" else (right, [result])
    product = f"{node.name}_product" if bias else node.output[0]
    yield helper.make_node("MatMul", [left, right], [product], node.name)
    if bias:
        yield helper.make_node("Add", [product, bias[0]], list(node.output), f"{node.name}_bias")


def flatten_events(graph: onnx.GraphProto, shapes: Mapping[str, tuple[Any, ...]]) -> None:
    """Flatten each event by itself, in place, where a `Flatten` for a batch of one takes in the batch.

    Args:
        graph: changed in place.
        shapes: of tensors, for a batch of one.
    """
    for node in graph.node:
        is_of_one = node.op_type == "Flatten" and shapes.get(node.input[0], ())[:1] == (1,)
        if is_of_one and attributes_of(node).get("axis", 1) == 0:
            del node.attribute[:]


def move_channels(graph: onnx.GraphProto, shapes: Mapping[str, tuple[Any, ...]]) -> None:
    """Put channels before the places, and back again, around nodes of qonnx' domain for channels that come last.

    Args:
        graph: changed in place.
        shapes: of tensors, as far as the file gives them.

    Raises:
        InputError: the number of axes is not known.
    """
    moved: list[onnx.NodeProto] = []
    for node in graph.node:
        moved += _parts_of_channels_last(node, shapes) if node.domain == CHANNELS_LAST else [node]
    replace(graph.node, moved)


def _parts_of_channels_last(node: onnx.NodeProto, shapes: Mapping[str, tuple[Any, ...]]) -> Iterator[onnx.NodeProto]:
    """Yield the node between transpositions, as qonnx executes it (`qonnx.custom_op.channels_last.base_wrapped_op`)."""
    kernel = attributes_of(node).get("kernel_shape")
    axes = len(shapes.get(node.input[0], ())) if kernel is None else len(kernel) + 2
    if axes < 3:
        raise InputError(
            f"node {node.name}: {node.op_type} with channels last of an unknown shape; infer shapes before"
        )
    first, last = [0, axes - 1, *range(1, axes - 1)], [0, *range(2, axes), 1]
    inputs = list(node.input)
    for place in range(2 if node.op_type == "Conv" else 1):
        inputs[place] = f"{node.name}_first_{place}"
        name = f"{node.name}_to_first_{place}"
        yield helper.make_node("Transpose", [node.input[place]], [inputs[place]], name, perm=first)
    inner = onnx.NodeProto()
    inner.CopyFrom(node)
    inner.domain = ""
    inner.input[:] = inputs
    inner.output[0] = f"{node.name}_inner"
    yield inner
    yield helper.make_node("Transpose", [inner.output[0]], [node.output[0]], f"{node.name}_to_last", perm=last)
