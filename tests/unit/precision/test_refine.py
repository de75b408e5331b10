"""Refinement: every change is evaluated exactly, and the cost comes down to what it may be."""

import copy
import itertools
import random

import pytest
import torch

from nanotrigger.firmware.target import Target
from nanotrigger.networks import MLP, build_network
from nanotrigger.networks.learned import frozen, take_over
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.precision.allowance import Bill, cost_of, shell_cost
from nanotrigger.precision.incremental import Incremental
from nanotrigger.precision.places import BitsPlace, places
from nanotrigger.precision.quick_count import quick_count
from nanotrigger.precision.refine import refine
from nanotrigger.tasks import JetTagging

FORMATS = {
    "input": FixedPoint(6, 3),
    "weight": FixedPoint(5, 2),
    "bias": FixedPoint(6, 2),
    "activation": FixedPoint(4, 2, signed=False),
}


@pytest.fixture
def learned():
    torch.manual_seed(0)
    network = MLP(features=6, hidden=[8, 4], classes=3, learned_bits="weight", **FORMATS).eval()
    with torch.no_grad():
        for layer in weighted_layers(network).values():
            layer.weight.mul_(torch.rand_like(layer.weight) < 0.5)
    return network


@pytest.fixture
def batch():
    return torch.randn(300, 6), torch.randint(3, (300,))


@pytest.fixture
def narrowing():
    """A network whose neurons' activations may have fewer bits, and whose weights are words of their formats."""
    torch.manual_seed(0)
    down = FixedPoint(6, 2, signed=False, rounding="down")
    formats = {**FORMATS, "activation": down}
    network = MLP(features=6, hidden=[8, 4], classes=3, narrow_activations=True, **formats).eval()
    with torch.no_grad():
        for layer in weighted_layers(network).values():
            layer.weight.copy_(FORMATS["weight"].quantize(torch.randn_like(layer.weight)))
            layer.bias.copy_(FORMATS["bias"].quantize(torch.randn_like(layer.bias)))
    return network


def test_every_number_of_bits_is_evaluated_as_the_network_would(narrowing, batch):
    signals, choice = Incremental(narrowing, batch[0]), random.Random(1)
    with torch.no_grad():
        found = [place for place in places(narrowing)[1] if isinstance(place, BitsPlace)]
        assert len(found) == 2 * (8 + 4)
        for _ in range(60):
            place = choice.choice(found)
            former, new = place.word, choice.choice(place.candidates())
            outputs = place.outputs(signals, new)
            place.put(new)
            assert torch.equal(outputs, narrowing(batch[0]))
            if choice.random() < 0.5:
                signals.keep(outputs)
            else:
                place.put(former)
        assert narrowing.is_narrowed


def test_two_bits_are_left_of_an_activation(narrowing):
    low, high = [place for place in places(narrowing)[1] if isinstance(place, BitsPlace)][:2]
    assert low.candidates() == high.candidates() == [1]
    high.put(2)
    low.put(2)
    assert (low.candidates(), high.candidates()) == ([1], [1])
    high.put(0)
    low.put(4)  # all bits of the fraction
    assert (low.candidates(), high.candidates()) == ([3], [])


def test_bits_of_activations_are_given_up_too(narrowing, batch):
    task, target = JetTagging(narrowing, l1=0.0), Target(adders="shared")
    first, shell = cost_of(narrowing, target).aluts, shell_cost(target).aluts
    costs = refine(
        narrowing,
        itertools.repeat(batch),
        task.criterion,
        lambda network: Bill(cost_of(network, target).aluts, cost_of(network, target).aluts),
        0.6 * first,
        rate=1e-3,
        rounds=8,
        seed=3,
        estimate=lambda network: shell + quick_count(network, is_shared=True),
    )
    assert list(costs)[-1] == cost_of(narrowing, target).aluts <= 0.6 * first
    assert narrowing.is_narrowed


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_quick_count_knows_the_bits_of_each_neuron(narrowing, is_shared):
    target = Target(adders="shared" if is_shared else "unshared")
    shell, first = shell_cost(target).aluts, quick_count(narrowing, is_shared=is_shared)
    share = (cost_of(narrowing, target).aluts - shell) / first
    for name in ("relu_1", "relu_2"):
        bits = narrowing.layers.get_submodule(name).narrowing
        bits.low[::2], bits.high[1:] = 2.0, 1.0
    fewer = quick_count(narrowing, is_shared=is_shared)
    assert fewer < 0.95 * first
    assert fewer * share == pytest.approx(cost_of(narrowing, target).aluts - shell, rel=0.03)


