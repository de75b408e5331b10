"""How well a classifier does: accuracy, cross-entropy, confusion matrix, and the record of all of them."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import scipy.special
import sklearn.metrics
from numpy.typing import ArrayLike, NDArray

from nanotrigger.evaluation.intervals import ONE_SIGMA, binomial_interval
from nanotrigger.evaluation.predictions import check_class_names, check_predictions, predicted_classes
from nanotrigger.evaluation.roc import RocCurve, one_against_all_roc, pairwise_roc


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


def classification_summary(logits: ArrayLike, labels: ArrayLike, *, class_names: Sequence[str]) -> dict[str, Any]:
    """Return what a test of a classifier found; undefined numbers, those of an absent class, are None.

    Args:
        logits: shape (events, classes), finite; if the network ends in a softmax, the logarithms of its outputs.
        labels: class indices, shape (events,).
        class_names: one for each class.

    Returns:
        `samples`: number of events.
        `class_names`: the classes, in the order of the confusion matrix.
        `accuracy`, and `accuracy_interval`: Clopper-Pearson at 68.27 %, [lower, upper].
        `cross_entropy`: in nats.
        `auc`: class → area under the ROC curve of that class against all others.
        `auc_pairwise`: class → other class → area for these two alone; symmetric.
        `confusion_matrix`: `counts` and `row_normalized`, row = true class, column = predicted class.

    Raises:
        InputError: shapes, labels or names do not fit together, or a logit is not finite.
    """
    scores, truth = check_predictions(logits, labels)
    names = check_class_names(class_names, classes=scores.shape[1])
    counts = confusion_matrix(scores, truth)
    return {
        "samples": len(truth),
        "class_names": list(names),
        "accuracy": accuracy(scores, truth),
        "accuracy_interval": list(accuracy_interval(scores, truth)),
        "cross_entropy": cross_entropy(scores, truth),
        "auc": {name: _area(one_against_all_roc(scores, truth, signal=index)) for index, name in enumerate(names)},
        "auc_pairwise": _pairwise_areas(scores, truth, names),
        "confusion_matrix": {
            "counts": counts.tolist(),
            "row_normalized": [_defined(row) for row in row_normalized(counts)],
        },
    }


def _pairwise_areas(
    logits: NDArray[np.float64], labels: NDArray[np.int64], names: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    areas: dict[str, dict[str, float | None]] = {name: {} for name in names}
    for signal, background in combinations(range(len(names)), 2):
        area = _area(pairwise_roc(logits, labels, signal=signal, background=background))
        areas[names[signal]][names[background]] = areas[names[background]][names[signal]] = area
    return areas


def _area(curve: RocCurve | None) -> float | None:
    return None if curve is None else curve.auc


def _defined(row: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in row]
