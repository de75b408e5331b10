"""How well anomaly scores tell signals from background: the record of it, and its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.table import Table

from nanotrigger.errors import InputError
from nanotrigger.evaluation.intervals import area_interval
from nanotrigger.evaluation.predictions import check_class_names, check_labels, check_scores
from nanotrigger.evaluation.roc import area_under_curve
from nanotrigger.evaluation.working_point import supported_rate, unsupported, working_point

_LONGEST_NAME = 30  # characters, in a table
BUNCH_CROSSINGS = 40e3  # kHz: the clock of the Large Hadron Collider, 40 MHz
FILLED_CROSSINGS = 28e3
"""kHz: crossings of two filled bunches, of which zero bias is a sample.

In 2025, 2,340 to 2,460 pairs of bunches collided in each of 11,245 turns a second, which is 26 to 28 MHz; the larger
one counts, so that no rate is too small.
"""


@dataclass(frozen=True, eq=False)
class Detection:
    """Scores of background (class 0) and signals (all other classes).

    Attributes:
        scores: name of the score → larger is more anomalous, shape (events,).
        labels: class indices, shape (events,).
        class_names: one for each class, the background first.
    """

    scores: Mapping[str, NDArray[np.float64]]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals, those without events included."""
        return self.class_names[1:]

    @property
    def background_events(self) -> int:
        """Number of background events, at least one."""
        return int(np.count_nonzero(self.labels == 0))

    def of_class(self, score: str, class_name: str) -> NDArray[np.float64]:
        """Return this score for the events of this class, shape (events of the class,)."""
        return self.scores[score][self.labels == self.class_names.index(class_name)]

    def background(self, score: str) -> NDArray[np.float64]:
        """Return this score for the background, shape (background events,)."""
        return self.of_class(score, self.class_names[0])


def check_detection(scores: Mapping[str, ArrayLike], labels: ArrayLike, class_names: Sequence[str]) -> Detection:
    """Return scores, labels and names together.

    Args:
        scores: name of the score → values, larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        class_names: one for each class, the background first.

    Raises:
        InputError: no score, no signal class, no background event, or shapes, labels or names do not fit together.
    """
    if not scores:
        raise InputError("scores are empty; give at least one, such as {'reconstruction error': values}")
    names = check_class_names(class_names, classes=len(class_names))
    if len(names) < 2:
        raise InputError(f"class names {names} hold no signal; give the background first, then the signals")
    values = {str(name): check_scores(column, name=name) for name, column in scores.items()}
    for name, column in values.items():
        if column.shape != np.shape(labels):
            raise InputError(
                f"score {name!r} has shape {column.shape}, labels {np.shape(labels)}; give one of each an event"
            )
    truth = check_labels(labels, events=len(next(iter(values.values()))), classes=len(names))
    if not (truth == 0).any():
        raise InputError(f"no event has label 0, the {names[0]}; a false-positive rate needs background")
    return Detection(values, truth, names)


def trigger_rate(false_positive_rate: float, crossings: float = BUNCH_CROSSINGS) -> float:
    """Return how often background would fire the trigger, in kHz.

    At 40 million bunch crossings a second it is an upper bound: the rate if every bunch crossing looked like an event
    of the background sample. Such samples are mostly filtered, with a lepton of high pT in each event, and not all
    bunches are filled.

    Args:
        false_positive_rate: fraction of the background that passes.
        crossings: rate of the bunch crossings that look like the background, in kHz.

    >>> trigger_rate(1e-5)
    0.4
    >>> trigger_rate(0.25, FILLED_CROSSINGS)
    7000.0
    """
    return crossings * false_positive_rate


