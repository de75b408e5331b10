"""Refine: change the weights of a trained network one by one, judged by its loss and by what it truly costs."""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from nanotrigger.datapath.assembly import signed_digits
from nanotrigger.networks import Network
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.precision.allowance import Bill
from nanotrigger.precision.incremental import Incremental
from nanotrigger.training.steps import Batch

TRIALS = 1000  # changes that are tried in a round
_WORTH = 0.3  # of the cost: changes that would have to save more are not counted
_AIM, _ENOUGH = 0.985, 0.96  # of the budget
_FALL = 0.6  # of the rounds, in which the cost comes down to the budget
_GROWTH = 1.15  # times the aim: what a network above the budget may cost while changes are tried
_DEARER = 2.0  # times what a change alone loses for what it saves, up to which it is made after others
_STEP = 1.25  # of the rate: the greatest factor in a round
_FILLING = 0.5  # of the rate, in a round, while the budget is not used


class Place(NamedTuple):
    """A weight or bias that may change.

    Attributes:
        depth: of its layer, from 0.
        unit: of the layer's outputs.
        column: of the layer's inputs; None for the bias.
        tensor: of the layer.
        number: its format.
    """

    depth: int
    unit: int
    column: int | None
    tensor: Tensor
    number: FixedPoint

    @property
    def word(self) -> int:
        """What it is at present."""
        return round(self.tensor[self.position].item() / self.number.step)

    @property
    def position(self) -> tuple[int, ...]:
        """Where it is in the tensor."""
        return (self.unit,) if self.column is None else (self.unit, self.column)


def refine(
    network: Network,
    batches: Iterable[Batch],
    criterion: Callable[[Batch, Tensor], Callable[[Tensor], float]],
    bill: Callable[[Network], Bill],
    limit: float,
    *,
    rate: float,
    rounds: int,
    seed: int = 0,
    estimate: Callable[[Network], float] | None = None,
) -> Iterator[float]:
    """Change a network in place, round by round; yield what it costs after each.

    A change gives a weight or bias another word of its format: zero, the opposite, or one that differs by a power of
    two. A round first makes the changes that lose least for what they save, until the cost is what it should be by
    then; it falls exponentially to the limit. Then others are tried at random, and stay if they lower loss + rate *
    paid; one with more signed digits must lower the loss. The rate is what was paid last, and falls as long as the
    limit is not used. This is coordinate descent on integers: nothing in it is smoothed.

    Args:
        network: quantized, of fixed formats, in evaluation mode; a word can become as large as its format allows.
        batches: at least one for each round, features first.
        criterion: returns what gives the loss of outputs, shape (rows, outputs), for a batch and its present outputs.
        bill: returns what the network costs.
        limit: what it may cost.
        rate: loss that a unit of what is paid is worth, at first.
        rounds: how many.
        seed: of the choice of changes.
        estimate: returns what is about in proportion to the cost, for trials, after each round of which the bill is
            made; by default each trial has a bill.
    """
    generator = random.Random(seed)
    first = bill(network).cost
    for number, batch in zip(range(1, rounds + 1), batches, strict=False):
        with torch.no_grad():
            _clear_unread(network)
            spent = bill(network)
            signals = Incremental(network, batch[0])
            loss = criterion(batch, signals.outputs)
            count = bill if estimate is None else _in_proportion(estimate, estimate(network), spent)
            share = min(number / (_FALL * rounds), 1.0)
            aim = max(first, limit) ** (1 - share) * (_AIM * limit) ** share
            rate = min(_cheapen(network, signals, loss, count, aim, rate, generator), _STEP * rate)
            _round(network, signals, loss, count, limit, aim, rate, generator)
            cost = bill(network).cost
        if cost < _ENOUGH * limit:
            rate *= _FILLING
        yield cost


def _in_proportion(estimate: Callable[[Network], float], first: float, spent: Bill) -> Callable[[Network], Bill]:
    """Return what counts a network in proportion to an estimate, which was `first` for what is spent."""

    def count(network: Network) -> Bill:
        share = estimate(network) / first
        return Bill(spent.cost * share, spent.paid * share)

    return count


