"""Refine: change the weights of a trained network one by one, judged by its loss and by what it truly costs."""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nanotrigger.datapath.assembly import signed_digits
from nanotrigger.networks import Network
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.precision.allowance import Bill
from nanotrigger.training.steps import Batch


class Incremental:
    """Every signal of a network on some rows, and what becomes of them if one weight or bias changes.

    Only what the change reaches is calculated: about a hundredth of a sparse network. Signals are sums of multiples of
    their step, so that float32 is exact as long as they have no more than 24 bits.

    Args:
        network: quantized, of fixed formats, in evaluation mode.
        features: shape (rows, features).
    """

    def __init__(self, network: Network, features: Tensor) -> None:
        layers = list(network.layers.children())
        linear = list(weighted_layers(network).values())
        places = [layers.index(layer) for layer in linear]
        between = [layers[start + 1 : end] for start, end in pairwise([*places, len(layers)])]
        self._functions = [nn.Sequential(*modules) for modules in between]
        self._weights = [layer.weight.detach() for layer in linear]
        signal = nn.Sequential(*layers[: places[0]])(features).t().contiguous()
        self._inputs, self._sums = [], []  # of each layer, shape (units, rows)
        for layer, function in zip(linear, self._functions, strict=True):
            self._inputs.append(signal)
            self._sums.append(layer.weight @ signal + layer.bias[:, None])
            signal = function(self._sums[-1])
        self.outputs = signal.t()
        self._changes: list[dict[int, Tensor]] = []

    def changed(self, depth: int, unit: int, column: int | None, difference: float) -> Tensor:
        """Return the outputs, shape (rows, outputs), if a weight, or the bias without a column, grows by a difference.

        Args:
            depth: of the layer, from 0; its weights in the network must not be changed yet.
            unit: of the layer's outputs.
            column: of the layer's inputs; None for the bias.
            difference: of the value.
        """
        sums = self._sums[depth][unit] + difference * (1.0 if column is None else self._inputs[depth][column])
        self._changes = [{} for _ in range(depth)] + [{unit: sums}]
        for weights, function, old, former in zip(
            self._weights[depth + 1 :],
            self._functions[depth:],
            self._inputs[depth + 1 :],
            self._sums[depth + 1 :],
            strict=False,
        ):
            following: dict[int, Tensor] = {}
            for source, values in self._changes[-1].items():
                moved = function(values) - old[source]
                for target in weights[:, source].nonzero().flatten().tolist():
                    present = following.get(target)
                    following[target] = (former[target] if present is None else present) + weights[
                        target, source
                    ] * moved
            self._changes.append(following)
        outputs = self.outputs.t().clone()
        for target, values in self._changes[-1].items():
            outputs[target] = self._functions[-1](values)
        return outputs.t()

    def keep(self, outputs: Tensor) -> None:
        """Take over what `changed` has just returned."""
        for depth, changes in enumerate(self._changes):
            for unit, values in changes.items():
                self._sums[depth][unit] = values
                if depth + 1 < len(self._inputs):
                    self._inputs[depth + 1][unit] = self._functions[depth](values)
        self.outputs = outputs


TRIALS = 1000  # changes that are tried in a round
_WORTH = 0.3  # of the cost: changes that would have to save more are not counted
_AIM, _ENOUGH = 0.985, 0.96  # of the budget
_FALL = 0.6  # of the rounds, in which the cost comes down to the budget
_GAIN, _STEP = 3.0, 1.25  # of the rate: exponent of the deviation, and the greatest factor in a round
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
) -> Iterator[float]:
    """Change a network in place, round by round; yield what it costs after each.

    A change gives a weight or bias another word of its format: zero, the opposite, or one that differs by a power of
    two. It stays if it lowers loss + rate * paid; one with more signed digits must lower the loss. The rate follows the
    cost, which should fall exponentially to the limit; once it is there it stays, and the rate falls until the limit is
    used. This is coordinate descent on integers: nothing in it is smoothed or estimated.

    Args:
        network: quantized, of fixed formats, in evaluation mode; a word can become as large as its format allows.
        batches: at least one for each round, features first.
        criterion: returns what gives the loss of outputs, shape (rows, outputs), for a batch and its present outputs.
        bill: returns what the network costs.
        limit: what it may cost.
        rate: loss that a unit of what is paid is worth, at first.
        rounds: how many.
        seed: of the choice of changes.
    """
    generator = random.Random(seed)
    first = bill(network).cost
    for number, batch in zip(range(1, rounds + 1), batches, strict=False):
        with torch.no_grad():
            _clear_unread(network)
            spent = bill(network)
            signals = Incremental(network, batch[0])
            loss = criterion(batch, signals.outputs)
            cost = _round(network, signals, loss, bill, limit, spent, rate, generator).cost
        share = min(number / (_FALL * rounds), 1.0)
        aim = max(first, limit) ** (1 - share) * (_AIM * limit) ** share
        if cost > limit:
            rate *= min(max((cost / aim) ** _GAIN, 1 / _STEP), _STEP)
        elif cost < _ENOUGH * limit:
            rate *= _FILLING
        yield cost


def _round(
    network: Network,
    signals: Incremental,
    loss: Callable[[Tensor], float],
    bill: Callable[[Network], Bill],
    limit: float,
    spent: Bill,
    rate: float,
    generator: random.Random,
) -> Bill:
    """Try changes; return what the network costs then."""
    zeros, others = _places(network)
    present = loss(signals.outputs)
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
            is_affordable = counted.cost <= limit or spent.cost > limit  # what is within the limit stays there
            if is_affordable and (gain > 0 or (gain == 0 and new == 0)):
                present, spent = changed, counted
                signals.keep(outputs)
            else:
                tensor[position] = former
    return spent


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
