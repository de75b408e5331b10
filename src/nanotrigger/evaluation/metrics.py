"""How often a classifier is right: accuracy with its interval, cross-entropy and confusion matrix."""

import math

import numpy as np
import scipy.special
import sklearn.metrics
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.predictions import check_predictions, predicted_classes

ONE_SIGMA = math.erf(math.sqrt(0.5))  # 68.27 %: a Gaussian within one standard deviation


def accuracy(logits: ArrayLike, labels: ArrayLike) -> float:
    """Return the fraction of events whose largest logit is that of the true class.

    Args:
        logits: shape (events, classes).
        labels: class indices, shape (events,).

    >>> accuracy([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0], [0.0, 2.0]], [0, 1, 1, 1])
    0.75
    """
    scores, truth = check_predictions(logits, labels)
    return float(np.mean(predicted_classes(scores) == truth))


def binomial_interval(successes: int, trials: int, *, confidence_level: float = ONE_SIGMA) -> tuple[float, float]:
    """Return the Clopper-Pearson confidence interval of an efficiency: (lower, upper).

    The interval is exact and central: it covers the true efficiency with at least `confidence_level`,
    for any number of trials. Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404.

    Raises:
        InputError: no trials, or more successes than trials.

    >>> lower, upper = binomial_interval(9, 10)
    >>> round(lower, 4), round(upper, 4)
    (0.7059, 0.9829)
    """
    if not 0 <= successes <= trials or trials == 0:
        raise InputError(f"{successes} successes in {trials} trials; give 0 <= successes <= trials, trials > 0")
    tail = (1 - confidence_level) / 2
    failures = trials - successes
    low = scipy.special.betaincinv(successes, failures + 1, tail) if successes else 0.0
    high = scipy.special.betaincinv(successes + 1, failures, 1 - tail) if failures else 1.0
    return float(low), float(high)


def accuracy_interval(
    logits: ArrayLike, labels: ArrayLike, *, confidence_level: float = ONE_SIGMA
) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of `accuracy` for independent events: (lower, upper)."""
    scores, truth = check_predictions(logits, labels)
    correct = int(np.count_nonzero(predicted_classes(scores) == truth))
    return binomial_interval(correct, len(truth), confidence_level=confidence_level)


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> float:
    """Return the log-loss, the mean of -ln p(true class) over the events, in nats.

    It is computed from the logits, so that a tiny probability does not have to be clipped.

    >>> round(cross_entropy([[0.0, 0.0], [0.0, np.log(3.0)]], [0, 1]), 6)  # (ln 2 + ln 4/3) / 2
    0.490415
    """
    scores, truth = check_predictions(logits, labels)
    log_probabilities = scipy.special.log_softmax(scores, axis=1)
    return float(-np.mean(log_probabilities[np.arange(len(truth)), truth]))


def confusion_matrix(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Return counts, shape (classes, classes): row = true class, column = predicted class.

    >>> confusion_matrix([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0]], [0, 1, 1])
    array([[1, 0],
           [1, 1]])
    """
    scores, truth = check_predictions(logits, labels)
    classes = np.arange(scores.shape[1])
    return np.asarray(sklearn.metrics.confusion_matrix(truth, predicted_classes(scores), labels=classes))


def row_normalized(counts: ArrayLike) -> NDArray[np.float64]:
    """Return each row of a confusion matrix divided by its sum; the row of an absent class is NaN.

    >>> row_normalized([[1, 0], [1, 1]])
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    matrix = np.asarray(counts, np.float64)
    totals = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, totals, out=np.full_like(matrix, np.nan), where=totals > 0)
