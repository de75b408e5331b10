"""Working point of an anomaly detector: how much signal passes at a given false-positive rate."""

import math
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.intervals import ONE_SIGMA, binomial_interval
from nanotrigger.evaluation.predictions import check_scores

_ROUNDING = 1e-9  # relative: 0.29 of 100 events are 29, although 0.29 * 100 is 28.999999999999996
_DIGITS = 3  # of the rate in a message, rounded up, so that it can be asked for


@dataclass(frozen=True)
class WorkingPoint:
    """A threshold on the score, and what passes it.

    Attributes:
        false_positive_rate: fraction of the background that was allowed to pass.
        threshold: events with a larger score pass.
        background_events: number of background events that pass; fewer than allowed where scores tie.
        true_positive_rate: fraction of the signal that passes.
        interval: of the true-positive rate at 68.27 %, (lower, upper).
    """

    false_positive_rate: float
    threshold: float
    background_events: int
    true_positive_rate: float
    interval: tuple[float, float]


def working_point(
    background: ArrayLike, signal: ArrayLike, rate: float, *, counted: NDArray[np.bool_] | None = None
) -> WorkingPoint:
    """Return the working point at which floor(rate * N) of N background events pass, fewer where scores tie.

    The threshold is the score of the next background event: with a looser one, too many would pass. The interval adds
    in quadrature, on either side, two distances from the true-positive rate:

    - to the Clopper-Pearson bound of the signal that passes (`binomial_interval`);
    - to the true-positive rate at the bound of the threshold. Above the true threshold lies the fraction `rate` of all
      background, so the number of the N events above it is binomial. The quantiles of that distribution say between
      which two of the sorted background scores the true threshold lies with 68.27 %. No shape of the scores is
      assumed. Source: H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition (2003), section 7.1.

    Args:
        background: scores, larger is more anomalous, shape (N,), finite.
        signal: scores of one signal, shape (events,), finite.
        rate: the false-positive rate, in (0, 1).
        counted: signal events that count if they pass, shape (events,); all by default. The others still are signal, so
            that the true-positive rate is a fraction of all.

    Raises:
        InputError: the rate is impossible or smaller than the background supports, or scores are missing or broken.

    >>> point = working_point([1.0, 2.0, 3.0, 4.0], [2.5, 3.5, 4.5, 5.5], 0.25)
    >>> point.threshold, point.background_events, point.true_positive_rate
    (3.0, 1, 0.75)
    """
    known, wanted = check_scores(background, name="background"), check_scores(signal, name="signal")
    if reason := unsupported(len(known), rate):
        raise InputError(reason)
    fewest, most = (int(count) for count in scipy.stats.binom.interval(ONE_SIGMA, len(known), rate))
    largest = _largest(known, max(most, events_above(len(known), rate)) + 1)
    threshold = float(largest[events_above(len(known), rate)])
    passing = int(np.count_nonzero(_above(wanted, threshold, counted)))
    tighter = largest[fewest - 1] if fewest else np.inf  # the true threshold may lie above every event
    looser = largest[most] if most < len(known) else -np.inf
    return WorkingPoint(
        false_positive_rate=float(rate),
        threshold=threshold,
        background_events=int(np.count_nonzero(known > threshold)),
        true_positive_rate=passing / len(wanted),
        interval=_combined(
            passing / len(wanted),
            binomial_interval(passing, len(wanted)),
            (float(np.mean(_above(wanted, tighter, counted))), float(np.mean(_above(wanted, looser, counted)))),
        ),
    )


def supported_rate(events: int) -> float:
    """Return the smallest false-positive rate that `events` background events can set: one event passes.

    Raises:
        InputError: no events.

    >>> supported_rate(800_000)
    1.25e-06
    """
    if events < 1:
        raise InputError(f"{events} background events support no false-positive rate; give at least one")
    return 1 / events


def unsupported(events: int, rate: float) -> str | None:
    """Return why `events` background events cannot set this false-positive rate, or None if they can.

    Raises:
        InputError: the rate is not in (0, 1), or there are no events.

    >>> unsupported(19_592, 1e-5).split(";")[0]
    '19,592 background events support a false-positive rate of at least 5.11e-05'
    >>> unsupported(19_592, 1e-4)
    """
    if not 0 < rate < 1:
        raise InputError(f"false-positive rate {rate}: give a fraction between 0 and 1, such as 1e-05")
    least = supported_rate(events)
    if events_above(events, rate) >= 1:
        return None
    return (
        f"{events:,} background events support a false-positive rate of at least {_rounded_up(least):g}; "
        f"asked for {rate:g}; give more background or a larger rate"
    )


def events_above(events: int, rate: float) -> int:
    """Return floor(rate * events), at most events - 1: how many background events may pass.

    >>> events_above(100, 0.29), events_above(99_999, 1e-5)
    (29, 0)
    """
    return min(math.floor(rate * events * (1 + _ROUNDING)), events - 1)


def _above(scores: NDArray[np.float64], threshold: float, counted: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    above = scores > threshold
    return above if counted is None else above & counted


def _largest(scores: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the `count` largest scores, the largest first, without sorting the others."""
    count = min(count, len(scores))
    return np.sort(np.partition(scores, len(scores) - count)[len(scores) - count :])[::-1]


def _combined(value: float, *intervals: tuple[float, float]) -> tuple[float, float]:
    below = math.hypot(*(value - lower for lower, _ in intervals))
    above = math.hypot(*(upper - value for _, upper in intervals))
    return max(value - below, 0.0), min(value + above, 1.0)


def _rounded_up(value: float) -> float:
    scale = 10.0 ** (math.floor(math.log10(value)) - _DIGITS + 1)
    return math.ceil(value / scale * (1 - _ROUNDING)) * scale
