"""Images: constants of layers in the forms in which hls4ml reads them: kernels, matrices, and scales of channels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nanotrigger.firmware.weight_layers import check_weights
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.gather import Table, Windows
from nanotrigger.graph.node import Tensor

_MOST_AXES = 2  # of an image


def slides(windows: Windows) -> bool:
    """Whether hls4ml has windows such as these: over one axis or two, of neighbouring values."""
    return len(windows.kernel) in range(1, _MOST_AXES + 1) and set(windows.dilations) == {1}


def pools(windows: Windows, *, in_streams: bool) -> bool:
    """Whether hls4ml has max-pooling over windows such as these; streams need windows side by side."""
    is_padded = any((*windows.before, *windows.after))
    apart = is_padded or windows.strides != windows.kernel
    return slides(windows) and not windows.round_up and not (in_streams and apart)


def over_two_axes(windows: Windows) -> Windows:
    """Return windows over one axis as those over two, of which the first has one value."""
    kernel, strides, dilations = ((1, *sizes) for sizes in (windows.kernel, windows.strides, windows.dilations))
    return Windows(kernel, strides, dilations, (0, *windows.before), (0, *windows.after))


def kernel_of(node: Dense, window: Sequence[int], channels: int) -> NDArray[np.int64]:
    """Return a convolution's weights, shape (neurons, *window, channels); those of other groups are zero."""
    taps, neurons = node.weights.shape
    groups = channels * int(np.prod(window)) // taps
    of_group, result = neurons // groups, np.zeros((neurons, *window, channels), np.int64)
    for group in range(groups):
        part = node.weights[:, group * of_group : (group + 1) * of_group]
        kernel = np.moveaxis(part.T.reshape(of_group, -1, *window), 1, -1)
        read = slice(group * kernel.shape[-1], (group + 1) * kernel.shape[-1])
        result[group * of_group : (group + 1) * of_group, ..., read] = kernel
    return result


def scales_of(node: Dense, order: Table, channels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the scales and biases of channels, which come last in an order; None if they differ between places."""
    found = []
    for words in (node.weights[0], node.bias):
        lying = np.empty_like(words)
        lying[order] = words
        rows = lying.reshape(-1, channels)
        if (rows != rows[0]).any():
            return None
        found.append(rows[0])
    return found[0], found[1]


def matrix_of(node: Dense, source: Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
    check_weights((source.size, result.size), node.name)
    matrix, bias = np.zeros((source.size, result.size), np.int64), np.zeros(result.size, np.int64)
    for neuron in range(neurons):
        columns = result[:, neuron] if last else result[neuron]
        bias[columns] = int(node.bias[neuron])
        for place, column in enumerate(columns.tolist()):
            read = taps[neuron // of_group, place]
            inside = read >= 0
            np.add.at(matrix[:, column], read[inside], node.weights[inside, neuron].astype(np.int64))
    return matrix, bias
