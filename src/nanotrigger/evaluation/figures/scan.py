"""Scan curves: quality and resources of trainings against the value that was scanned."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import LEGEND_CHARACTERS, MOST_CURVES, first_of, shortened
from nanotrigger.evaluation.figures.page import LEGEND_ROW, MARKERS, drawn, legend_columns, line_style, new_panels
from nanotrigger.numbers import FixedPoint

PANELS = {
    "quality": "Quality",
    "aluts": "ALUTs",
    "ffs": "FFs",
    "rams": "RAM blocks",
    "dsps": "DSPs",
    "mlabs": "MLABs",
}
_COLUMNS = 3
_PANEL_WIDTH = 1.65  # inches, of its axes
_PANEL_HEIGHT = 1.75  # inches
_SEVERAL = "0.35"  # colour of the words that hold for every curve

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


def scan_axis(values: Iterable[Value]) -> ScanAxis:
    """Return an axis for these values: numbers and formats of different widths to scale, others one after another.

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
        label = f"Width of {key} [bits]" if axis.is_width else key
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


@dataclass(frozen=True, eq=False)
class ScanCurve:
    """Trainings that differ only in the scanned value and in the seed.

    Args:
        label: of the curve in the legend.
        values: that were scanned, one for each training, shape (trainings,); categories in the order of the axis.
        quantities: "quality", "aluts", "ffs", "rams", "dsps" or "mlabs" → numbers, shape (trainings,); NaN where
            unknown. A quantity that is left out is unknown.
        measure: what "quality" is called on its axis, such as "True-positive rate".

    Raises:
        InputError: no trainings, or not one number for each.
    """

    label: str
    values: Sequence[Value]
    quantities: Mapping[str, ArrayLike]
    measure: str = "Quality"

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError(f"curve {self.label!r} has no trainings; leave it out")
        for name, numbers in self.quantities.items():
            if np.shape(numbers) != (len(self.values),):
                raise InputError(
                    f"curve {self.label!r}: {name} has shape {np.shape(numbers)} for {len(self.values)} trainings; "
                    "give one number for each"
                )

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return one quantity, shape (trainings,); NaN where unknown."""
        return np.asarray(self.quantities.get(name, np.full(len(self.values), np.nan)), np.float64)


@drawn
def scan_curves(curves: Sequence[ScanCurve], *, key: str, notes: Sequence[str]) -> Figure:
    """Draw the quality and the five resources over the scanned value: mean, smallest to largest, every training.

    Args:
        curves: one or more, over the same key.
        key: what was scanned, such as "network.weight".
        notes: what was trained on which data, and where the resources come from.

    Raises:
        InputError: no curve.
    """
    if not curves:
        raise InputError("curves are empty; give at least one")
    shown, left_out = first_of(len(curves), MOST_CURVES, "curves")
    curves, notes = curves[:shown], [*notes, *left_out]
    axis = scan_axis(value for curve in curves for value in curve.values)
    measures = " or ".join(dict.fromkeys(curve.measure for curve in curves))
    handles = _legend_handles(curves)
    columns = legend_columns([str(handle.get_label()) for handle in handles])
    height = _PANEL_HEIGHT + LEGEND_ROW * (-(-len(handles) // columns) - 1) / 2
    figure, body, panels = new_panels(len(PANELS), columns=_COLUMNS, panel_height=height, notes=notes)
    for place, (panel, (name, title)) in enumerate(zip(panels, PANELS.items(), strict=True)):
        for index, curve in enumerate(curves):
            _draw_curve(panel, axis, curve, name=name, index=index)
        panel.sharex(panels[0])
        draw_scan_axis(panel, axis, key=key, inches=_PANEL_WIDTH, is_lowest=place >= _COLUMNS)
        if name != "quality":
            _frame_counts(panel, [curve.numbers(name) for curve in curves])
        panel.margins(x=0.06)
        panel.set_ylabel(measures if name == "quality" else title)
    body.legend(handles=handles, loc="outside upper center", ncols=columns)
    return figure


def _draw_curve(panel: Axes, axis: ScanAxis, curve: ScanCurve, *, name: str, index: int) -> None:
    numbers = curve.numbers(name)
    known = np.isfinite(numbers)
    if not known.any():
        return
    places = np.array([axis.positions[value] for value in curve.values], np.float64)[known]
    centres, group = np.unique(places, return_inverse=True)
    groups = [numbers[known][group == index] for index in range(len(centres))]
    style = line_style(index)
    panel.fill_between(centres, *_range(groups), color=style["color"], alpha=0.2, linewidth=0)
    panel.plot(centres, [members.mean() for members in groups], **style)
    panel.plot(places, numbers[known], **_point_style(index))


def _range(groups: Sequence[NDArray[np.float64]]) -> tuple[list[float], list[float]]:
    return [members.min() for members in groups], [members.max() for members in groups]


def _frame_counts(panel: Axes, numbers: Sequence[NDArray[np.float64]]) -> None:
    """Begin an axis of counts at zero, and say so if there is nothing else to see."""
    known = np.concatenate(numbers)
    known = known[np.isfinite(known)]
    top = 1.1 * known.max(initial=0) or 1
    panel.set_ylim(-0.04 * top, top)  # room for the lower half of a point at zero
    panel.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.yaxis.set_tick_params(which="minor", left=False, right=False)
    if not known.any():
        panel.set_yticks([0] if known.size else [])
        text = "0 at every point" if known.size else "not known"
        panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=_SEVERAL)


def _point_style(index: int) -> dict[str, Any]:
    colour = line_style(index)["color"]
    return {
        "color": colour,
        "linestyle": "",
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 2.6,
        "markerfacecolor": "white",
        "markeredgewidth": 0.6,
    }


def _legend_handles(curves: Sequence[ScanCurve]) -> list[Line2D | Patch]:
    """Return the curves, if there are several, before what lines, bands and points mean."""
    named = [
        Line2D([], [], **_point_style(index) | line_style(index), label=shortened(curve.label, LEGEND_CHARACTERS))
        for index, curve in enumerate(curves)
        if len(curves) > 1
    ]
    colour = _SEVERAL if named else line_style(0)["color"]
    point = Line2D([], [], **_point_style(0) | {"color": colour}, label="one training")
    if all(len(set(curve.values)) == len(curve.values) for curve in curves):
        return [*named, point]
    mean = Line2D([], [], color=colour, label="mean over seeds")
    return [*named, mean, Patch(color=colour, alpha=0.2, linewidth=0, label="smallest to largest"), point]
