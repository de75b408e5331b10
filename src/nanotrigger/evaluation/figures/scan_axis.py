"""The horizontal axis of a scan: numbers to scale, formats at their widths, words one after another."""

import math
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nanotrigger.evaluation.figures.labels import shortened
from nanotrigger.numbers import FixedPoint

Value = float | str | FixedPoint

_LOGARITHMIC = 100  # numbers with a larger ratio get a logarithmic axis
_LINE = 0.09  # inches between tick labels that are turned by 90 degrees
_CHARACTER = 0.055  # inches, of a tick label
_CHARACTERS = 36  # of the axis label, in the width of a panel
_TICK_CHARACTERS = 20  # of a name


@dataclass(frozen=True)
class ScanAxis:
    """The horizontal axis of a scan.

    Attributes:
        positions: value → where it stands.
        names: of the values, for their ticks; none if the axis is numeric.
        is_width: whether the values stand at the widths of their formats.
    """

    positions: Mapping[Value, float]
    names: tuple[str, ...] = ()
    is_width: bool = False

    @property
    def is_logarithmic(self) -> bool:
        """Whether the values are numbers of different orders of magnitude."""
        low, high = min(self.positions.values()), max(self.positions.values())
        return not self.names and low > 0 and high > _LOGARITHMIC * low


def scan_axis(values: Iterable[Value], *, by_width: bool = False) -> ScanAxis:
    """Return an axis for these values: numbers and formats of different widths to scale, others one after another.

    Args:
        values: in the order of the axis.
        by_width: whether formats, and there must be nothing else, stand at their widths even if these are the same.

    >>> scan_axis([FixedPoint(1, 1), FixedPoint(2, 2, narrow=True), FixedPoint(8, 2)]).names
    ('binary', 'ternary', 'fixed<8,2>')
    >>> scan_axis(["fixed<8,6>", "fixed<16,6>"]).positions
    {'fixed<8,6>': 0, 'fixed<16,6>': 1}
    """
    distinct = tuple(dict.fromkeys(values))
    numbers: dict[Value, float] = {value: float(value) for value in distinct if isinstance(value, int | float)}
    if len(numbers) == len(distinct):
        return ScanAxis(numbers)
    widths: dict[Value, float] = {value: value.width for value in distinct if isinstance(value, FixedPoint)}
    if by_width:
        return ScanAxis(widths, is_width=True)
    names = tuple(map(name_of, distinct))
    if len(set(widths.values())) == len(distinct):
        return ScanAxis(widths, names, is_width=True)
    return ScanAxis({value: index for index, value in enumerate(distinct)}, names)


def name_of(value: Value) -> str:
    """Return what the field calls a value.

    >>> name_of(FixedPoint(4, 2)), name_of(0.5), name_of("relu")
    ('fixed<4,2>', '0.5', 'relu')
    """
    if not isinstance(value, FixedPoint):
        return value if isinstance(value, str) else f"{value:g}"
    if value.is_binary:
        return "binary"
    return "ternary" if (value.width, value.narrow) == (2, True) else str(value)


def draw_scan_axis(panel: Axes, axis: ScanAxis, *, key: str, inches: float, is_lowest: bool) -> None:
    """Put the axis on a panel that is `inches` wide; only the lowest panel gets its labels."""
    if axis.is_logarithmic:
        panel.set_xscale("log")
    legible = inches * _smallest_gap(axis) > _LINE
    if axis.names and (legible or not axis.is_width):  # a width can be told by its number alone
        _name_ticks(panel, axis, inches=inches)
    elif axis.is_width or all(float(position).is_integer() for position in axis.positions.values()):
        panel.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    if is_lowest:
        label = f"Width of {key} [bits]" if axis.is_width else key[:1].upper() + key[1:]
        panel.set_xlabel(textwrap.fill(label, _CHARACTERS))
    else:
        panel.tick_params(labelbottom=False)


def _name_ticks(panel: Axes, axis: ScanAxis, *, inches: float) -> None:
    names = [shortened(name, _TICK_CHARACTERS) for name in axis.names]
    gap = inches * _smallest_gap(axis)
    every = math.ceil(_LINE / gap)  # name, where there is no room for all
    fits = max(map(len, names)) * _CHARACTER < gap
    panel.set_xticks(list(axis.positions.values())[::every], names[::every], rotation=0 if fits else 90)
    panel.xaxis.set_tick_params(which="minor", bottom=False, top=False)


def _smallest_gap(axis: ScanAxis) -> float:
    """Return the smallest distance between two values as a fraction of the axis, whose ends get half a step each."""
    places = sorted(axis.positions.values())
    if len(places) == 1:
        return 1.0
    smallest = min(right - left for left, right in pairwise(places))
    return smallest / (places[-1] - places[0] + smallest)
