"""Readers of sums and averages over axes and windows."""

import math
from typing import Any

import numpy as np
import onnx

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.graph.gather import Gather, over_axes
from nanotrigger.graph.reader import Reader
from nanotrigger.graph.readers.linear import append_dense
from nanotrigger.graph.readers.windows import windows_of


def read_sum(reader: Reader, node: onnx.NodeProto) -> None:
    """Read ReduceSum, ReduceMean or GlobalAveragePool: sums over some axes."""
    reader.refuse_in_float(node)
    source, given = node.input[0], reader.attributes(node)
    shape = reader.tensor(source).shape
    axes = axes_of(reader, node, len(shape)) if node.op_type.startswith("Reduce") else list(range(1, len(shape)))
    if not axes and given.get("noop_with_empty_axes"):
        raise InputError(f"node {node.name}: {node.op_type} over no axes; export the network again")
    taps = over_axes(shape, axes)
    count = taps.shape[1] if node.op_type != "ReduceSum" else 1
    gather = Gather(taps[None], reader.shape_of(node.output[0]))
    _append_average(reader, node, gather, count, "sum" if node.op_type == "ReduceSum" else "average")


def read_average_pool(reader: Reader, node: onnx.NodeProto) -> None:
    """Read an AveragePool node all of whose windows hold the same number of values."""
    reader.refuse_in_float(node)
    channels, *sizes = reader.tensor(node.input[0]).shape
    _, windows, counts = windows_of(reader, node, sizes)
    inside = (windows >= 0).sum(axis=1)
    counted = {windows.shape[1]} if reader.attributes(node).get("count_include_pad") else set(inside.tolist())
    if len(counted) > 1 or reader.attributes(node).get("ceil_mode"):
        raise NotExactError(node.name, "an average over windows of different sizes; pool without padding or ceil_mode")
    reader.check_size(node, windows.size * channels)
    starts = np.arange(channels, dtype=np.int64).reshape(-1, 1, 1) * math.prod(sizes)
    taps = np.where(windows < 0, -1, starts + windows).reshape(1, -1, windows.shape[1])
    _append_average(reader, node, Gather(taps, (channels, *counts)), counted.pop(), "average")


def axes_of(reader: Reader, node: onnx.NodeProto, count: int) -> list[int]:
    """Return the axes of a node that reduces, without the batch axis among `count` others.

    Raises:
        InputError: the batch axis is one of them.
    """
    given: Any = reader.attributes(node).get("axes")
    if given is None and len(node.input) > 1 and node.input[1]:
        given = reader.integers(node.input[1]).ravel().tolist()
    axes = [int(axis) % (count + 1) for axis in (range(count + 1) if given is None else given)]
    if 0 in axes:
        raise InputError(f"node {node.name}: {node.op_type} over the batch axis mixes events; leave that axis out")
    return [axis - 1 for axis in sorted(axes)]


def _append_average(reader: Reader, node: onnx.NodeProto, gather: Gather, count: int, kind: str) -> None:
    if count & (count - 1):
        raise NotExactError(node.name, f"an average of {count} values; only of a power of two it is exact")
    taps = gather.taps.shape[2]
    append_dense(
        reader, node, node.input[0], np.ones((taps, 1), np.int64), 1.0 / count, axis=None, gather=gather, kind=kind
    )
