"""Anomaly scores: how they are distributed, and what a trigger that cuts on them keeps."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.evaluation.detection import BUNCH_CROSSINGS, check_detection, trigger_rate
from nanotrigger.evaluation.figures.labels import MOST_CURVES, all_shortened, first_of
from nanotrigger.evaluation.figures.page import (
    HALF_WIDTH,
    Sample,
    class_legend,
    drawn,
    legend_columns,
    line_style,
    new_page,
    new_panels,
    round_ticks,
)
from nanotrigger.evaluation.figures.quantization import word_edges
from nanotrigger.evaluation.working_point import supported_rate, working_point

_COLUMNS = 2
_BINS = 50
_COARSE = 20  # steps in a bin; with fewer, a bin that holds one step more stands out
_LONG_TAIL = 30  # ratio of the largest score to the median beyond which the axis is logarithmic

_POINTS = 40  # of a curve


@drawn
def score_histograms(
    scores: Mapping[str, ArrayLike], labels: ArrayLike, *, class_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each score: the fraction of the events of each class in common bins, log scale.

    All events are on the axis, because the most anomalous ones matter most. Positive scores with a long tail get a
    logarithmic axis; zeros then count in the first bin.

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
    shown, left_out = first_of(len(detection.class_names), MOST_CURVES, "classes")
    figure, body, panels = new_panels(
        len(detection.scores), columns=_COLUMNS, panel_height=2.1, notes=[sample.source, sample.extent, *left_out]
    )
    one_event = 1 / np.bincount(detection.labels).max()
    for axes, (score, values) in zip(panels, detection.scores.items(), strict=True):
        edges, logarithmic = score_bins(values)
        for index, name in enumerate(detection.class_names[:shown]):
            members = np.clip(detection.of_class(score, name), edges[0], edges[-1])
            fractions = np.histogram(members, edges)[0] / max(len(members), 1)
            axes.stairs(fractions, edges, linewidth=0.9, **line_style(index))
        axes.set(xlim=(edges[0], edges[-1]), yscale="log", ylim=(one_event / 2, 1.5))
        axes.set(xlabel=score[:1].upper() + score[1:], ylabel=f"Fraction of {sample.unit} per bin")
        if logarithmic:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(numticks=7))
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.xaxis.set_major_locator(round_ticks(5))
        axes.yaxis.set_minor_formatter(NullFormatter())
    names = all_shortened(detection.class_names[:shown])
    class_legend(body, names, title="True class", columns=legend_columns(names, width=figure.get_figwidth()))
    return figure


def score_bins(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return the edges of 50 bins from the smallest to the largest score, and whether they are logarithmic.

    Scores that are multiples of one step, as quantized outputs are, get bins that hold equally many steps.

    >>> edges, logarithmic = score_bins(np.array([0.0, 1.0, 10.0, 1000.0]))
    >>> float(edges[0]), float(edges[-1]), logarithmic
    (1.0, 1000.0, True)
    """
    low, high = float(values.min()), float(values.max())
    least = float(values[values > 0].min(initial=np.inf))
    if low >= 0 and high > _LONG_TAIL * max(least, float(np.median(values))):
        edges = np.geomspace(least, high, _BINS + 1)
        edges[0], edges[-1] = least, high  # geomspace may miss them by a rounding
        return edges, True
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = _step(values)
    return (word_edges(low, high, step) if step else np.linspace(low, high, _BINS + 1)), False


def _step(values: NDArray[np.float64]) -> float | None:
    """Return the distance of neighbouring scores if all scores are multiples of it, and it is coarse."""
    found = np.unique(values)
    step = float(np.diff(found).min(initial=np.inf))
    coarse = found[-1] - found[0] < _COARSE * _BINS * step < np.inf
    return step if coarse and np.array_equal(found, step * np.rint(found / step)) else None


