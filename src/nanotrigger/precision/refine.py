"""Refine: change the weights of a trained network one by one, judged by its loss and by what it truly costs."""

import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise
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
_WORTH = 5.0  # times what a weight costs on average: changes that would have to save more are not counted
_PASSES = 4  # in a round, after which a network may still cost more than it should by then
_COUNTED = 100  # changes of which a round counts what they save, before it makes the best of them
FALL = 0.4  # of the rounds, in which the cost comes down to the budget
_AIM, _ENOUGH = 0.985, 0.96  # of the budget
_GROWTH, _NEAR = 1.15, 1.05  # times the aim: what a network that is near it may cost while changes are tried
_DEARER = 2.0  # times what the dearest change that is needed loses for what it saves: what others may lose
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
    two. A round tries changes at random: those stay that lower loss + rate * paid; one with more signed digits must
    lower the loss. The network may grow by that. Then the round makes the changes that lose least for what they save,
    until the cost is what it should be by then: it falls exponentially, and for the last rounds it is the limit. The
    rate is what was paid last, and falls as long as the limit is not used. This is coordinate descent on integers, with
    ruin and recreation: nothing in it is smoothed.

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
            count = bill if estimate is None else _in_proportion(estimate, estimate(network), spent)
            trials = _Trials(network, signals, criterion(batch, signals.outputs), count, spent)
            share = min(number / (FALL * rounds), 1.0)
            aim = max(first, limit) ** (1 - share) * (_AIM * limit) ** share
            _round(trials, aim, rate, generator)
            rate = min(_cheapen(trials, aim, rate, generator), _STEP * rate)
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


class _Trials:
    """A network on the rows of a round, and what other words at single places would change.

    Args:
        network: whose words change.
        signals: of it.
        loss: of outputs.
        bill: of the network.
        spent: its present bill.
    """

    def __init__(
        self,
        network: Network,
        signals: Incremental,
        loss: Callable[[Tensor], float],
        bill: Callable[[Network], Bill],
        spent: Bill,
    ) -> None:
        self.network, self.spent = network, spent
        self._signals, self._loss, self._bill = signals, loss, bill
        self._outputs, self._present = signals.outputs, loss(signals.outputs)

    def loses(self, place: Place, new: int) -> float:
        """Return by how much the loss grows with another word at a place."""
        difference = (new - place.word) * place.number.step
        self._outputs = self._signals.changed(place.depth, place.unit, place.column, difference)
        return self._loss(self._outputs) - self._present

    def bill(self, place: Place, new: int) -> Bill:
        """Return the bill with another word at a place."""
        former = place.tensor[place.position].item()
        place.tensor[place.position] = new * place.number.step
        counted = self._bill(self.network)
        place.tensor[place.position] = former
        return counted

    def keep(self, place: Place, new: int, loses: float, counted: Bill) -> None:
        """Put the word there of which was just asked what it loses."""
        place.tensor[place.position] = new * place.number.step
        self._signals.keep(self._outputs)
        self._present, self.spent = self._present + loses, counted


def _cheapen(trials: _Trials, aim: float, rate: float, generator: random.Random) -> float:
    """Give weights fewer digits until the network costs the aim; return the rate that was paid last, if any was.

    The changes that lose least for what they save are made first, as long as they lose no more for it, after others,
    than the dearest that is needed; the first in any case, so that each pass saves something.
    """
    for _ in range(_PASSES):
        found = _savings(trials, generator) if trials.spent.cost > aim else []
        saved = list(accumulate(each.saves for each in found))
        enough = bisect_left(saved, trials.spent.cost - aim)
        most = _DEARER * max(found[min(enough, len(found) - 1)].worth, 0.0) if found else 0.0
        is_first = True
        for worth, _, place, new, _ in found:
            if trials.spent.cost <= aim or worth > most:
                break
            if _digits_more(place, new) >= 0:
                continue
            loses, counted = trials.loses(place, new), trials.bill(place, new)
            if is_first or loses <= most * (trials.spent.paid - counted.paid):
                trials.keep(place, new, loses, counted)
                rate = max(worth, 0.0) or rate
            is_first = False
    return rate


class _Saving(NamedTuple):
    """A change that saves something: what it loses for it, a number, the place, its new word, and what it saves."""

    worth: float
    number: int
    place: Place
    new: int
    saves: float


def _savings(trials: _Trials, generator: random.Random) -> list[_Saving]:
    """Return changes, first those that lose least for what they save.

    What they save is counted only of those that lose least for a digit. Of a large network only some places are looked
    at.
    """
    places = _places(trials.network)[1]
    by_digits: list[_Saving] = []
    for place in generator.sample(places, min(len(places), TRIALS // 4)):
        for new in _candidates(place.word, place.number):
            digits = -_digits_more(place, new)
            if digits > 0:
                by_digits.append(_Saving(trials.loses(place, new) / digits, len(by_digits), place, new, digits))
    found = []
    for one in sorted(by_digits)[:_COUNTED]:
        saves = trials.spent.paid - trials.bill(one.place, one.new).paid
        if saves > 0:
            found.append(one._replace(worth=one.worth * one.saves / saves, saves=saves))
    return sorted(found)


def _round(trials: _Trials, aim: float, rate: float, generator: random.Random) -> None:
    """Try changes; those that are worth it stay."""
    zeros, others = _places(trials.network)
    most = _GROWTH * aim if trials.spent.cost <= _NEAR * aim else trials.spent.cost
    most_saved = _WORTH * trials.spent.paid / max(len(others), 1)
    for _ in range(TRIALS):
        place = generator.choice(others if others and generator.random() < 0.5 else zeros or others)
        new = generator.choice(_candidates(place.word, place.number))
        loses, spent = trials.loses(place, new), trials.spent
        if loses < (rate * most_saved if _digits_more(place, new) <= 0 else 0):
            counted = trials.bill(place, new)
            gain = -loses - rate * (counted.paid - spent.paid)
            is_lost = spent.cost <= aim and loses > 0  # where nothing need be lost
            if counted.cost <= most and not is_lost and (gain > 0 or (gain == 0 and new == 0)):
                trials.keep(place, new, loses, counted)


def _digits_more(place: Place, new: int) -> int:
    """Return how many signed digits another word has more than the present one."""
    return len(signed_digits(new)) - len(signed_digits(place.word))


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
