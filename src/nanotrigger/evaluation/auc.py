"""The area under the ROC curve of a score (AUC), and how well the sample knows it."""

import math

import numpy as np
import scipy.stats
import sklearn.metrics
from numpy.typing import ArrayLike, NDArray

from nanotrigger.evaluation.detection import check_scores
from nanotrigger.evaluation.metrics import ONE_SIGMA


def area_under_curve(background: ArrayLike, signal: ArrayLike) -> float:
    """Return the probability that a signal event scores higher than a background event, ties counting one half.

    Args:
        background: scores, larger is more anomalous, shape (events,), finite.
        signal: scores, shape (events,), finite.

    Raises:
        InputError: a score is not finite, or there are none.

    >>> area_under_curve([0.1, 0.4], [0.35, 0.8])
    0.75
    """
    known, wanted = check_scores(background, name="background"), check_scores(signal, name="signal")
    is_signal = np.repeat([False, True], [len(known), len(wanted)])
    return float(sklearn.metrics.roc_auc_score(is_signal, np.concatenate([known, wanted])))


def area_interval(background: ArrayLike, signal: ArrayLike) -> tuple[float, float] | None:
    """Return the 68.27 % interval of the area, (lower, upper), or None with fewer than two events on either side.

    It is the area plus and minus its standard deviation s, cut at 0 and 1, of E. R. DeLong, D. M. DeLong and
    D. L. Clarke-Pearson, Biometrics 44 (1988) 837, which assumes no shape of the scores:

        s² = var_i(V10_i) / m + var_j(V01_j) / n

    where V10_i is the fraction of the n background events below signal event i, V01_j the fraction of the m signal
    events above background event j, ties counting one half, and var the unbiased variance. The fractions are counted
    with ranks: X. Sun and W. Xu, IEEE Signal Processing Letters 21 (2014) 1389. Where not one pair is in the wrong
    order, s is zero: the sample is then too small to tell.

    Arguments and errors as for `area_under_curve`.
    """
    known, wanted = check_scores(background, name="background"), check_scores(signal, name="signal")
    if min(len(known), len(wanted)) < 2:
        return None
    background_below, signal_above = _fractions(known, wanted)
    variance = background_below.var(ddof=1) / len(wanted) + signal_above.var(ddof=1) / len(known)
    deviation = scipy.stats.norm.ppf((1 + ONE_SIGMA) / 2) * math.sqrt(variance)
    area = float(background_below.mean())
    return max(area - deviation, 0.0), min(area + deviation, 1.0)


def _fractions(
    background: NDArray[np.float64], signal: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the fraction of background below each signal event, and of signal above each background event."""
    ranks = scipy.stats.rankdata(np.concatenate([background, signal]))  # 1 is the smallest; ties share their mean
    n, m = len(background), len(signal)
    background_below = (ranks[n:] - scipy.stats.rankdata(signal)) / n
    signal_above = 1 - (ranks[:n] - scipy.stats.rankdata(background)) / m
    return background_below, signal_above
