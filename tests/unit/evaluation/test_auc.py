"""The area under the curve and its interval, against pairs counted one by one and in simulation."""

import math

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from nanotrigger.evaluation.auc import area_interval, area_under_curve
from nanotrigger.evaluation.metrics import ONE_SIGMA


def pairs(background: NDArray, signal: NDArray) -> NDArray:
    """Return 1 where a signal event (row) is above a background event (column), 0.5 where they tie."""
    difference = signal[:, None] - background[None, :]
    return (difference > 0) + 0.5 * (difference == 0)


@pytest.mark.parametrize("levels", [3, 1000])
def test_area_and_interval_count_pairs(levels: int) -> None:
    random = np.random.default_rng(levels)
    background, signal = random.integers(0, levels, 90), random.integers(levels // 4, levels, 40)
    right = pairs(background, signal)
    variance = right.mean(axis=1).var(ddof=1) / 40 + right.mean(axis=0).var(ddof=1) / 90
    area = right.mean()
    assert area_under_curve(background, signal) == pytest.approx(area, abs=1e-12)
    expected = (area - math.sqrt(variance), area + math.sqrt(variance))
    assert area_interval(background, signal) == pytest.approx(expected, abs=1e-12)


def test_interval_by_hand() -> None:
    # Signal 2 and 4 over background 1 and 3: fractions below are 1/2 and 1, fractions above 1 and 1/2.
    deviation = math.sqrt(0.125 / 2 + 0.125 / 2)
    assert area_interval([1.0, 3.0], [2.0, 4.0]) == pytest.approx((0.75 - deviation, 1.0))


@pytest.mark.parametrize(("events", "signal_events", "shift"), [(2000, 200, 1.0), (300, 300, 2.0), (500, 50, 0.0)])
def test_interval_covers_in_simulation(events: int, signal_events: int, shift: float) -> None:
    random = np.random.default_rng(3)
    truth = scipy.stats.norm.cdf(shift / math.sqrt(2))
    trials, covered = 600, 0
    for _ in range(trials):
        interval = area_interval(random.normal(size=events), random.normal(shift, size=signal_events))
        assert interval is not None
        covered += interval[0] <= truth <= interval[1]
    deviation = math.sqrt(ONE_SIGMA * (1 - ONE_SIGMA) / trials)
    assert abs(covered / trials - ONE_SIGMA) < 3 * deviation


def test_one_event_has_an_area_but_no_interval() -> None:
    assert area_under_curve([1.0, 2.0], [1.5]) == 0.5
    assert area_interval([1.0, 2.0], [1.5]) is None
    assert area_interval([1.0], [1.5, 2.0]) is None


def test_separated_samples() -> None:
    assert area_under_curve([1.0, 2.0], [3.0, 4.0]) == 1
    assert area_interval([1.0, 2.0], [3.0, 4.0]) == (1.0, 1.0)
    assert area_under_curve([5.0, 5.0], [5.0]) == 0.5
