"""Scan curves: quality and resources of trainings against the value that was scanned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import LEGEND_CHARACTERS, MOST_CURVES, first_of, shortened
from nanotrigger.evaluation.figures.page import LEGEND_ROW, MARKERS, drawn, legend_columns, line_style, new_panels
from nanotrigger.evaluation.figures.scan_axis import ScanAxis, Value, draw_scan_axis, scan_axis

PANELS = {
    "quality": "Quality",
    "aluts": "ALUTs",
    "ffs": "FFs",
    "rams": "RAM blocks",
    "dsps": "DSPs",
    "mlabs": "MLABs",
}
_COLUMNS = 3
_PANEL_WIDTH = 1.3  # inches, of its axes
_PANEL_HEIGHT = 1.75  # inches
_SEVERAL = "0.35"  # colour of the words that hold for every curve
_CHANCE: dict[str, Any] = {"color": "0.4", "linestyle": (0, (1, 1.5)), "linewidth": 0.9}


@dataclass(frozen=True, eq=False)
class ScanCurve:
    """Networks that differ only in the scanned value and in the seed.

    Args:
        label: of the curve in the legend.
        values: that were scanned, one for each network, shape (networks,); categories in the order of the axis.
        quantities: "quality", "aluts", "ffs", "rams", "dsps" or "mlabs" → numbers, shape (networks,); NaN where
            unknown. A quantity that is left out is unknown.
        measure: what "quality" is called on its axis, such as "True-positive rate".
        interval: lower and upper bound of each quality, 68 %, shape (networks, 2); NaN where unknown.
        chance: the quality of a random choice, if it is known.

    Raises:
        InputError: no networks, or not one number for each.
    """

    label: str
    values: Sequence[Value]
    quantities: Mapping[str, ArrayLike]
    measure: str = "Quality"
    interval: ArrayLike | None = None
    chance: float | None = None

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError(f"curve {self.label!r} has no networks; leave it out")
        for name, numbers in self.quantities.items():
            if np.shape(numbers) != (len(self.values),):
                raise InputError(
                    f"curve {self.label!r}: {name} has shape {np.shape(numbers)} for {len(self.values)} networks; "
                    "give one number for each"
                )

        if self.interval is not None and np.shape(self.interval) != (len(self.values), 2):
            raise InputError(
                f"curve {self.label!r}: the interval has shape {np.shape(self.interval)}; give two bounds a network"
            )

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return one quantity, shape (networks,); NaN where unknown."""
        return np.asarray(self.quantities.get(name, np.full(len(self.values), np.nan)), np.float64)


