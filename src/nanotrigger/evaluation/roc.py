"""ROC curves and the areas under them (AUC): of a score, of one class against the others, of a detector."""

from dataclasses import dataclass

import numpy as np
import scipy.special
import scipy.stats
import sklearn.metrics
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.predictions import check_predictions, check_scores


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Background against signal efficiency while the cut on the score loosens from (0, 0) to (1, 1).

    Attributes:
        signal_efficiency: fraction of signal events that pass, shape (points,), rising.
        background_efficiency: fraction of background events that pass, shape (points,), rising.
        auc: area under signal efficiency over background efficiency, the probability that a signal
            event scores higher than a background event, ties counting one half.
    """

    signal_efficiency: NDArray[np.float64]
    background_efficiency: NDArray[np.float64]
    auc: float


def roc_curve(scores: ArrayLike, is_signal: ArrayLike) -> RocCurve | None:
    """Return the ROC curve of a score, or None if signal or background is absent.

    Args:
        scores: larger is more signal-like (also an anomaly score), shape (events,), finite.
        is_signal: booleans, shape (events,).

    Raises:
        InputError: the shapes differ or a score is not finite.

    >>> roc_curve([0.1, 0.4, 0.35, 0.8], [False, False, True, True]).auc
    0.75
    """
    values, signal = np.asarray(scores), np.asarray(is_signal, bool)
    if values.ndim != 1 or values.shape != signal.shape:
        raise InputError(f"scores have shape {values.shape}, labels {signal.shape}; give one of each an event")
    if not np.isfinite(values).all():
        raise InputError("scores hold NaN or infinite values; look for a diverged training")
    if signal.all() or not signal.any():
        return None
    background_efficiency, signal_efficiency, _ = sklearn.metrics.roc_curve(signal, values)
    auc = float(sklearn.metrics.auc(background_efficiency, signal_efficiency))
    return RocCurve(signal_efficiency, background_efficiency, auc)


def one_against_all_roc(logits: ArrayLike, labels: ArrayLike, *, signal: int) -> RocCurve | None:
    """Return the ROC curve of class `signal` against all other classes together, None if one is absent.

    The score is the log-odds ln p/(1-p) of the softmax probability p. It orders the events as p does,
    and still tells them apart where p rounds to one.

    Args:
        logits: shape (events, classes).
        labels: class indices, shape (events,).
        signal: class index.
    """
    scores, truth = check_predictions(logits, labels)
    _check_class(signal, scores.shape[1])
    # Differences of quantized logits are exact; added in sorted order, equal ones give equal odds.
    differences = np.sort(np.delete(scores, signal, axis=1) - scores[:, [signal]], axis=1)
    return roc_curve(-scipy.special.logsumexp(differences, axis=1), truth == signal)


def pairwise_roc(logits: ArrayLike, labels: ArrayLike, *, signal: int, background: int) -> RocCurve | None:
    """Return the ROC curve of class `signal` against class `background`, None if one is absent.

    Only the events of these two classes count. The score is the log-ratio of their probabilities, the
    difference of their logits; so exchanging the two mirrors the curve and keeps its area.

    Args:
        logits: shape (events, classes).
        labels: class indices, shape (events,).
        signal: class index.
        background: another class index.
    """
    scores, truth = check_predictions(logits, labels)
    for index in (signal, background):
        _check_class(index, scores.shape[1])
    chosen = (truth == signal) | (truth == background)
    return roc_curve((scores[:, signal] - scores[:, background])[chosen], truth[chosen] == signal)


def _check_class(index: int, classes: int) -> None:
    if not 0 <= index < classes:
        raise InputError(f"class {index} does not exist; give an index 0 to {classes - 1}")


def area_under_curve(background: ArrayLike, signal: ArrayLike) -> float:
    """Return the probability that a signal event scores higher than a background event, ties counting one half.

    It is U of H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18 (1947) 50, over the number of pairs.

    Args:
        background: scores, larger is more anomalous, shape (events,), finite.
        signal: scores, shape (events,), finite.

    Raises:
        InputError: a score is not finite, or there are none.

    >>> area_under_curve([0.1, 0.4], [0.35, 0.8])
    0.75
    """
    known, wanted = check_scores(background, name="background"), check_scores(signal, name="signal")
    pairs = scipy.stats.mannwhitneyu(wanted, known, method="asymptotic").statistic
    return float(pairs / (len(wanted) * len(known)))


def roc_points(
    background: ArrayLike, signal: ArrayLike, points: int = 200
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false-positive and true-positive rates from the first background event that passes to all, (1, 1).

    The false-positive rates are counts over the N background events, spaced evenly in their logarithm from 1/N to 1.
    Each is what really passes, so ties leave fewer points.

    Args:
        background: scores, larger is more anomalous, shape (N,), finite.
        signal: scores, shape (events,), finite.
        points: at most so many, 2 or more.

    Returns:
        Both of shape (points or fewer,), rising.

    Raises:
        InputError: fewer than two points, a score is not finite, or there are none.

    >>> roc_points([1.0, 2.0, 3.0, 4.0], [2.5, 3.5, 4.5, 5.5])
    (array([0.25, 0.5 , 0.75, 1.  ]), array([0.75, 1.  , 1.  , 1.  ]))
    """
    if points < 2:
        raise InputError(f"points={points}: a curve needs two points or more")
    known = np.sort(check_scores(background, name="background"))
    wanted = np.sort(check_scores(signal, name="signal"))
    wished = np.unique(np.rint(np.geomspace(1, len(known), points)).astype(np.int64))
    thresholds = np.append(known[len(known) - 1 - wished[wished < len(known)]], -np.inf)
    passing = len(known) - np.searchsorted(known, thresholds, side="right")
    counts, first = np.unique(passing, return_index=True)
    above = len(wanted) - np.searchsorted(wanted, thresholds[first], side="right")
    seen = counts > 0  # ties at the top may let none pass
    return counts[seen] / len(known), above[seen] / len(wanted)