def detection_summary(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    *,
    class_names: Sequence[str],
    rates: Sequence[float] = (1e-3, 1e-4, 1e-5),
    crossings: float = BUNCH_CROSSINGS,
) -> dict[str, Any]:
    """Return what a test of an anomaly detector found; undefined numbers, those of an absent signal, are None.

    Args:
        scores: name of the score → values, larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        class_names: one for each class, the background first.
        rates: false-positive rates of the working points, each in (0, 1).
        crossings: rate of the bunch crossings that look like the background, in kHz.

    Returns:
        `events`: class → number of events.
        `supported_rate`: the smallest false-positive rate that the background can set.
        `signals`: signal → score → `auc`, `auc_interval` at 68.27 % and `working_points`, one for each rate, with
        `false_positive_rate`, `trigger_rate_khz`, `threshold`, `background_events`, `true_positive_rate`, `interval`
        at 68.27 % and `reason`: why the last four are None, else None.

    Raises:
        InputError: shapes, labels, names or rates do not fit together, or a score is not finite.
    """
    detection = check_detection(scores, labels, class_names)
    sizes = np.bincount(detection.labels, minlength=len(detection.class_names)).tolist()
    return {
        "events": dict(zip(detection.class_names, sizes, strict=True)),
        "supported_rate": supported_rate(detection.background_events),
        "signals": {
            signal: {
                score: _performance(detection.background(score), detection.of_class(score, signal), rates, crossings)
                for score in detection.scores
            }
            for signal in detection.signals
        },
    }


def _performance(
    background: NDArray[np.float64], signal: NDArray[np.float64], rates: Sequence[float], crossings: float
) -> dict[str, Any]:
    interval = area_interval(background, signal) if signal.size else None
    return {
        "auc": area_under_curve(background, signal) if signal.size else None,
        "auc_interval": None if interval is None else list(interval),
        "working_points": [_point(background, signal, rate, crossings) for rate in rates],
    }


def _point(
    background: NDArray[np.float64], signal: NDArray[np.float64], rate: float, crossings: float
) -> dict[str, Any]:
    reason = unsupported(len(background), rate) or (None if signal.size else "no signal events")
    found = None if reason else working_point(background, signal, rate)
    return {
        "false_positive_rate": float(rate),
        "trigger_rate_khz": trigger_rate(rate, crossings),
        "threshold": found and found.threshold,
        "background_events": found and found.background_events,
        "true_positive_rate": found and found.true_positive_rate,
        "interval": found and list(found.interval),
        "reason": reason,
    }


def detection_table(summary: Mapping[str, Any], *, title: str | None = None) -> Table:
    """Return areas and true-positive rates with their 68 % intervals; "–" where the background supports no rate.

    Args:
        summary: of `detection_summary`.
        title: of the table.
    """
    signals = summary["signals"]
    points = next(iter(next(iter(signals.values())).values()))["working_points"] if signals else []
    table = Table(title=title, title_justify="left")
    for name in ("signal", "score"):
        table.add_column(name, no_wrap=True, max_width=_LONGEST_NAME)
    for name in ("AUC", *(f"TPR % at {point['false_positive_rate']:.0e}" for point in points)):
        table.add_column(name, justify="right", no_wrap=True)
    for signal, scores in signals.items():
        for place, (score, found) in enumerate(scores.items()):
            table.add_row("" if place else signal, score, *cells(found))
        table.add_section()
    if reasons := {point["reason"] for point in points if point["reason"]}:
        table.caption = f"–: {next(iter(sorted(reasons))).partition(';')[0]}"
    return table


def cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the area and the true-positive rates of one score for one signal, as cells of a table.

    >>> point = {"true_positive_rate": 0.2, "interval": [0.18, 0.23]}
    >>> cells({"auc": 0.8, "auc_interval": [0.79, 0.82], "working_points": [point]})
    ('0.800 +0.020 -0.010', '20.00 +3.00 -2.00')
    """
    area = "–" if found["auc"] is None else spread(found["auc"], found["auc_interval"], 3)
    rates = [
        "–"
        if point["true_positive_rate"] is None
        else spread(100 * point["true_positive_rate"], [100 * end for end in point["interval"]], 2)
        for point in found["working_points"]
    ]
    return (area, *rates)


def spread(value: float, interval: Sequence[float] | None, digits: int) -> str:
    """Return a value with the distances to the ends of its interval.

    >>> spread(0.25, (0.125, 0.5), 3)
    '0.250 +0.250 -0.125'
    """
    if interval is None:
        return f"{value:.{digits}f}"
    low, high = interval
    return f"{value:.{digits}f} +{high - value:.{digits}f} -{value - low:.{digits}f}"