@drawn
def efficiency_over_rate(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    class_names: Sequence[str],
    score_name: str,
    sample: Sample,
    crossings: float = BUNCH_CROSSINGS,
    accepted: NDArray[np.bool_] | None = None,
) -> Figure:
    """Draw the efficiency of each signal over the rate of accepted background, with bands of 68 %.

    At 40 MHz the rate is an upper bound, see `nanotrigger.evaluation.detection.trigger_rate`; the bands are the
    intervals of `working_point`. They reach zero at rates that are set by one or two background events: the true
    threshold may then lie above all events.

    Args:
        scores: larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        class_names: one for each class, the background first.
        score_name: written in the header.
        sample: what is drawn; its size must be the number of events.
        crossings: rate of the bunch crossings that look like the background, in kHz.
        accepted: whether a trigger menu accepts each event, shape (events,); dots are then the efficiency beyond it.

    Raises:
        InputError: the arguments do not fit together.
    """
    detection = check_detection({score_name: scores}, labels, class_names)
    sample.check_size(len(detection.labels))
    shown, left_out = first_of(len(detection.signals), MOST_CURVES, "signals")
    notes = [sample.source, sample.extent, f"Score: {score_name}; bands: 68 % confidence", *left_out]
    if accepted is not None:
        notes.append("Dots: not accepted by the menu")
    figure, body = new_page(width=HALF_WIDTH, height=3.1, notes=notes)
    axes = body.subplots()
    background = detection.background(score_name)
    lowest = 1.0
    for index, signal in enumerate(detection.signals[:shown], start=1):
        wanted = detection.of_class(score_name, signal)
        if wanted.size:
            counted = None if accepted is None else ~accepted[detection.labels == index]
            lowest = min(lowest, _draw_curve(axes, background, wanted, index, crossings, counted))
    _frame(axes, trigger_rate(supported_rate(len(background)), crossings), lowest, crossings)
    entries = [
        name if (detection.labels == index).any() else f"{name}, none"
        for index, name in enumerate(all_shortened(detection.signals[:shown]), start=1)
    ]
    handles = [Line2D([], [], **line_style(index)) for index in range(1, shown + 1)]
    columns = legend_columns(entries, width=HALF_WIDTH)
    body.legend(handles, entries, loc="outside upper center", ncols=columns, title="Signal")
    return figure


def _draw_curve(
    axes: Axes,
    background: NDArray[np.float64],
    signal: NDArray[np.float64],
    index: int,
    crossings: float,
    counted: NDArray[np.bool_] | None,
) -> float:
    """Draw one signal, with dots for the events that count, and return its smallest efficiency that is not zero."""
    rates = np.geomspace(supported_rate(len(background)), 1, _POINTS)[:-1]
    points = [working_point(background, signal, rate) for rate in rates[rates < 1].tolist()]
    efficiency = np.array([point.true_positive_rate for point in points] + [1.0])
    lower, upper = np.array([point.interval for point in points] + [(1.0, 1.0)]).T
    rates = np.array([point.false_positive_rate for point in points] + [1.0])
    kilohertz = trigger_rate(1.0, crossings) * rates
    style = line_style(index)
    axes.fill_between(kilohertz, lower, upper, color=style["color"], alpha=0.2, linewidth=0)
    axes.plot(kilohertz, np.where(efficiency > 0, efficiency, np.nan), **style)
    if counted is not None:
        thresholds = [point.threshold for point in points] + [-np.inf]
        pure = np.array([np.mean((signal > threshold) & counted) for threshold in thresholds])
        dots = {"color": style["color"], "linestyle": "none", "marker": "o", "markersize": 1.5}
        axes.plot(kilohertz, np.where(pure > 0, pure, np.nan), **dots)
        efficiency = np.append(efficiency, pure)
    return float(efficiency[efficiency > 0].min())


def _frame(axes: Axes, least_rate: float, lowest: float, crossings: float) -> None:
    axes.set(xlim=(least_rate / 1.0001, crossings), ylim=(min(lowest, 0.1) / 2, 1.5), xscale="log", yscale="log")
    axes.set(xlabel=f"Accepted background at {crossings / 1000:g} MHz [kHz]", ylabel="Signal efficiency")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=9))
        axis.set_minor_formatter(NullFormatter())