def test_the_quick_count_knows_how_activations_round(narrowing):
    nearest = MLP(features=6, hidden=[8, 4], classes=3, **{**FORMATS, "activation": FixedPoint(6, 2, signed=False)})
    nearest.load_state_dict(narrowing.state_dict(), strict=False)  # all but the bits of single neurons
    assert quick_count(nearest.eval(), is_shared=False) > quick_count(narrowing, is_shared=False)


@pytest.mark.parametrize("output", [None, FixedPoint(5, 3)])
def test_every_change_is_evaluated_as_the_network_would(batch, output):
    network = MLP(features=6, hidden=[8, 4], classes=3, output=output, **FORMATS).eval()
    layers, choice = list(weighted_layers(network).values()), random.Random(1)
    for layer in layers:  # the words that are stored
        layer.weight.data = FORMATS["weight"].quantize(layer.weight.data) * (torch.rand_like(layer.weight) < 0.5)
    signals = Incremental(network, batch[0])
    with torch.no_grad():
        assert torch.equal(signals.outputs, network(batch[0]))
        for _ in range(60):
            depth = choice.randrange(3)
            layer = layers[depth]
            unit, column = choice.randrange(layer.out_features), choice.choice([None, *range(layer.in_features)])
            tensor, position = (layer.bias, unit) if column is None else (layer.weight, (unit, column))
            new = choice.choice([-1.0, 0.0, 0.25, 1.5])
            outputs = signals.changed(depth, unit, column, new - tensor[position].item())
            former = tensor[position].item()
            tensor[position] = new
            assert torch.equal(outputs, network(batch[0]))
            if choice.random() < 0.5:
                signals.keep(outputs)
            else:
                tensor[position] = former


def test_the_cost_comes_down_to_the_limit(learned, batch):
    task, network = JetTagging(learned, l1=0.0), frozen(learned, headroom=1)
    first = cost_of(network, Target()).aluts

    def run(network):
        return list(
            refine(
                network,
                itertools.repeat(batch),
                task.criterion,
                lambda network: Bill(cost_of(network, Target()).aluts, cost_of(network, Target()).aluts),
                0.5 * first,
                rate=1e-3,
                rounds=6,
                seed=3,
            )
        )

    again = copy.deepcopy(network)
    costs = run(network)
    assert costs == run(again)  # the same seed, the same changes
    assert len(costs) == 6
    assert costs[-1] == cost_of(network, Target()).aluts <= 0.5 * first
    for name, layer in weighted_layers(network).items():
        for kind in ("weight", "bias"):
            values = getattr(layer, kind).detach()
            assert torch.equal(network.formats[f"{name}.{kind}"].quantize(values), values)


@pytest.mark.parametrize("adders", ["shared", "unshared"])
def test_the_quick_count_is_in_proportion_to_the_full_one(learned, adders):
    network, target = frozen(learned), Target(adders=adders)
    shell, is_shared = shell_cost(target).aluts, adders == "shared"
    first, ratios = quick_count(network, is_shared=is_shared), []
    for layer in weighted_layers(network).values():
        for row in layer.weight.data:
            row[0] = 0.0
        ratios.append(quick_count(network, is_shared=is_shared) / (cost_of(network, target).aluts - shell))
    assert quick_count(network, is_shared=is_shared) < first
    assert max(ratios) < 1.1 * min(ratios)


