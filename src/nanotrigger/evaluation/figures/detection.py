"""ROC curves of anomaly scores and of detectors, readable down to the trigger's false-positive rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import Detection, check_detection
from nanotrigger.evaluation.figures.labels import MOST_PANELS, first_of, shortened
from nanotrigger.evaluation.figures.page import (
    FULL_WIDTH,
    HALF_WIDTH,
    LEGEND_ROW,
    MARKERS,
    Sample,
    drawn,
    legend_columns,
    line_style,
    new_panels,
)
from nanotrigger.evaluation.roc import area_under_curve, roc_points
from nanotrigger.evaluation.working_point import WorkingPoint, supported_rate, working_point

_APART = 1.17  # factor between the marks of two detectors at one working point, so that both are seen

_COLUMNS = 2
_PANEL_HEIGHT = 2.4  # inches
TRIGGER_RATE = 1e-5  # false-positive rate of the mark: 400 Hz at 40 MHz
_DIAGONAL: dict[str, Any] = {"color": "0.55", "linestyle": (0, (2, 2)), "linewidth": 0.8}
_MARK: dict[str, Any] = {"color": "0.35", "linestyle": (0, (1, 1)), "linewidth": 0.9}
_GREY = "0.9"
_ROOM = 30  # factor below the lowest curve, where a panel's own legend stands
_LITTLE_ROOM = 2  # the same where there is none


@drawn
def detection_roc(
    scores: Mapping[str, ArrayLike], labels: ArrayLike, *, class_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each signal: a curve for each score, its area (AUC) in the panel's legend.

    A curve begins where the first background event passes. A vertical line marks the false-positive rate 1e-5. Dots
    with numbers are thresholds of the first score at false-positive rates of 0.1, 0.01 and so on.

    Args:
        scores: name of the score → values, larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        class_names: one for each class, the background first.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together.
    """
    detection = check_detection(scores, labels, class_names)
    sample.check_size(len(detection.labels))
    shown, left_out = first_of(len(detection.signals), MOST_PANELS, "signals")
    notes = [sample.source, sample.extent, f"Numbers: thresholds of {next(iter(detection.scores))}", *left_out]
    figure, panels = detection_panels(
        shown, {score: line_style(index) for index, score in enumerate(detection.scores)}, notes
    )
    for axes, signal in zip(panels, detection.signals, strict=False):
        lowest = _draw_scores(axes, detection, signal)
        frame(axes, signal=signal, supported_rate=supported_rate(detection.background_events), lowest=lowest)
        if not axes.get_legend():
            axes.text(0.5, 0.7, f"no {shortened(signal)} {sample.unit}", transform=axes.transAxes, ha="center")
    return figure


def _draw_scores(axes: Axes, detection: Detection, signal: str) -> float:
    """Draw the curve of each score, and return the smallest true-positive rate that is not zero."""
    if not (detection.labels == detection.class_names.index(signal)).any():
        return 1.0
    lowest = 1.0
    for index, score in enumerate(detection.scores):
        background, wanted = detection.background(score), detection.of_class(score, signal)
        false_positives, true_positives = roc_points(background, wanted)
        seen = true_positives > 0  # a logarithm shows no zero
        lowest = min(lowest, float(np.min(true_positives[seen])))
        area = f"{area_under_curve(background, wanted):.3f}"
        axes.plot(false_positives[seen], true_positives[seen], label=area, **line_style(index))
    score = next(iter(detection.scores))
    _mark_thresholds(axes, detection.background(score), detection.of_class(score, signal))
    axes.legend(loc="lower right", title="AUC", alignment="right", framealpha=1, frameon=True, edgecolor="none")
    return lowest


def _mark_thresholds(axes: Axes, background: NDArray[np.float64], wanted: NDArray[np.float64]) -> None:
    """Mark the first curve at false-positive rates of powers of ten, and write the thresholds there."""
    for decade in range(1, int(-np.log10(supported_rate(len(background))) + 1e-9) + 1):
        point = working_point(background, wanted, 10.0**-decade)
        place = point.false_positive_rate, point.true_positive_rate
        if point.true_positive_rate > 0:
            axes.plot(*place, marker="o", color=line_style(0)["color"], markeredgecolor="white", markeredgewidth=0.4)
            text = axes.annotate(f"{point.threshold:.3g}", place, (-2, 3), textcoords="offset points", fontsize=6)
            text.set(ha="right", path_effects=[withStroke(linewidth=1.5, foreground="white")])


@dataclass(frozen=True, eq=False)
class DetectorCurve:
    """The ROC curve of one detector for one signal, as `roc_points` gives it.

    Args:
        label: in the legend, such as "quantized, 75 % pruned".
        false_positive_rate: shape (points,), positive and rising; its first value is what the background supports.
        true_positive_rate: shape (points,).
        working_points: drawn as marks with their intervals of 68 %.
        run: curves of one have one colour and different dashes; if empty, the label's.

    Raises:
        InputError: the two rates do not fit together, or are no fractions.
    """

    label: str
    false_positive_rate: ArrayLike
    true_positive_rate: ArrayLike
    working_points: Sequence[WorkingPoint] = ()
    run: str = ""

    def __post_init__(self) -> None:
        across, up = np.asarray(self.false_positive_rate, np.float64), np.asarray(self.true_positive_rate, np.float64)
        if across.ndim != 1 or across.shape != up.shape or not across.size:
            raise InputError(
                f"curve {self.label!r}: false-positive rates have shape {across.shape}, true-positive {up.shape}; "
                "give one of each a point"
            )
        if not ((across > 0) & (across <= 1) & (up >= 0) & (up <= 1)).all() or (np.diff(across) < 0).any():
            raise InputError(f"curve {self.label!r}: rates must be fractions, the false-positive ones positive, rising")


