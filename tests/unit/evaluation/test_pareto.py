"""The Pareto front against its definition."""

import numpy as np
import pytest

from nanotrigger.evaluation.pareto import pareto_front


def beaten(cost: np.ndarray, accuracy: np.ndarray, index: int) -> bool:
    no_worse = (cost <= cost[index]) & (accuracy >= accuracy[index])
    return bool(np.any(no_worse & ((cost < cost[index]) | (accuracy > accuracy[index]))))


@pytest.mark.parametrize("seed", range(20))
def test_is_what_no_other_point_beats(seed: int) -> None:
    random = np.random.default_rng(seed)
    cost, accuracy = random.integers(0, 12, 40), random.integers(0, 12, 40)
    front = pareto_front(cost, accuracy)
    expected = {(cost[index], accuracy[index]) for index in range(40) if not beaten(cost, accuracy, index)}
    assert [(cost[index], accuracy[index]) for index in front] == sorted(expected)


def test_first_of_equal_points_stands_for_all() -> None:
    assert pareto_front([5, 3, 3, 3], [0.7, 0.6, 0.7, 0.7]).tolist() == [2]


def test_unknown_points_are_left_out() -> None:
    assert pareto_front([np.nan, 2, 1], [0.9, np.nan, 0.5]).tolist() == [2]
    assert pareto_front([], []).tolist() == []
