"""Refine: change a trained network's numbers one by one, judged by its loss and by what it truly costs."""

import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from nanotrigger.networks import Network
from nanotrigger.precision.allowance import Bill
from nanotrigger.precision.incremental import Incremental
from nanotrigger.precision.places import Place, clear_unread, places
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
    two; or a neuron's activation one bit more or less, where the network allows it. A round tries changes at random:
    those stay that lower loss + rate * paid; one with more signed digits must lower the loss. The network may grow by
    that. Then the round makes the changes that lose least for what they save, until the cost is what it should be by
    then: it falls exponentially, and for the last rounds it is the limit. The rate is what was paid last, and falls as
    long as the limit is not used. This is coordinate descent on integers, with ruin and recreation: nothing in it is
    smoothed.

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
            clear_unread(network)
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
        self._outputs = place.outputs(self._signals, new)
        return self._loss(self._outputs) - self._present

    def bill(self, place: Place, new: int) -> Bill:
        """Return the bill with another word at a place."""
        former = place.word
        place.put(new)
        counted = self._bill(self.network)
        place.put(former)
        return counted

    def keep(self, place: Place, new: int, loses: float, counted: Bill) -> None:
        """Put the word there of which was just asked what it loses."""
        place.put(new)
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
            if place.digits_more(new) >= 0:
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
    others = places(trials.network)[1]
    by_digits: list[_Saving] = []
    for place in generator.sample(others, min(len(others), TRIALS // 4)):
        for new in place.candidates():
            digits = -place.digits_more(new)
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
    zeros, others = places(trials.network)
    most = _GROWTH * aim if trials.spent.cost <= _NEAR * aim else trials.spent.cost
    most_saved = _WORTH * trials.spent.paid / max(len(others), 1)
    for _ in range(TRIALS):
        place = generator.choice(others if others and generator.random() < 0.5 else zeros or others)
        candidates = place.candidates()
        if not candidates:
            continue
        new = generator.choice(candidates)
        loses, spent = trials.loses(place, new), trials.spent
        if loses < (rate * most_saved if place.digits_more(new) <= 0 else 0):
            counted = trials.bill(place, new)
            gain = -loses - rate * (counted.paid - spent.paid)
            is_lost = spent.cost <= aim and loses > 0  # where nothing need be lost
            if counted.cost <= most and not is_lost and (gain > 0 or (gain == 0 and new == 0)):
                trials.keep(place, new, loses, counted)