def test_the_quick_count_leaves_out_what_nothing_reads_and_what_is_constant(learned):
    network = frozen(learned)

    def count():
        return quick_count(network, is_shared=True)

    network.layers.dense_2.weight.data[:, 2] = 0.0
    unread = count()
    network.layers.dense_1.weight.data[2], network.layers.dense_1.bias.data[2] = 0.0, 0.0
    assert count() == unread
    network.layers.dense_1.weight.data[3] = 0.0
    constant = count()
    network.layers.dense_2.weight.data[:, 3] = 0.0
    assert count() == constant < unread


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_quick_count_takes_constant_signals_as_part_of_the_biases_after_them(is_shared):
    torch.manual_seed(0)
    network = MLP(features=6, hidden=[8, 4], classes=3, **FORMATS).eval()
    with torch.no_grad():
        for layer in weighted_layers(network).values():
            layer.weight.copy_(FORMATS["weight"].quantize(torch.randn_like(layer.weight)))
        first, second = network.layers.dense_1, network.layers.dense_2
        first.weight[3], first.bias[3] = 0.0, 1.0
        second.weight[:, 3] = torch.tensor([0.5, -0.25, 0.75, 0.0])
        constant = quick_count(network, is_shared=is_shared)
        second.bias += second.weight[:, 3]
        second.weight[:, 3] = 0.0
        assert quick_count(network, is_shared=is_shared) == constant
        second.bias.zero_()
        assert quick_count(network, is_shared=is_shared) < constant


def test_estimated_trials_bring_the_true_cost_down_to_the_limit(learned, batch):
    task, network, target = JetTagging(learned, l1=0.0), frozen(learned, headroom=1), Target(adders="shared")
    first = cost_of(network, target).aluts

    def bill(network):
        return Bill(cost_of(network, target).aluts, cost_of(network, target).aluts)

    shell = shell_cost(target).aluts
    options = {
        "rate": 1e-3,
        "rounds": 10,
        "seed": 3,
        "estimate": lambda network: shell + quick_count(network, is_shared=True),
    }
    costs = list(refine(network, itertools.repeat(batch), task.criterion, bill, 0.5 * first, **options))
    assert costs[-1] == cost_of(network, target).aluts
    assert 0.45 * first < min(costs) <= 0.5 * first


def test_a_neuron_that_nothing_reads_is_gone_before_anything_is_tried(learned, batch):
    network = frozen(learned, headroom=1)
    network.layers.dense_2.weight.data[:, 2] = 0.0
    expected = network(batch[0])
    judged = []

    def bill(network):
        judged.append(torch.equal(network(batch[0]), expected) if not judged else True)
        weights = float(sum((layer.weight != 0).sum() for layer in weighted_layers(network).values()))
        return Bill(weights, weights)

    task = JetTagging(learned, l1=0.0)
    (last,) = refine(network, [batch], task.criterion, bill, 10.0, rate=1e-3, rounds=1)
    assert judged[0]
    assert not network.layers.dense_1.weight[2].any()
    assert not network.layers.dense_2.weight[:, 2].any()
    assert last == bill(network).cost


def test_a_network_of_learned_precision_takes_the_weights_over(learned, batch):
    network = frozen(learned, headroom=1)
    layer = network.layers.dense_2
    layer.weight.data[0, 0], layer.bias.data[0] = network.formats["dense_2.weight"].maximum, -0.5
    other = build_network(learned.configuration).eval()
    other.load_state_dict(learned.state_dict())
    take_over(other, network)
    assert torch.equal(other(batch[0]), network(batch[0]))
    assert torch.equal(frozen(other)(batch[0]), network(batch[0]))


def test_tensors_of_zeros_do_not_get_bits_beyond_the_widest_format():
    formats = {**FORMATS, "bias": FixedPoint(4, 4), "weight": FixedPoint(6, 0)}
    network = MLP(features=6, hidden=[4], classes=3, learned_bits="weight", **formats).eval()
    with torch.no_grad():
        network.layers.dense_1.weight.zero_()
    found = frozen(network, headroom=1).formats
    assert (found["dense_1.bias"].width - found["dense_1.bias"].integer, found["dense_1.weight"].integer) == (0, 0)


def test_headroom_ends_at_the_widest_format(learned):
    tight, wide = frozen(learned), frozen(learned, headroom=20)
    assert wide.formats["dense_1.weight"] == FORMATS["weight"]
    assert tight.formats["dense_1.weight"].width <= FORMATS["weight"].width


def test_classes_are_judged_at_the_best_temperature(batch):
    task = JetTagging(MLP(features=6, hidden=[8], classes=3))
    logits = 8 * torch.nn.functional.one_hot(batch[1], 3).float() - 4  # right, but as good at any scale
    criterion = task.criterion(batch, logits)
    assert criterion(logits) < torch.nn.functional.cross_entropy(logits, batch[1]).item()
