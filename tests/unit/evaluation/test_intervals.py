"""Intervals of efficiencies and of areas, against pairs counted one by one and in simulation."""

import math

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.intervals import ONE_SIGMA, area_interval, binomial_interval
from nanotrigger.evaluation.roc import area_under_curve


def test_one_sigma_is_68_percent() -> None:
    assert pytest.approx(0.682689492137086) == ONE_SIGMA


@pytest.mark.parametrize("trials", [1, 7, 166_000])
def test_interval_without_failures_has_a_closed_form(trials: int) -> None:
    bound = ((1 - ONE_SIGMA) / 2) ** (1 / trials)
    assert binomial_interval(trials, trials) == pytest.approx((bound, 1.0))
    assert binomial_interval(0, trials) == pytest.approx((0.0, 1 - bound))


def test_interval_ends_leave_half_of_the_rest_in_each_tail() -> None:
    lower, upper = binomial_interval(76, 100)
    tail = (1 - ONE_SIGMA) / 2
    assert scipy.stats.binom.sf(75, 100, lower) == pytest.approx(tail)
    assert scipy.stats.binom.cdf(76, 100, upper) == pytest.approx(tail)


def test_interval_of_many_events_is_that_of_a_gaussian() -> None:
    lower, upper = binomial_interval(126_160, 166_000)
    deviation = math.sqrt(0.76 * 0.24 / 166_000)
    assert (lower, upper) == pytest.approx((0.76 - deviation, 0.76 + deviation), abs=0.01 * deviation)


def test_interval_covers_every_true_efficiency() -> None:
    trials = 25
    bounds = np.array([binomial_interval(successes, trials) for successes in range(trials + 1)])
    for truth in np.linspace(0.01, 0.99, 99):
        covered = (bounds[:, 0] <= truth) & (truth <= bounds[:, 1])
        assert scipy.stats.binom.pmf(np.arange(trials + 1), trials, truth)[covered].sum() >= ONE_SIGMA


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_impossible_counts_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(InputError, match=f"{successes} successes in {trials} trials"):
        binomial_interval(successes, trials)


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


def test_interval_of_an_area_by_hand() -> None:
    # Signal 2 and 4 over background 1 and 3: fractions below are 1/2 and 1, fractions above 1 and 1/2.
    deviation = math.sqrt(0.125 / 2 + 0.125 / 2)
    assert area_interval([1.0, 3.0], [2.0, 4.0]) == pytest.approx((0.75 - deviation, 1.0))


@pytest.mark.parametrize(("events", "signal_events", "shift"), [(2000, 200, 1.0), (300, 300, 2.0), (500, 50, 0.0)])
def test_interval_of_an_area_covers_in_simulation(events: int, signal_events: int, shift: float) -> None:
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
