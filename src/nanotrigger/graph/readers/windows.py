"""Windows of convolutions and pooling, of the attributes that ONNX nodes have; and the readers of max-pooling."""

import math
from collections.abc import Sequence

import numpy as np
import onnx

from nanotrigger.errors import InputError
from nanotrigger.graph.gather import Table, Windows, over_axes
from nanotrigger.graph.pool import MaxPool
from nanotrigger.graph.reader import Reader


def windows_of(
    reader: Reader, node: onnx.NodeProto, sizes: Sequence[int], kernel: Sequence[int] | None = None
) -> tuple[Windows, Table, tuple[int, ...]]:
    """Return windows, their positions in an image, shape (windows, values of a window), and how many each axis has.

    Args:
        reader: of the node.
        node: with `kernel_shape`, `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode`.
        sizes: of the image.
        kernel: sizes of a window, if constants tell.

    Raises:
        InputError: attributes that do not fit.
    """
    given, axes = reader.attributes(node), len(sizes)
    if kernel is not None and tuple(given.get("kernel_shape", kernel)) != tuple(kernel):
        raise InputError(f"node {node.name}: its kernel_shape is not that of its constants; export it again")
    kernel = tuple(given.get("kernel_shape", kernel or ()))
    strides, dilations = (tuple(given.get(name, [1] * axes)) for name in ("strides", "dilations"))
    pads = tuple(given.get("pads", [0] * 2 * axes))
    mode = str(given.get("auto_pad", "NOTSET"))
    if any(len(entry) != axes for entry in (kernel, strides, dilations)) or len(pads) != 2 * axes:
        raise InputError(f"node {node.name}: its windows do not have the {axes} axes of what it reads; export it again")
    if min((*kernel, *strides, *dilations), default=1) < 1 or min(pads, default=0) < 0:
        raise InputError(f"node {node.name}: windows of negative sizes, steps or padding cannot be read")
    if mode not in ("NOTSET", "VALID"):
        shape = zip(sizes, kernel, strides, dilations, strict=True)
        whole = [max((-(-size // step) - 1) * step + (k - 1) * d + 1 - size, 0) for size, k, step, d in shape]
        small, large = [total // 2 for total in whole], [total - total // 2 for total in whole]
        pads = (*small, *large) if mode == "SAME_UPPER" else (*large, *small)
    ends = zip(sizes, pads, pads[axes:], kernel, strides, strict=False)
    most = math.prod(((size + before + after) // step + 2) * k for size, before, after, k, step in ends)
    reader.check_values(node, most * reader.tensor(node.input[0]).shape[0])
    windows = Windows(kernel, strides, dilations, pads[:axes], pads[axes:], bool(given.get("ceil_mode")))
    try:
        return windows, *windows.over(sizes)
    except InputError as error:
        raise InputError(f"node {node.name}: {error}") from None


def read_max_pool(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a MaxPool node; values beyond the edge are smaller than all others."""
    reader.refuse_in_float(node)
    if any(node.output[1:]):
        raise InputError(f"node {node.name}: positions of the largest values cannot be read, only the values")
    channels, *sizes = reader.tensor(node.input[0]).shape
    sliding, windows, counts = windows_of(reader, node, sizes)
    if (windows < 0).all(axis=1).any():
        raise InputError(f"node {node.name}: a window lies beyond the edge; pad less")
    starts = np.arange(channels, dtype=np.int64).reshape(-1, 1, 1) * math.prod(sizes)
    table = np.where(windows < 0, -1, starts + windows).reshape(-1, windows.shape[1])
    _append_pool(reader, node, table, (channels, *counts), sliding)


def read_largest(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a GlobalMaxPool node."""
    reader.refuse_in_float(node)
    shape = reader.tensor(node.input[0]).shape
    sizes, ones, zeros = shape[1:], (1,) * (len(shape) - 1), (0,) * (len(shape) - 1)
    whole = Windows(sizes, sizes, ones, zeros, zeros)
    _append_pool(reader, node, over_axes(shape, range(1, len(shape))), reader.shape_of(node.output[0]), whole)


def _append_pool(reader: Reader, node: onnx.NodeProto, table: Table, shape: tuple[int, ...], sliding: Windows) -> None:
    reader.check_size(node, table.size)
    pool = MaxPool(
        name=node.name,
        inputs=(node.input[0],),
        output=node.output[0],
        layer=node.name,
        windows=table,
        shape=shape,
        sliding=sliding,
    )
    reader.nodes.append(pool)