def _cheapen(
    network: Network,
    signals: Incremental,
    loss: Callable[[Tensor], float],
    bill: Callable[[Network], Bill],
    aim: float,
    rate: float,
    generator: random.Random,
) -> float:
    """Give weights fewer digits until the network costs the aim; return the rate that was paid last, if any was.

    The changes that lose least for what they save are made first, each as long as it is about as good as it was alone.
    Of a large network only some places are looked at.
    """
    present, spent = loss(signals.outputs), bill(network)
    if spent.cost <= aim:
        return rate
    places = _places(network)[1]
    found: list[tuple[float, int, Place, int]] = []  # the loss for a unit of what is saved
    for place in generator.sample(places, min(len(places), TRIALS // 2)):
        for new in _candidates(place.word, place.number):
            if len(signed_digits(new)) < len(signed_digits(place.word)):
                changed, counted, _ = _tried(place, new, signals, loss, lambda: bill(network))
                if counted.paid < spent.paid:
                    found.append(((changed - present) / (spent.paid - counted.paid), len(found), place, new))
    for worth, _, place, new in sorted(found, key=lambda one: one[:2]):
        if spent.cost <= aim:
            break
        if len(signed_digits(new)) >= len(signed_digits(place.word)):
            continue
        changed, counted, outputs = _tried(place, new, signals, loss, lambda: bill(network))
        if changed - present <= _DEARER * max(worth, 0.0) * (spent.paid - counted.paid):
            place.tensor[place.position] = new * place.number.step
            signals.keep(outputs)
            present, spent, rate = changed, counted, max(worth, 0.0) or rate
    return rate


def _tried(
    place: Place, new: int, signals: Incremental, loss: Callable[[Tensor], float], bill: Callable[[], Bill]
) -> tuple[float, Bill, Tensor]:
    """Return loss, bill and outputs of a network with another word at a place, where the present one stays."""
    former = place.tensor[place.position].item()
    outputs = signals.changed(place.depth, place.unit, place.column, new * place.number.step - former)
    place.tensor[place.position] = new * place.number.step
    counted = bill()
    place.tensor[place.position] = former
    return loss(outputs), counted, outputs


def _round(
    network: Network,
    signals: Incremental,
    loss: Callable[[Tensor], float],
    bill: Callable[[Network], Bill],
    limit: float,
    aim: float,
    rate: float,
    generator: random.Random,
) -> None:
    """Try changes; those that are worth it stay."""
    zeros, others = _places(network)
    present, spent = loss(signals.outputs), bill(network)
    for _ in range(TRIALS):
        place = generator.choice(others if others and generator.random() < 0.5 else zeros or others)
        tensor, position, number = place.tensor, place.position, place.number
        former = tensor[position].item()
        word = round(former / number.step)
        new = generator.choice(_candidates(word, number))
        outputs = signals.changed(place.depth, place.unit, place.column, (new - word) * number.step)
        changed = loss(outputs)
        saves = len(signed_digits(new)) <= len(signed_digits(word))
        if changed - present < (rate * _WORTH * spent.paid if saves else 0):
            tensor[position] = new * number.step
            counted = bill(network)
            gain = present - changed - rate * (counted.paid - spent.paid)
            most = limit if spent.cost <= limit else max(_GROWTH * aim, spent.cost)
            is_lost = spent.cost <= aim and changed > present  # where nothing need be lost
            if counted.cost <= most and not is_lost and (gain > 0 or (gain == 0 and new == 0)):
                present, spent = changed, counted
                signals.keep(outputs)
            else:
                tensor[position] = former


def _places(network: Network) -> tuple[list[Place], list[Place]]:
    """Return the weights that are zero, and the other ones and biases, between neurons that are read."""
    zeros: list[Place] = []
    others: list[Place] = []
    layers = list(weighted_layers(network).items())
    read = [*(layer.weight.data.any(dim=0).tolist() for _, layer in layers[1:]), [True] * layers[-1][1].out_features]
    for depth, (name, layer) in enumerate(layers):
        formats = {kind: network.formats[f"{name}.{kind}"] for kind in ("weight", "bias")}
        weight, bias = layer.weight.data, layer.bias.data
        for unit in (unit for unit, is_read in enumerate(read[depth]) if is_read):
            others.append(Place(depth, unit, None, bias, formats["bias"]))
            for column, value in enumerate(weight[unit].tolist()):
                if depth == 0 or read[depth - 1][column]:
                    (others if value else zeros).append(Place(depth, unit, column, weight, formats["weight"]))
    return zeros, others


def _clear_unread(network: Network) -> None:
    """Set the weights and biases of neurons that no other one reads to zero."""
    layers = list(weighted_layers(network).values())
    for layer, following in reversed(list(pairwise(layers))):
        is_unread = ~following.weight.data.any(dim=0)
        layer.weight.data[is_unread], layer.bias.data[is_unread] = 0.0, 0.0


def _candidates(word: int, number: FixedPoint) -> list[int]:
    """Return zero, the opposite of a word, and what differs from it by a power of two.

    >>> _candidates(2, FixedPoint(4, 2))
    [0, -2, 3, 1, 4, 6]
    """
    bound = number.maximum_word
    near = [word + sign * 2**bit for bit in range(number.width - 1) for sign in (1, -1)]
    return list(dict.fromkeys(new for new in (0, -word, *near) if new != word and abs(new) <= bound))
