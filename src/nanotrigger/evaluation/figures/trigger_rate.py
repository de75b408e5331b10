"""What a trigger would keep: signal efficiency over the rate of background it accepts."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.evaluation.anomaly import BUNCH_CROSSINGS, trigger_rate
from nanotrigger.evaluation.detection import check_detection
from nanotrigger.evaluation.figures.page import legend_columns, new_page
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import HALF_WIDTH, drawn, line_style
from nanotrigger.evaluation.working_point import supported_rate, working_point

_POINTS = 40  # of a curve


@drawn
def efficiency_over_rate(
    scores: ArrayLike, labels: ArrayLike, *, class_names: Sequence[str], score_name: str, sample: Sample
) -> Figure:
    """Draw the efficiency of each signal over the rate of accepted background at 40 MHz, with bands of 68 %.

    The rate is an upper bound, see `nanotrigger.evaluation.anomaly.trigger_rate`; the bands are the intervals of
    `working_point`. They reach zero at rates that are set by one or two background events: the true threshold may then
    lie above all events.

    Args:
        scores: larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        class_names: one for each class, the background first.
        score_name: written in the header.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together.
    """
    detection = check_detection({score_name: scores}, labels, class_names)
    sample.check_size(len(detection.labels))
    notes = [sample.source, sample.extent, f"Score: {score_name}; bands: 68 % confidence"]
    figure, body = new_page(width=HALF_WIDTH, height=3.1, notes=notes)
    axes = body.subplots()
    background = detection.background(score_name)
    lowest = 1.0
    for index, signal in enumerate(detection.signals, start=1):
        wanted = detection.of_class(score_name, signal)
        if wanted.size:
            lowest = min(lowest, _draw_curve(axes, background, wanted, index))
    _frame(axes, trigger_rate(supported_rate(len(background))), lowest)
    entries = [
        name if (detection.labels == index).any() else f"{name}, none"
        for index, name in enumerate(detection.signals, start=1)
    ]
    handles = [Line2D([], [], **line_style(index)) for index in range(1, len(detection.class_names))]
    columns = legend_columns(entries, width=HALF_WIDTH)
    body.legend(handles, entries, loc="outside upper center", ncols=columns, title="Signal")
    return figure


def _draw_curve(axes: Axes, background: NDArray[np.float64], signal: NDArray[np.float64], index: int) -> float:
    """Draw one signal, and return its smallest efficiency that is not zero."""
    rates = np.geomspace(supported_rate(len(background)), 1, _POINTS)[:-1]
    points = [working_point(background, signal, rate) for rate in rates[rates < 1].tolist()]
    efficiency = np.array([point.true_positive_rate for point in points] + [1.0])
    lower, upper = np.array([point.interval for point in points] + [(1.0, 1.0)]).T
    kilohertz = np.array([trigger_rate(point.false_positive_rate) for point in points] + [BUNCH_CROSSINGS])
    style = line_style(index)
    axes.fill_between(kilohertz, lower, upper, color=style["color"], alpha=0.2, linewidth=0)
    axes.plot(kilohertz, np.where(efficiency > 0, efficiency, np.nan), **style)
    return float(efficiency[efficiency > 0].min())


def _frame(axes: Axes, least_rate: float, lowest: float) -> None:
    axes.set(xlim=(least_rate / 1.0001, BUNCH_CROSSINGS), ylim=(min(lowest, 0.1) / 2, 1.5), xscale="log", yscale="log")
    axes.set(xlabel="Accepted background at 40 MHz [kHz]", ylabel="Signal efficiency")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=9))
        axis.set_minor_formatter(NullFormatter())
