"""Sparsity schedules against values computed by hand."""

import pytest

from nanotrigger.training.sparsity_schedule import SparsitySchedule, zeros_for


@pytest.mark.parametrize(
    ("step", "sparsity"),
    [
        (9, 0.0),  # not begun
        (10, 0.2),  # initial
        (20, 0.8 - 0.6 * 27 / 64),  # a quarter of the way: (3/4)^3 is left
        (30, 0.8 - 0.6 / 8),
        (40, 0.8 - 0.6 / 64),
        (50, 0.8),
        (1000, 0.8),
    ],
)
def test_polynomial(step, sparsity):
    schedule = SparsitySchedule(final=0.8, initial=0.2, begin=10, end=50)
    assert schedule.sparsity(step) == pytest.approx(sparsity, abs=1e-12)


def test_power_one_is_linear():
    schedule = SparsitySchedule(final=0.5, begin=0, end=10, power=1)
    assert [schedule.sparsity(step) for step in range(12)] == pytest.approx([*(0.05 * step for step in range(11)), 0.5])


def test_constant():
    schedule = SparsitySchedule(final=0.8, begin=3, frequency=4)
    assert [schedule.sparsity(step) for step in (2, 3, 4, 999)] == [0.0, 0.8, 0.8, 0.8]
    assert [step for step in range(20) if schedule.is_due(step)] == [3, 7, 11, 15, 19]
    assert schedule.final_step == 3


def test_the_end_of_the_polynomial_is_never_missed():
    schedule = SparsitySchedule(final=0.8, begin=3, end=20, frequency=6)
    assert [step for step in range(100) if schedule.is_due(step)] == [3, 9, 15, 20]
    assert schedule.final_step == 20


def test_zeros_are_at_least_the_share():
    for weights in range(1, 200):
        for percent in range(100):
            zeros = zeros_for(percent / 100, weights)
            assert zeros / weights >= percent / 100
            assert 100 * (zeros - 1) < percent * weights
