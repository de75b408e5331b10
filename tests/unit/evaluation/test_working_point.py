"""Working points: thresholds counted by hand, and intervals that cover the truth as often as they say."""

import functools
import math

import numpy as np
import pytest
import scipy.stats

import nanotrigger.evaluation.working_point as module
from nanotrigger.errors import InputError
from nanotrigger.evaluation.intervals import ONE_SIGMA, binomial_interval
from nanotrigger.evaluation.working_point import events_above, supported_rate, unsupported, working_point

TEN = np.arange(1.0, 11.0)


@pytest.mark.parametrize(
    ("rate", "threshold", "above"), [(0.1, 9.0, 1), (0.19, 9.0, 1), (0.2, 8.0, 2), (0.3, 7.0, 3), (0.99, 1.0, 9)]
)
def test_threshold_is_the_next_background_event(rate: float, threshold: float, above: int) -> None:
    point = working_point(TEN, [0.5, 8.0, 9.5, 10.5], rate)
    assert (point.false_positive_rate, point.threshold, point.background_events) == (rate, threshold, above)
    assert point.true_positive_rate == np.mean(np.array([0.5, 8.0, 9.5, 10.5]) > threshold)


def test_order_of_the_events_does_not_matter() -> None:
    random = np.random.default_rng(1)
    assert working_point(random.permutation(TEN), [8.5, 3.0], 0.2) == working_point(TEN, [3.0, 8.5], 0.2)


def test_ties_never_let_more_pass_than_allowed() -> None:
    background = [0.0] * 5 + [1.0, 2.0, 2.0, 2.0, 3.0]
    point = working_point(background, [2.0, 2.5, 3.0, 4.0], 0.2)
    assert (point.threshold, point.background_events) == (2.0, 1)  # the second of three equal ones: all three stay
    assert point.true_positive_rate == 0.75
    assert working_point(background, [2.5], 0.4).background_events == 4
    assert working_point(background, [2.5], 0.4).threshold == 1.0


def test_constant_score_lets_nothing_pass() -> None:
    point = working_point(np.ones(100), np.ones(10), 0.5)
    assert (point.threshold, point.background_events, point.true_positive_rate) == (1.0, 0, 0.0)
    assert point.interval == pytest.approx(binomial_interval(0, 10))


@pytest.mark.parametrize("seed", range(20))
def test_quantized_scores_keep_the_promise(seed: int) -> None:
    random = np.random.default_rng(seed)
    background, signal = random.integers(0, 12, 300) / 4, random.integers(0, 16, 50) / 4
    for rate in (0.01, 0.1, 0.37):
        point = working_point(background, signal, rate)
        assert point.background_events == np.count_nonzero(background > point.threshold) <= rate * 300
        assert np.count_nonzero(background >= point.threshold) > rate * 300  # and no looser threshold does
        assert point.interval[0] <= point.true_positive_rate <= point.interval[1]


def test_interval_by_hand() -> None:
    # Of 100 background events at 5 %: binomial quantiles 3 and 7, so the 3rd and the 8th largest bound the threshold.
    background = np.arange(1.0, 101.0)
    assert [scipy.stats.binom.ppf((1 + side * ONE_SIGMA) / 2, 100, 0.05) for side in (-1, 1)] == [3, 7]
    signal = np.arange(90.5, 100.0)  # ten events; 5 above 95, 2 above 98, 7 above 93
    lower, upper = binomial_interval(5, 10)
    point = working_point(background, signal, 0.05)
    assert (point.threshold, point.true_positive_rate) == (95.0, 0.5)
    assert point.interval == pytest.approx((0.5 - math.hypot(0.5 - lower, 0.3), 0.5 + math.hypot(upper - 0.5, 0.2)))


def test_threshold_set_by_one_event_has_no_upper_bound() -> None:
    lower, upper = working_point(np.arange(100.0), np.full(50, 1e6), 0.01).interval
    assert (lower, upper) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("events", "rate", "signal_events", "shift"),
    [
        (5_000, 1e-3, 200, 2.0),
        (5_000, 1e-2, 200, 2.0),
        (5_000, 1e-3, 3_000, 3.0),  # mostly the threshold's uncertainty
        (20_000, 2.5e-4, 100, 3.5),
        (1_000, 5.9e-3, 100, 2.0),  # not a whole number of events
        (1_000, 0.3, 100, 1.0),  # mostly the signal's uncertainty
    ],
)
def test_interval_covers_in_simulation(
    events: int, rate: float, signal_events: int, shift: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "binomial_interval", functools.cache(binomial_interval))  # the same counts come again
    random = np.random.default_rng(7)
    truth = scipy.stats.norm.sf(scipy.stats.norm.isf(rate) - shift)  # normal scores, the signal's shifted
    trials, covered = 500, 0
    for _ in range(trials):
        background, signal = random.normal(size=events), random.normal(shift, size=signal_events)
        lower, upper = working_point(background, signal, rate).interval
        covered += lower <= truth <= upper
    deviation = math.sqrt(ONE_SIGMA * (1 - ONE_SIGMA) / trials)
    assert ONE_SIGMA - 2.5 * deviation < covered / trials < 0.85


def test_supported_rate_lets_one_event_pass() -> None:
    for events in (1, 3, 7, 49, 19_592, 97_960, 800_000, 3_999_999):
        assert supported_rate(events) == 1 / events
        assert events == 1 or events_above(events, supported_rate(events)) == 1


@pytest.mark.parametrize("events", [10, 19_592, 97_960, 99_999, 800_000])
def test_rate_named_by_the_refusal_is_supported(events: int) -> None:
    reason = unsupported(events, 1e-9)
    assert reason is not None
    named = float(reason.split("at least ")[1].split(";")[0])
    assert unsupported(events, named) is None
    assert named < 1.02 / events


def test_unsupported_rate_is_refused_with_the_one_that_is() -> None:
    message = (
        "19,592 background events support a false-positive rate of at least 5.11e-05; asked for 1e-05; "
        "give more background or a larger rate"
    )
    with pytest.raises(InputError) as refusal:
        working_point(np.arange(19_592.0), [1.0], 1e-5)
    assert str(refusal.value) == message


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 2.0, math.nan])
def test_impossible_rates_are_refused(rate: float) -> None:
    with pytest.raises(InputError, match="give a fraction between 0 and 1"):
        working_point(TEN, TEN, rate)


def test_broken_scores_are_refused() -> None:
    with pytest.raises(InputError, match="score 'background' of 1 of 2 events is NaN or infinite"):
        working_point([1.0, np.nan], [1.0], 0.5)
    with pytest.raises(InputError, match=r"score 'signal' has shape \(0,\)"):
        working_point([1.0, 2.0], [], 0.5)
    with pytest.raises(InputError, match="0 background events support no"):
        supported_rate(0)
