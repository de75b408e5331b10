"""Layout: in which order the firmware holds the values of a tensor, where the integer graph has another one."""

import math
from dataclasses import dataclass

import numpy as np

from nanotrigger.graph.gather import Table


@dataclass(frozen=True, eq=False)
class Vector:
    """A tensor of the firmware.

    Attributes:
        name: of it.
        shape: of the values of an event; hls4ml has the channels last.
        order: where each value lies in memory, in the order in which the graph has the values.
    """

    name: str
    shape: tuple[int, ...]
    order: Table

    @property
    def size(self) -> int:
        """Number of values of an event."""
        return math.prod(self.shape)


def in_order(name: str, shape: tuple[int, ...]) -> Vector:
    """Return a tensor whose values lie in the graph's order."""
    return Vector(name, shape, np.arange(math.prod(shape)))


def with_last(shape: tuple[int, ...], axis: int) -> Table:
    """Return the order in which an axis of the graph's tensor comes last in memory.

    >>> with_last((2, 3), 0)
    array([0, 2, 4, 1, 3, 5])
    """
    return inverse(np.moveaxis(np.arange(math.prod(shape)).reshape(shape), axis, -1).ravel())


def inverse(order: Table) -> Table:
    """Return which value lies at each place."""
    result = np.empty_like(order)
    result[order] = np.arange(order.size)
    return result


def transposed_axes(places: Table) -> list[tuple[int, int]] | None:
    """Return the sizes and steps of the axes of an array that changed places; None if it is no transposed array.

    Args:
        places: which place of the array each value of the other one has.

    >>> transposed_axes(np.arange(6).reshape(2, 3).T.ravel())
    [(3, 1), (2, 3)]
    """
    axes: list[tuple[int, int]] = []
    starts = places
    while len(starts) > 1:
        step = int(starts[1] - starts[0])
        breaks = np.flatnonzero(starts != starts[0] + step * np.arange(len(starts)))
        count = int(breaks[0]) if len(breaks) else len(starts)
        if len(starts) % count:
            return None
        blocks = starts.reshape(-1, count)
        if (blocks - blocks[:, :1] != step * np.arange(count)).any():
            return None
        axes.insert(0, (count, step))
        starts = blocks[:, 0]
    expected = 1
    for size, step in sorted(axes, key=lambda axis: axis[1]):
        if step != expected:
            return None
        expected *= size
    return axes if places[0] == 0 else None


def chosen_channels(places: Table, channels: int, size: int) -> Table | None:
    """Return which channels of an array of some size are chosen, alike everywhere; None if that is not what happens.

    Args:
        places: which place of the array each chosen value has; -1 is none.
        channels: how many there are; they come last.
        size: of the array.

    >>> chosen_channels(np.array([1, 4, 7]), channels=3, size=9)
    array([1])
    """
    everywhere = size // channels
    if places.size % everywhere:
        return None
    rows = places.reshape(everywhere, -1)
    rows = np.where(rows < 0, -1, rows - channels * np.arange(everywhere)[:, None])
    beyond = (rows < -1).any() or (rows >= channels).any()
    # a zero, -1, must not be taken for the last channel of the place before
    mixed = ((rows < 0) != (places.reshape(everywhere, -1) < 0)).any()
    return None if beyond or mixed or (rows != rows[0]).any() else rows[0]
