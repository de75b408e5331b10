"""Gather: which values a node reads where: windows of convolutions and of pooling, and sums over axes, as tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.graph.node import Words

Table = NDArray[np.int64]  # of positions among the values of a tensor; -1 lies beyond its edge


@dataclass(frozen=True, eq=False)
class Gather:
    """Which values of its input a layer reads where, as a convolution does at each place.

    Neurons are divided into as many groups of neighbours as `taps` has; those of a group read the same values.

    Attributes:
        taps: positions among the input's values, shape (groups, places, inputs of a neuron); -1 is a zero.
        shape: of the output, which holds each neuron at each place.
        neurons_last: whether the neurons are the output's last axis; else they come before the places.
        windows: that slide over all axes but the first one, the channels, if the layer is a convolution.
    """

    taps: NDArray[np.int64]
    shape: tuple[int, ...]
    neurons_last: bool = False
    windows: "Windows | None" = None

    def read(self, words: Words) -> Words:
        """Return what is read of words of shape (events, values): shape (events, groups, places, inputs)."""
        if (self.taps < 0).any():
            words = np.concatenate([words, np.zeros((len(words), 1), words.dtype)], axis=1)
        return words[:, self.taps]


def uses_of(taps: Table, size: int) -> list[list[tuple[int, int, int]]]:
    """Return the (group, place, tap) at which each of `size` values is read."""
    uses: list[list[tuple[int, int, int]]] = [[] for _ in range(size)]
    for at, value in zip(np.ndindex(taps.shape), taps.ravel().tolist(), strict=True):
        if value >= 0:
            uses[value].append(at)
    return uses


@dataclass(frozen=True)
class Windows:
    """Windows that slide over the last axes of a tensor, as ONNX describes them.

    Attributes:
        kernel: sizes of a window.
        strides: steps between windows.
        dilations: steps within a window.
        before, after: padding at either end of each axis.
        round_up: whether a last window that is not full counts.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    round_up: bool = False

    def over(self, sizes: Sequence[int]) -> tuple[Table, tuple[int, ...]]:
        """Return positions in an image, shape (windows, values of a window), and how many windows each axis has.

        Raises:
            InputError: a window is larger than the image with its padding.
        """
        axes, counts = [], []
        for axis, size in enumerate(sizes):
            starts = self._starts(axis, size)
            inside = np.arange(self.kernel[axis]) * self.dilations[axis]
            places = starts[:, None] + inside - self.before[axis]
            axes.append(np.where((places >= 0) & (places < size), places, -1))
            counts.append(len(starts))
        positions = np.zeros((1, 1), np.int64)
        for size, places in zip(sizes, axes, strict=True):
            outer, inner = positions[:, None, :, None], places[None, :, None, :]
            joined = np.where((outer < 0) | (inner < 0), -1, outer * size + inner)
            positions = joined.reshape(positions.shape[0] * places.shape[0], -1)
        return positions, tuple(counts)

    def _starts(self, axis: int, size: int) -> Table:
        room = size + self.before[axis] + self.after[axis] - self.dilations[axis] * (self.kernel[axis] - 1) - 1
        if room < 0:
            raise InputError(f"a window of {self.kernel} does not fit into {size} values on axis {axis}")
        stride = self.strides[axis]
        starts = np.arange(0, room + 1, stride, dtype=np.int64)
        if self.round_up and room % stride and starts[-1] + stride < size + self.before[axis]:
            starts = np.append(starts, starts[-1] + stride)  # windows that begin beyond the image do not count
        return starts


def over_axes(shape: tuple[int, ...], axes: Sequence[int]) -> Table:
    """Return which values lie along some axes of a tensor, shape (values that are kept, values along the axes).

    >>> over_axes((2, 3), [0])
    array([[0, 3],
           [1, 4],
           [2, 5]])
    """
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    positions = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
    return positions.transpose(*kept, *axes).reshape(math.prod(shape[axis] for axis in kept), -1)
