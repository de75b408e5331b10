"""The Pareto front: the best networks for the fewest resources."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(cost: ArrayLike, quality: ArrayLike) -> NDArray[np.intp]:
    """Return the indices of the points that no other one beats, by rising cost.

    Of points that are equal in both, the first one stands for all; those with NaN are left out.

    Args:
        cost: the less the better, shape (points,).
        quality: the more the better, shape (points,).

    >>> pareto_front([900, 400, 700, 800], [0.75, 0.70, 0.69, 0.74])
    array([1, 3, 0])
    """
    costs, qualities = np.asarray(cost, np.float64), np.asarray(quality, np.float64)
    known = np.flatnonzero(np.isfinite(costs) & np.isfinite(qualities))
    order = known[np.lexsort((-qualities[known], costs[known]))]
    _, first = np.unique(np.maximum.accumulate(qualities[order]), return_index=True)  # where the best one improves
    return order[first]