@drawn
def detector_comparison(curves: Mapping[str, Sequence[DetectorCurve]], *, notes: Sequence[str]) -> Figure:
    """Draw one panel for each signal: the ROC curve of each detector, and its working points with 68 % intervals.

    A label has the same colour in all panels. At one working point the marks stand side by side.

    Args:
        curves: signal → its curves.
        notes: what was trained on which data.

    Raises:
        InputError: no signal, or a signal without curves.
    """
    for signal, members in curves.items():
        if not members:
            raise InputError(f"signal {signal!r} has no curve; give at least one, or leave the signal out")
    if not curves:
        raise InputError("curves are empty; give at least one signal")
    styles = _styles([curve for members in curves.values() for curve in members])
    if any(curve.working_points for members in curves.values() for curve in members):
        notes = [*notes, "Error bars: 68 % confidence"]
    shown, left_out = first_of(len(curves), MOST_PANELS, "signals")
    figure, panels = detection_panels(shown, styles, [*notes, *left_out])
    for axes, (signal, members) in zip(panels, curves.items(), strict=False):
        lowest = min(_draw_curve(axes, curve, styles) for curve in members)
        supported = min(float(np.min(curve.false_positive_rate)) for curve in members)
        frame(axes, signal=signal, supported_rate=supported, lowest=lowest, room=_LITTLE_ROOM)
    return figure


def _styles(curves: Sequence[DetectorCurve]) -> dict[str, dict[str, Any]]:
    """Return label → style: a run has a colour and a mark, its scores have dashes."""
    runs: dict[str, dict[str, None]] = {}
    for curve in curves:
        runs.setdefault(curve.run or curve.label, {})[curve.label] = None
    styles = {}
    for colour, labels in enumerate(runs.values()):
        for dash, label in enumerate(labels):
            style = {"color": line_style(colour)["color"], "linestyle": line_style(dash)["linestyle"]}
            styles[label] = {**style, "marker": MARKERS[colour % len(MARKERS)]}
    return styles


def _draw_curve(axes: Axes, curve: DetectorCurve, styles: Mapping[str, dict[str, Any]]) -> float:
    """Draw one curve, and return its smallest true-positive rate that is not zero."""
    across, up = np.asarray(curve.false_positive_rate, np.float64), np.asarray(curve.true_positive_rate, np.float64)
    style = styles[curve.label]
    seen = up > 0  # a logarithm shows no zero
    axes.plot(across[seen], up[seen], **{**style, "marker": "", "linewidth": 1})
    shift = _APART ** (list(styles).index(curve.label) - (len(styles) - 1) / 2)
    for point in curve.working_points:
        value = point.true_positive_rate
        errors = [[value - point.interval[0]], [point.interval[1] - value]]
        mark = {"color": style["color"], "marker": style["marker"], "markeredgecolor": "white", "markeredgewidth": 0.4}
        axes.errorbar(point.false_positive_rate * shift, value, errors, elinewidth=0.7, capsize=1, markersize=4, **mark)
    return float(np.min(up[seen], initial=1.0))


def detection_panels(
    panels: int, entries: Mapping[str, dict[str, Any]], notes: Sequence[str]
) -> tuple[Figure, list[Axes]]:
    """Return a page with `panels` axes under one legend of the curves, `entries`, and of the frame's parts.

    Args:
        panels: how many.
        entries: name of the curve → its style.
        notes: of the header.
    """
    handles: list[Artist] = [
        Line2D([], [], **style, label=shortened(entry, 40))  # a run and a score
        for entry, style in entries.items()
    ]
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


def frame(axes: Axes, *, signal: str, supported_rate: float, lowest: float, room: float = _ROOM) -> None:
    """Draw what every panel has: axes, the line of a random decision, the mark, and grey where no rate is supported.

    Args:
        axes: empty or with curves.
        signal: name of the signal, the title.
        supported_rate: smallest false-positive rate that the background can set; grey below.
        lowest: smallest true-positive rate to show, positive.
        room: factor between that and the lower end of the axis.
    """
    left = min(TRIGGER_RATE, supported_rate) / 2
    bottom = max(min(lowest, 0.1) / room, left)
    axes.axvspan(left, supported_rate, color=_GREY, linewidth=0, zorder=0)
    axes.axvline(TRIGGER_RATE, zorder=1, **_MARK)
    diagonal = np.geomspace(left, 1, 2)
    axes.plot(diagonal, diagonal, zorder=1, **_DIAGONAL)
    axes.set(xlim=(left, 1), ylim=(bottom, 1.5), xscale="log", yscale="log", title=shortened(signal))
    axes.set(xlabel="False-positive rate", ylabel="True-positive rate")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=9))
        axis.set_minor_formatter(NullFormatter())
