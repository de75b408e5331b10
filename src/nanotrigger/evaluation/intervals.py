"""Confidence intervals of 68.27 %: of an efficiency, and of the area under a ROC curve."""

import math

import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.predictions import check_scores

ONE_SIGMA = math.erf(math.sqrt(0.5))  # 68.27 %: a Gaussian within one standard deviation


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


def area_interval(background: ArrayLike, signal: ArrayLike) -> tuple[float, float] | None:
    """Return the 68.27 % interval of the area, (lower, upper), or None with fewer than two events on either side.

    It is the area plus and minus its standard deviation s, cut at 0 and 1, of E. R. DeLong, D. M. DeLong and
    D. L. Clarke-Pearson, Biometrics 44 (1988) 837, which assumes no shape of the scores:

        s² = var_i(V10_i) / m + var_j(V01_j) / n

    where V10_i is the fraction of the n background events below signal event i, V01_j the fraction of the m signal
    events above background event j, ties counting one half, and var the unbiased variance. The fractions are counted
    with ranks: X. Sun and W. Xu, IEEE Signal Processing Letters 21 (2014) 1389. If no pair is in the wrong order,
    s is zero: the sample is then too small to tell.

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
