"""The trade-off: how well networks do their task against what their firmware costs, with the best of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import LEGEND_CHARACTERS, shortened
from nanotrigger.evaluation.figures.page import COLOURS, LEGEND_ROW, MARKERS, drawn, legend_columns, new_panels
from nanotrigger.evaluation.pareto import pareto_front

PANELS = {"aluts": "ALUTs", "ffs": "FFs"}

_PANEL_HEIGHT = 2.5  # inches
_FRONT = "0.3"  # colour
_SHOWN = 0.06  # of quality, below the best one: the range in which differences matter
_NAME_HEIGHT = 0.045  # of a panel, of a network's name
_NAME_LETTER = 0.017  # of a panel, of a letter of it
_DECADE = 10  # costs with a larger ratio get a logarithmic axis


@dataclass(frozen=True, eq=False)
class TradeoffPoints:
    """Networks whose costs come from one source.

    Args:
        label: in the legend.
        quality: how well each network does its task, 0 to 1, the more the better, shape (points,).
        costs: "aluts" and "ffs" → counts, shape (points,); NaN where unknown.
        source: of the counts, such as "oneAPI early estimate".
        interval: lower and upper bound of each quality, shape (points, 2); NaN where unknown.
        measure: what the quality is called on its axis, such as "True-positive rate".
        names: of the networks, written where they are on the front; none if they have none.

    Raises:
        InputError: the shapes do not fit together.
    """

    label: str
    quality: ArrayLike
    costs: Mapping[str, ArrayLike]
    source: str
    interval: ArrayLike | None = None
    measure: str = "Quality"
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        points = np.shape(self.quality)
        shapes = {name: np.shape(self.costs.get(name, ())) for name in PANELS}
        if len(points) != 1 or any(shape != points for shape in shapes.values()):
            raise InputError(
                f"points {self.label!r}: quality has shape {points}, costs have {shapes}; "
                "give one number for each point, NaN where unknown"
            )
        if self.interval is not None and np.shape(self.interval) != (*points, 2):
            raise InputError(
                f"points {self.label!r}: the interval has shape {np.shape(self.interval)}; give two bounds a point"
            )


@drawn
def tradeoff_figure(
    points: Sequence[TradeoffPoints], *, notes: Sequence[str], reference: Sequence[TradeoffPoints] = ()
) -> Figure:
    """Draw the quality over ALUTs beside the quality over FFs, and the Pareto front of each source.

    Shown are networks up to 0.06 worse than the best one; a note counts the others.

    Args:
        points: groups of networks; those of one source have one front.
        notes: what was trained on which data, and where the resources come from.
        reference: networks to compare with, drawn as stars; no front goes through them.

    Raises:
        InputError: no point has both a quality and a cost.
    """
    groups = [*points, *reference]
    measures = " or ".join(dict.fromkeys(group.measure for group in groups))
    if not any(np.isfinite(_costs(group, name)).any() for group in points for name in PANELS):
        raise InputError("points have no known cost; give ALUTs or FFs of at least one")
    if any(group.interval is not None for group in groups):
        notes = [*notes, "Error bars: 68 % confidence"]
    lowest = max(float(np.nanmax(group.quality)) for group in groups) - _SHOWN
    left_out = sum(int(np.sum(np.asarray(group.quality) < lowest)) for group in groups)
    if left_out:
        notes = [*notes, f"{left_out} networks that are worse than {lowest:.3g} are left out"]
    points, reference = ([_from(lowest, group) for group in some] for some in (points, reference))
    groups = [*points, *reference]
    styles = [_style(index, is_reference=index >= len(points)) for index in range(len(groups))]
    handles = [
        Line2D([], [], **style, label=shortened(group.label, LEGEND_CHARACTERS))
        for style, group in zip(styles, groups, strict=True)
    ]
    sources = list(dict.fromkeys(group.source for group in points))
    handles += [
        Line2D(
            [], [], **_front_style(sources, source), label=shortened(_front_name(sources, source), LEGEND_CHARACTERS)
        )
        for source in sources
    ]
    columns = legend_columns([str(handle.get_label()) for handle in handles])
    height = _PANEL_HEIGHT + LEGEND_ROW * (-(-len(handles) // columns) - 1)
    figure, body, panels = new_panels(len(PANELS), columns=len(PANELS), panel_height=height, notes=notes)
    for panel, (name, title) in zip(panels, PANELS.items(), strict=True):
        for group, style in zip(groups, styles, strict=True):
            _draw_points(panel, group, name=name, style=style)
        panel.set(xlabel=title, ylabel=measures)
        panel.margins(x=0.05, y=0.06)
        _scale_costs(panel, np.concatenate([_costs(group, name) for group in groups]))
        for source in sources:
            members = [group for group in points if group.source == source]
            _draw_front(panel, members, name=name, style=_front_style(sources, source))
    body.legend(handles=handles, loc="outside upper center", ncols=columns)
    return figure


def _from(lowest: float, group: TradeoffPoints) -> TradeoffPoints:
    """Return a group without networks whose quality is below."""
    kept = ~(np.asarray(group.quality, np.float64) < lowest)
    return replace(
        group,
        quality=np.asarray(group.quality)[kept],
        costs={name: _costs(group, name)[kept] for name in PANELS},
        interval=None if group.interval is None else np.asarray(group.interval)[kept],
        names=[name for name, is_kept in zip(group.names, kept, strict=False) if is_kept],
    )


def _draw_points(panel: Axes, group: TradeoffPoints, *, name: str, style: Mapping[str, Any]) -> None:
    quality, costs = np.asarray(group.quality, np.float64), _costs(group, name)
    if group.interval is not None:
        errors = np.abs(np.asarray(group.interval, np.float64).T - quality)
        panel.errorbar(costs, quality, errors, fmt="none", ecolor=style["color"], elinewidth=0.9, capsize=1.5)
    panel.plot(costs, quality, **style)


def _draw_front(panel: Axes, groups: Sequence[TradeoffPoints], *, name: str, style: Mapping[str, Any]) -> None:
    """Draw the staircase from the cheapest point to the right end: what can be had for a given cost."""
    costs = np.concatenate([_costs(group, name) for group in groups])
    quality = np.concatenate([np.asarray(group.quality, np.float64) for group in groups])
    front = pareto_front(costs, quality)
    if not len(front):
        return
    right = panel.get_xlim()[1]
    corners = np.append(costs[front], right), np.append(quality[front], quality[front[-1]])
    panel.plot(*corners, drawstyle="steps-post", **style)
    panel.set_xlim(right=right)
    names = [name for group in groups for name in group.names or [""] * len(np.asarray(group.quality))]
    _write_names(panel, {(costs[index], quality[index]): names[index] for index in front if names[index]})


def _write_names(panel: Axes, names: Mapping[tuple[float, float], str]) -> None:
    """Write names above their points, where the front leaves room, the best ones first, unless they touch."""
    to_panel = panel.transData + panel.transAxes.inverted()
    taken: list[tuple[float, float]] = []  # left end and lower end
    for point, name in reversed(list(names.items())):
        right, low = to_panel.transform(point)
        left = right - _NAME_LETTER * len(name)
        if left > 0 and all(right < other or abs(low - lower) > _NAME_HEIGHT for other, lower in taken):
            place: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "bottom", "fontsize": 6}
            panel.annotate(
                name, point, (-2, 1.5), path_effects=[withStroke(linewidth=1.5, foreground="white")], **place
            )
            taken.append((left, low))


def _scale_costs(panel: Axes, costs: NDArray[np.float64]) -> None:
    known = costs[np.isfinite(costs)]
    if not known.size:
        panel.text(0.5, 0.5, "not known", transform=panel.transAxes, ha="center", va="center", color=_FRONT)
        panel.set_xticks([])
        return
    if known.min() > 0 and known.max() > _DECADE * known.min():
        panel.set_xscale("log")
        wide = known.max() > _DECADE**2 * known.min()  # labels of three a decade would touch
        panel.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
        panel.xaxis.set_minor_formatter(NullFormatter())
    else:
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.0f}"))


def _costs(group: TradeoffPoints, name: str) -> NDArray[np.float64]:
    return np.asarray(group.costs[name], np.float64)


def _style(index: int, *, is_reference: bool) -> dict[str, Any]:
    marker = "*" if is_reference else MARKERS[index % len(MARKERS)]
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": "",
        "marker": marker,
        "markersize": 7 if is_reference else 3.2,
        "markeredgewidth": 0,
    }


def _front_style(sources: Sequence[str], source: str) -> dict[str, Any]:
    dashes = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
    return {"color": _FRONT, "linestyle": dashes[sources.index(source) % len(dashes)], "linewidth": 0.9, "zorder": 1.5}


def _front_name(sources: Sequence[str], source: str) -> str:
    return "Pareto front" if len(sources) == 1 else f"Pareto front, {source}"
