"""The ROC curve of a detector as a few stored points, dense at small false-positive rates."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import check_scores


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
