"""A panel of ROC curves for anomaly detection: true- over false-positive rate, both logarithmic."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter

from nanotrigger.evaluation.figures.page import LEGEND_ROW, legend_columns, new_panels
from nanotrigger.evaluation.figures.style import FULL_WIDTH, HALF_WIDTH, line_style

_COLUMNS = 2
_PANEL_HEIGHT = 2.4  # inches
TRIGGER_RATE = 1e-5  # false-positive rate of the mark: 400 Hz at 40 MHz
_DIAGONAL: dict[str, Any] = {"color": "0.55", "linestyle": (0, (2, 2)), "linewidth": 0.8}
_MARK: dict[str, Any] = {"color": "0.35", "linestyle": (0, (1, 1)), "linewidth": 0.9}
_GREY = "0.9"
_ROOM = 30  # factor below the lowest curve, where a panel's own legend stands


def detection_panels(panels: int, entries: Sequence[str], notes: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Return a page with `panels` axes under one legend of the curves, `entries`, and of the frame's parts."""
    handles: list[Artist] = [Line2D([], [], **line_style(index), label=entry) for index, entry in enumerate(entries)]
    handles += [
        Line2D([], [], **_DIAGONAL, label="random decision"),
        Line2D([], [], **_MARK, label=r"false-positive rate $10^{-5}$"),
        Patch(color=_GREY, label="less than one background event"),
    ]
    width = HALF_WIDTH if panels == 1 else FULL_WIDTH
    columns = legend_columns([str(handle.get_label()) for handle in handles], width=width)
    legend_height = LEGEND_ROW * (-(-len(handles) // columns) - 1)
    height = _PANEL_HEIGHT + legend_height / -(-panels // _COLUMNS)
    figure, body, axes = new_panels(panels, columns=_COLUMNS, panel_height=height, notes=notes)
    body.legend(handles=handles, loc="outside upper center", ncols=columns)
    return figure, axes


def frame(axes: Axes, *, signal: str, supported_rate: float, lowest: float) -> None:
    """Draw what belongs to every panel: axes, the line of a random decision, the mark, what is not supported.

    Args:
        axes: empty or with curves.
        signal: name of the signal, the title.
        supported_rate: smallest false-positive rate that the background can set; grey below.
        lowest: smallest true-positive rate to show, positive.
    """
    left = min(TRIGGER_RATE, supported_rate) / 2
    bottom = max(min(lowest, 0.1) / _ROOM, left)
    axes.axvspan(left, supported_rate, color=_GREY, linewidth=0, zorder=0)
    axes.axvline(TRIGGER_RATE, zorder=1, **_MARK)
    diagonal = np.geomspace(left, 1, 2)
    axes.plot(diagonal, diagonal, zorder=1, **_DIAGONAL)
    axes.set(xlim=(left, 1), ylim=(bottom, 1.5), xscale="log", yscale="log", title=signal)
    axes.set(xlabel="False-positive rate", ylabel="True-positive rate")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=9))
        axis.set_minor_formatter(NullFormatter())
