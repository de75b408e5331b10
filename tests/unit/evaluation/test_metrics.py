"""Accuracy and its interval, cross-entropy and confusion matrix against values worked out by hand."""

import math

import numpy as np
import pytest
import scipy.stats

from nanotrigger.errors import InputError
from nanotrigger.evaluation.metrics import (
    ONE_SIGMA,
    accuracy,
    accuracy_interval,
    binomial_interval,
    confusion_matrix,
    cross_entropy,
    row_normalized,
)

# Six events of three classes; predicted 0 1 1 2 0 2.
LOGITS = np.array([[3, 0, 0], [0, 3, 0], [0, 3, 0], [0, 0, 3], [3, 0, 0], [0, 0, 3]], np.float32)
LABELS = np.array([0, 0, 1, 2, 2, 2])


def test_accuracy_by_hand() -> None:
    assert accuracy(LOGITS, LABELS) == 4 / 6


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


def test_accuracy_interval_covers_in_simulation() -> None:
    random = np.random.default_rng(20)
    truth, events, trials = 0.76, 500, 1000
    covered = 0
    for correct in random.binomial(events, truth, trials):
        labels = np.zeros(events, np.int64)
        logits = np.zeros((events, 2))
        logits[correct:, 1] = 1.0  # the rest is taken for class 1
        lower, upper = accuracy_interval(logits, labels)
        covered += lower <= truth <= upper
    deviation = math.sqrt(ONE_SIGMA * (1 - ONE_SIGMA) / trials)
    assert ONE_SIGMA - 3 * deviation < covered / trials < ONE_SIGMA + 0.05 + 3 * deviation  # conservative


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_impossible_counts_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(InputError, match=f"{successes} successes in {trials} trials"):
        binomial_interval(successes, trials)


def test_cross_entropy_of_uniform_outputs_is_the_logarithm_of_the_classes() -> None:
    assert cross_entropy(np.zeros((4, 5)), [0, 1, 2, 4]) == pytest.approx(math.log(5), rel=1e-15)


def test_cross_entropy_by_hand() -> None:
    right, wrong = -math.log(math.e**3 / (math.e**3 + 2)), -math.log(1 / (math.e**3 + 2))
    assert cross_entropy(LOGITS, LABELS) == pytest.approx((4 * right + 2 * wrong) / 6, rel=1e-14)


def test_cross_entropy_of_an_impossible_probability_is_not_clipped() -> None:
    assert cross_entropy([[1000.0, 0.0]], [1]) == 1000.0


def test_confusion_matrix_by_hand() -> None:
    np.testing.assert_array_equal(confusion_matrix(LOGITS, LABELS), [[1, 1, 0], [0, 1, 0], [1, 0, 2]])


def test_confusion_matrix_agrees_with_the_accuracy() -> None:
    random = np.random.default_rng(3)
    logits, labels = random.normal(size=(1000, 5)), random.integers(0, 5, 1000)
    counts = confusion_matrix(logits, labels)
    assert counts.sum() == 1000
    assert np.trace(counts) / 1000 == accuracy(logits, labels)
    np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(labels))


def test_rows_are_normalized_and_an_absent_class_is_undefined() -> None:
    fractions = row_normalized([[1, 1, 0], [0, 0, 0], [1, 0, 3]])
    np.testing.assert_array_equal(fractions, [[0.5, 0.5, 0.0], [np.nan] * 3, [0.25, 0.0, 0.75]])
