"""Budgets: refused if they make no sense; the rate of the price follows the cost."""

from dataclasses import fields, replace
from types import SimpleNamespace

import pytest

from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.networks import MLP, Autoencoder
from nanotrigger.networks.learned import frozen
from nanotrigger.numbers import FixedPoint
from nanotrigger.precision.allowance import Allowance, Cost, bill_of, cost_of, shell_cost
from nanotrigger.precision.budget import Budget
from nanotrigger.precision.names import UNITS


def trainer(epoch: int) -> SimpleNamespace:
    return SimpleNamespace(current_epoch=epoch, max_epochs=100, check_val_every_n_epoch=1)


def allowance(unit: str) -> Allowance:
    return Allowance(unit, 100, Target())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aluts": 0}, "budget.aluts=0: must be positive"),
        ({"share": float("nan")}, "budget.share=nan: must be positive"),
        ({"aluts": 500, "ffs": 100}, "budget has aluts, ffs; give one"),
        ({"ramp": 0}, "budget.ramp=0: must be above 0"),
        ({"rounds": -1}, "budget.rounds=-1: must not be negative"),
        ({"aluts": 9, "target": Target(io_type="io_stream")}, "budget.target.io_type=io_stream: the structural count"),
        (
            {"aluts": 9, "target": Target(reuse_factor=2)},
            "budget.target.reuse_factor=2: the structural count knows only 1",
        ),
        ({"aluts": 9, "target": Target(clock_period=0)}, "budget.target.clock_period=0: must be positive"),
        ({"share": 9, "target": Target(fpga_part="Stratix10")}, "budget.target.fpga_part=Stratix10: what it offers"),
        ({"aluts": 90}, "budget.aluts=90: the kernel's shell alone costs 95; give at least 96"),
        ({"aluts": 95.9}, "budget.aluts=95.9: the kernel's shell alone costs 95; give at least 96"),
        ({"ffs": 100}, "budget.ffs=100: the kernel's shell alone costs 100; give at least 101"),
        ({"share": 0.0148}, "budget.share=0.0148: the kernel's shell alone costs 0.01488; give more than 0.01488"),
        ({"ebops": 0.5}, "budget.ebops=0.5: a network of zeros costs 0; give at least 1"),
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
    rate = budget._rate(0.0, 10_000, trainer(0))
    assert rate > 0
    dear = budget._rate(rate, 9_900, trainer(20))
    assert dear > rate  # it should cost less by now
    cheap = budget._rate(dear, 50, trainer(21))
    assert cheap < dear
    assert budget._rate(1.0, 1e300, trainer(22)) == 1.0


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
        ({"a": (90, 0.5), "b": (150, 0.6), "c": (240, 0.7)}, "b"),  # the best near the budget
        ({"a": (110, 0.695), "b": (140, 0.695), "c": (170, 0.7)}, "b"),  # as good, and above it
        ({"a": (130, -0.61), "b": (150, -0.6)}, "a"),  # a loss
        ({"a": (130, -0.62), "b": (150, -0.6)}, "b"),
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
    budget = Budget(ffs=104, rounds=1)
    budget.front = {"a": (125, 0.6), "b": (150, 0.7)}
    assert budget.start == "a"
    formats = {kind: FixedPoint(4, 2) for kind in ("input", "weight", "bias")}
    network = MLP(features=4, hidden=[4], classes=2, activation=FixedPoint(4, 1, signed=False), **formats)
    first = cost_of(network, Target())
    assert bill_of(network, allowance("ffs"), first) == (first.ffs, first.ffs)
    dearer = replace(first, aluts=2 * first.aluts)
    assert bill_of(network, allowance("ffs"), dearer) == (first.ffs, 0.75 * first.ffs)
    for unit in ("aluts", "share", "ebops"):
        assert bill_of(network, allowance(unit), first) == (getattr(first, unit),) * 2


def test_its_state_is_kept():
    budget, other = Budget(ebops=100), Budget(ebops=100)
    budget._rate(0.0, 500, trainer(0))
    budget.front = {"ebops_0000500.ckpt": (500.0, 0.6)}
    other.load_state_dict(budget.state_dict())
    assert other._rate(1e-5, 400, trainer(3)) == budget._rate(1e-5, 400, trainer(3))
    assert other.shortfall == " within budget.ebops=100 (the nearest: 500)"


LEARNED = {
    **{kind: FixedPoint(6, 3) for kind in ("input", "weight", "bias")},
    "activation": FixedPoint(4, 2, signed=False),
}


def test_a_network_is_counted_for_the_target_that_is_given():
    network = MLP(features=6, hidden=[8, 8], classes=3, learned_bits="weight", **LEARNED)
    slow, fast = (cost_of(network, Target(clock_period=period)) for period in (5.0, 3.5))
    assert fast.ffs > slow.ffs  # more stages, around which the kernel is the same
    assert fast.aluts == slow.aluts
    budget = Budget(ffs=120, target=Target(clock_period=3.5))
    logged, module = {}, SimpleNamespace(network=network, log=lambda name, value: None)
    module.log = logged.__setitem__
    validated = SimpleNamespace(sanity_checking=False, **vars(trainer(0)))
    budget.on_validation_epoch_end(validated, module)
    assert logged["ffs"] == budget.costs["ffs"] == fast.ffs
    first = cost_of(network, Target(clock_period=3.5))
    assert bill_of(frozen(network), Allowance("ffs", 100, Target(clock_period=3.5)), first).cost == fast.ffs


def test_the_encoder_alone_is_counted_if_it_is_what_is_built():
    network = Autoencoder(6, (8,), 2, learned_bits="weight", **LEARNED)
    whole, encoder = cost_of(network, Target()), cost_of(network, Target(part="encoder"))
    assert 0 < encoder.aluts < whole.aluts and 0 < encoder.ebops < whole.ebops


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target(reuse_factor=2), "budget.target.reuse_factor=2: "),
        (Target(precision="fixed<16,6>"), "precision=fixed<16,6> is for float checkpoints"),
        (Target(part="encoder"), "part=encoder: a network of this kind has whole"),
    ],
)
def test_a_target_that_cannot_be_counted_is_refused_before_the_training(target, message):
    network = MLP(features=6, hidden=[8], classes=3, learned_bits="weight", **LEARNED)
    with pytest.raises(InputError, match=message):
        Budget(target=target).setup(trainer(0), SimpleNamespace(network=network), "fit")


def test_the_units_are_the_fields_of_a_cost():
    assert tuple(field.name for field in fields(Cost)) == UNITS


def test_the_shell_is_what_a_network_of_zeros_costs():
    network = MLP(features=6, hidden=[8], classes=3, learned_bits="weight", **LEARNED)
    for parameter in network.parameters():
        parameter.data.zero_()
    assert cost_of(network, Target()) == shell_cost(Target())


def test_without_any_network_there_is_no_nearest():
    assert Budget(ebops=7).shortfall == " within budget.ebops=7"