@drawn
def scan_curves(
    curves: Sequence[ScanCurve],
    *,
    key: str,
    notes: Sequence[str],
    available: Mapping[str, int] | None = None,
    by_width: bool = False,
) -> Figure:
    """Draw the quality and the five resources over the scanned value: mean, smallest to largest, every network.

    Resources have their counts on the left, and on the right per cent of what the device has. Error bars are intervals
    of 68 %, a dotted line is the quality of a random choice.

    Args:
        curves: one or more, over the same key.
        key: what was scanned, in words, such as "weights".
        notes: what was trained on which data, and where the resources come from.
        available: resource → how many the device has; None if that is not known.
        by_width: whether the values are formats of different tensors, which stand at their widths.

    Raises:
        InputError: no curve.
    """
    if not curves:
        raise InputError("curves are empty; give at least one")
    shown, left_out = first_of(len(curves), MOST_CURVES, "curves")
    curves, notes = curves[:shown], [*notes, *left_out]
    axis = scan_axis((value for curve in curves for value in curve.values), by_width=by_width)
    measures = " or ".join(dict.fromkeys(curve.measure for curve in curves))
    handles = _legend_handles(curves)
    columns = legend_columns([str(handle.get_label()) for handle in handles])
    height = _PANEL_HEIGHT + LEGEND_ROW * (-(-len(handles) // columns) - 1) / 2
    figure, body, panels = new_panels(len(PANELS), columns=_COLUMNS, panel_height=height, notes=notes)
    for place, (panel, (name, title)) in enumerate(zip(panels, PANELS.items(), strict=True)):
        is_quality = name == "quality"
        if is_quality or any(np.nan_to_num(curve.numbers(name)).any() for curve in curves):  # else a line would be bare
            for index, curve in enumerate(curves):
                _draw_curve(panel, axis, curve, name=name, index=index)
        panel.sharex(panels[0])
        draw_scan_axis(panel, axis, key=key, inches=_PANEL_WIDTH, is_lowest=place >= _COLUMNS)
        panel.margins(x=0.06)
        panel.set_ylabel(measures if is_quality else title)
        if is_quality:
            for chance in {curve.chance for curve in curves if curve.chance is not None}:
                panel.axhline(chance, **_CHANCE)
        else:
            _frame_counts(panel, [curve.numbers(name) for curve in curves])
            _draw_shares(panel, (available or {}).get(name, 0))
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
    if len(centres) < len(places):
        panel.fill_between(centres, *_range(groups), color=style["color"], alpha=0.2, linewidth=0)
    panel.plot(centres, [members.mean() for members in groups], **style)
    panel.plot(places, numbers[known], **_point_style(index))
    if name == "quality" and curve.interval is not None:
        errors = np.abs(np.asarray(curve.interval, np.float64)[known].T - numbers[known])
        panel.errorbar(places, numbers[known], errors, fmt="none", ecolor=style["color"], elinewidth=0.8, capsize=1.5)


def _range(groups: Sequence[NDArray[np.float64]]) -> tuple[list[float], list[float]]:
    return [members.min() for members in groups], [members.max() for members in groups]


def _frame_counts(panel: Axes, numbers: Sequence[NDArray[np.float64]]) -> None:
    """Begin an axis of counts at zero, and say so if there is nothing else to see."""
    known = np.concatenate(numbers)
    known = known[np.isfinite(known)]
    top = 1.1 * known.max(initial=0) or 1
    panel.set_ylim(-0.04 * top, top)  # room for the lower half of a point at zero
    panel.yaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if not known.any():
        panel.set_yticks([0] if known.size else [])
        text = "0 at every point" if known.size else "not known"
        panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=_SEVERAL)


def _draw_shares(panel: Axes, available: int) -> None:
    """Give a panel of counts a second axis at its right end, if the device is known and there is something to see."""
    if not available or len(panel.get_yticks()) < 2:
        return
    panel.tick_params(axis="y", right=False)
    share = 100 / available
    shares = panel.secondary_yaxis("right", functions=(lambda n: np.multiply(n, share), lambda n: np.divide(n, share)))
    shares.spines["right"].set_visible(False)  # the panel has one there, a fraction of a dot away
    shares.set_ylabel("% of device")
    shares.minorticks_off()
    shares.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    shares.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.3g}"))


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
    """Return the curves before what lines, bands, points and bars mean."""
    handles: list[Line2D | Patch] = [
        Line2D([], [], **_point_style(index) | line_style(index), label=shortened(curve.label, LEGEND_CHARACTERS))
        for index, curve in enumerate(curves)
    ]
    several = any(len(set(curve.values)) < len(curve.values) for curve in curves)
    if several:
        handles.append(Line2D([], [], color=_SEVERAL, label="mean over seeds"))
        handles.append(Patch(color=_SEVERAL, alpha=0.2, linewidth=0, label="smallest to largest"))
    has_bars = any(curve.interval is not None for curve in curves)
    point = "one network, 68 % interval" if has_bars else "one network"
    handles.append(Line2D([], [], **_point_style(0) | {"color": _SEVERAL}, label=point))
    if any(curve.chance is not None for curve in curves):
        handles.append(Line2D([], [], **_CHANCE, label="random choice"))
    return handles
