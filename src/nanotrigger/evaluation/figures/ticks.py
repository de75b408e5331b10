"""Minor ticks in one piece: matplotlib makes five objects of each, which takes a quarter of the time of a figure."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT, TICKRIGHT, TICKUP
from matplotlib.ticker import Locator, NullFormatter, NullLocator, ScalarFormatter
from numpy.typing import NDArray

_INWARDS = {"bottom": TICKUP, "top": TICKDOWN, "left": TICKRIGHT, "right": TICKLEFT}


class MinorTicks(Artist):
    """The minor ticks of one axis, without labels.

    Args:
        axis: whose limits are final.
    """

    def __init__(self, axis: Axis) -> None:
        super().__init__()
        self.zorder = axis.get_zorder()
        axes, name = axis.axes, "x" if isinstance(axis, XAxis) else "y"
        sides = ("bottom", "top") if name == "x" else ("left", "right")
        shown = axis.get_tick_params(which="minor")
        places = _within(axis)
        look: dict[str, Any] = {
            "linestyle": "none",
            "markersize": shown.get("length", rcParams[f"{name}tick.minor.size"]),
            "markeredgewidth": shown.get("width", rcParams[f"{name}tick.minor.width"]),
            "color": shown.get("color", rcParams[f"{name}tick.color"]),
            "transform": axes.get_xaxis_transform() if name == "x" else axes.get_yaxis_transform(),
            "clip_on": False,
        }
        self._lines = []
        for side, edge in zip(sides, (0.0, 1.0), strict=True):
            at = np.full(len(places), edge)
            x, y = (places, at) if name == "x" else (at, places)
            if shown[side]:
                self._lines.append(Line2D(x, y, marker=_INWARDS[side], **look))

    def set_figure(self, fig: Any) -> None:
        """Tell the lines too, which measure in dots."""
        super().set_figure(fig)
        for line in self._lines:
            line.set_figure(fig)

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw the ticks of both sides."""
        for line in self._lines:
            line.draw(renderer)


class PlainNumbers(ScalarFormatter):
    """Numbers on an axis as text, not as formulas, each of which is parsed; the power of ten at its end stays one."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick."""
        label: str = super().__call__(x, pos)
        return label.removeprefix(r"$\mathdefault{").removesuffix("}$")


def write_numbers_plainly(figure: Figure) -> None:
    """Have axes write their numbers as text, unless a figure has chosen how they are written."""
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            if axis.isDefault_majfmt and type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(PlainNumbers())


def take_minor_ticks(figure: Figure) -> list[tuple[Axis, Locator]]:
    """Remove minor ticks that have no labels and point inwards; return what `give_minor_ticks` takes."""
    taken = [(axis, axis.get_minor_locator()) for axis in _axes_with_minor_ticks(figure.axes)]
    for axis, _ in taken:
        axis.set_minor_locator(NullLocator())
    return taken


def give_minor_ticks(taken: Iterable[tuple[Axis, Locator]]) -> None:
    """Put minor ticks back, now that the layout is settled, on which their number depends."""
    for axis, locator in taken:
        axis.set_minor_locator(locator)
        ticks = MinorTicks(axis)
        axis.set_minor_locator(NullLocator())
        axis.axes.add_artist(ticks)


def _axes_with_minor_ticks(panels: Iterable[Axes]) -> Iterable[Axis]:
    for panel in panels:
        for axis in (panel.xaxis, panel.yaxis):
            has_ticks = panel.axison and axis.get_visible() and not isinstance(axis.get_minor_locator(), NullLocator)
            is_plain = axis.get_tick_params(which="minor").get("direction", "in") == "in"
            if has_ticks and is_plain and isinstance(axis.get_minor_formatter(), NullFormatter):
                yield axis


def _within(axis: Axis) -> NDArray[np.float64]:
    """Return where an axis has minor ticks, without those beyond its ends, which locators give too."""
    places = np.asarray(axis.get_minorticklocs(), np.float64)
    on_paper, ends = axis.get_transform().transform(places), axis.get_transform().transform(axis.get_view_interval())
    slack = 1e-3 * abs(ends[1] - ends[0])  # less than a dot
    inside: NDArray[np.float64] = places[(on_paper >= min(ends) - slack) & (on_paper <= max(ends) + slack)]
    return inside
