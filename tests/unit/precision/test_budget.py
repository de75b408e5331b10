"""Budgets: refused if they make no sense; the rate of the price follows the cost."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from nanotrigger.errors import InputError
from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint
from nanotrigger.precision.budget import Budget, bill_of, cost_of


def trainer(epoch: int) -> SimpleNamespace:
    return SimpleNamespace(current_epoch=epoch, max_epochs=100, check_val_every_n_epoch=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aluts": 0}, "budget.aluts=0: must be positive"),
        ({"share": float("nan")}, "budget.share=nan: must be positive"),
        ({"aluts": 500, "ffs": 100}, "budget has aluts, ffs; give one"),
        ({"ramp": 0}, "budget.ramp=0: must be above 0"),
        ({"rounds": -1}, "budget.rounds=-1: must not be negative"),
    ],
)
def test_refused(options, message):
    with pytest.raises(InputError, match=message):
        Budget(**options)


def test_needs_bits_that_are_learned():
    with pytest.raises(InputError, match=r"budget.aluts: give network.learned_bits=weight"):
        Budget(aluts=500).setup(trainer(0), SimpleNamespace(network=MLP()), "fit")
    Budget().setup(trainer(0), SimpleNamespace(network=MLP()), "fit")


def test_the_rate_follows_the_cost():
    budget = Budget(aluts=100, ramp=0.5)
    rate = budget._rate(0.0, 10_000, 100, trainer(0))
    assert rate > 0
    dear = budget._rate(rate, 9_900, 100, trainer(20))
    assert dear > rate  # it should cost less by now
    cheap = budget._rate(dear, 50, 100, trainer(21))
    assert cheap < dear
    assert budget._rate(1.0, 1e300, 100, trainer(22)) == 1.0


def test_complete_only_within_the_budget():
    budget = Budget(aluts=100)
    assert not budget.is_complete
    for aluts, is_complete in ((101, False), (100, True)):
        budget.costs = {"aluts": aluts}
        assert budget.is_complete == is_complete
    assert Budget().is_complete


@pytest.mark.parametrize(
    ("front", "start"),
    [
        ({"a": (90, 0.5), "b": (150, 0.6), "c": (170, 0.7)}, "b"),  # the best near the budget
        ({"b": (300, 0.6), "c": (390, 0.7)}, "b"),  # the cheapest
        ({"c": (500, 0.7)}, None),
        ({"a": (40, 0.4)}, None),
        ({}, None),
    ],
)
def test_what_is_refined(front, start):
    budget = Budget(aluts=100, rounds=1)
    budget.front = front
    assert budget.start == start


def test_a_refinement_to_flip_flops_starts_nearer_and_pays_for_logic_too():
    budget = Budget(ffs=100, rounds=1)
    budget.front = {"a": (125, 0.6), "b": (150, 0.7)}
    assert budget.start == "a"
    formats = {kind: FixedPoint(4, 2) for kind in ("input", "weight", "bias")}
    network = MLP(features=4, hidden=[4], classes=2, activation=FixedPoint(4, 1, signed=False), **formats)
    first = cost_of(network)
    assert bill_of(network, "ffs", first) == (first.ffs, first.ffs)
    dearer = replace(first, aluts=2 * first.aluts)
    assert bill_of(network, "ffs", dearer) == (first.ffs, 0.75 * first.ffs)
    for unit in ("aluts", "share", "ebops"):
        assert bill_of(network, unit, first) == (getattr(first, unit),) * 2


def test_its_state_is_kept():
    budget, other = Budget(ebops=100), Budget(ebops=100)
    budget._rate(0.0, 500, 100, trainer(0))
    budget.front = {"ebops_0000500.ckpt": (500.0, 0.6)}
    other.load_state_dict(budget.state_dict())
    assert other._rate(1e-5, 400, 100, trainer(3)) == budget._rate(1e-5, 400, 100, trainer(3))
    assert other.shortfall == " within budget.ebops=100 (the nearest: 500)"
