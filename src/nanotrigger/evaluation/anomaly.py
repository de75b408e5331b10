"""The record of an anomaly detector's performance, in plain primitives ready for JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanotrigger.evaluation.auc import area_interval, area_under_curve
from nanotrigger.evaluation.detection import check_detection
from nanotrigger.evaluation.working_point import supported_rate, unsupported, working_point

BUNCH_CROSSINGS = 40e3  # kHz: the clock of the Large Hadron Collider, 40 MHz


def trigger_rate(false_positive_rate: float) -> float:
    """Return how often background would fire the trigger, in kHz, at 40 million bunch crossings a second.

    It is an upper bound: the rate if every bunch crossing looked like an event of the background sample. Such samples
    are mostly filtered, with a lepton of high pT in each event, and not all bunches are filled.

    >>> trigger_rate(1e-5)
    0.4
    """
    return BUNCH_CROSSINGS * false_positive_rate


def detection_summary(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    *,
    class_names: Sequence[str],
    rates: Sequence[float] = (1e-3, 1e-4, 1e-5),
) -> dict[str, Any]:
    """Return what a test of an anomaly detector found; undefined numbers, those of an absent signal, are None.

    Args:
        scores: name of the score → values, larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        class_names: one for each class, the background first.
        rates: false-positive rates of the working points, each in (0, 1).

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
                score: _performance(detection.background(score), detection.of_class(score, signal), rates)
                for score in detection.scores
            }
            for signal in detection.signals
        },
    }


def _performance(
    background: NDArray[np.float64], signal: NDArray[np.float64], rates: Sequence[float]
) -> dict[str, Any]:
    interval = area_interval(background, signal) if signal.size else None
    return {
        "auc": area_under_curve(background, signal) if signal.size else None,
        "auc_interval": None if interval is None else list(interval),
        "working_points": [_point(background, signal, rate) for rate in rates],
    }


def _point(background: NDArray[np.float64], signal: NDArray[np.float64], rate: float) -> dict[str, Any]:
    reason = unsupported(len(background), rate) or (None if signal.size else "no signal events")
    found = None if reason else working_point(background, signal, rate)
    return {
        "false_positive_rate": float(rate),
        "trigger_rate_khz": trigger_rate(rate),
        "threshold": found and found.threshold,
        "background_events": found and found.background_events,
        "true_positive_rate": found and found.true_positive_rate,
        "interval": found and list(found.interval),
        "reason": reason,
    }
