"""Places: what a refinement may change in a network: a weight, a bias, or how many bits an activation has."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from nanotrigger.datapath.assembly import signed_digits
from nanotrigger.networks import Network
from nanotrigger.networks.layers import QuantizedReLU
from nanotrigger.networks.narrowing import LEAST_BITS
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.precision.incremental import Incremental


@dataclass(frozen=True, eq=False)
class Place(ABC):
    """A place in a network with a whole number that may change.

    Attributes:
        depth: of the layer, from 0.
        unit: of the layer's outputs.
        tensor: that holds it.
    """

    depth: int
    unit: int
    tensor: Tensor

    @property
    @abstractmethod
    def word(self) -> int:
        """What it is at present."""

    @abstractmethod
    def put(self, new: int) -> None:
        """Make it another one."""

    @abstractmethod
    def candidates(self) -> list[int]:
        """Return what it may become."""

    @abstractmethod
    def digits_more(self, new: int) -> int:
        """Return how many signed digits or bits the network would have more with another one."""

    @abstractmethod
    def outputs(self, signals: Incremental, new: int) -> Tensor:
        """Return the network's outputs, shape (rows, outputs), with another one."""


@dataclass(frozen=True, eq=False)
class WeightPlace(Place):
    """A weight or bias.

    Attributes:
        column: of the layer's inputs; None for the bias.
        number: its format.
    """

    column: int | None
    number: FixedPoint

    @property
    def word(self) -> int:
        """What it is at present."""
        return round(self.tensor[self._position].item() / self.number.step)

    @property
    def _position(self) -> tuple[int, ...]:
        return (self.unit,) if self.column is None else (self.unit, self.column)

    def put(self, new: int) -> None:
        """Make it another word."""
        self.tensor[self._position] = new * self.number.step

    def candidates(self) -> list[int]:
        """Return zero, the opposite, and what differs by a power of two."""
        return near(self.word, self.number)

    def digits_more(self, new: int) -> int:
        """Return how many signed digits another word has more."""
        return len(signed_digits(new)) - len(signed_digits(self.word))

    def outputs(self, signals: Incremental, new: int) -> Tensor:
        """Return the network's outputs, shape (rows, outputs), with another word."""
        return signals.changed(self.depth, self.unit, self.column, (new - self.word) * self.number.step)


@dataclass(frozen=True, eq=False)
class BitsPlace(Place):
    """How many low or high bits a neuron's activation has not.

    Attributes:
        others: how many high or low ones each neuron has not.
        number: format of the layer.
        is_low: whether they are the low ones, which are a fraction's.
    """

    others: Tensor
    number: FixedPoint
    is_low: bool

    @property
    def word(self) -> int:
        """What it is at present."""
        return int(self.tensor[self.unit].item())

    def put(self, new: int) -> None:
        """Make it another number."""
        self.tensor[self.unit] = new

    def candidates(self) -> list[int]:
        """Return one more and one less, as far as enough bits are left."""
        most = self.number.width - LEAST_BITS - int(self.others[self.unit].item())
        if self.is_low:
            most = min(most, self.number.width - self.number.integer)
        return [new for new in (self.word + 1, self.word - 1) if 0 <= new <= most]

    def digits_more(self, new: int) -> int:
        """Return how many bits the activation would have more."""
        return self.word - new

    def outputs(self, signals: Incremental, new: int) -> Tensor:
        """Return the network's outputs, shape (rows, outputs), with another number."""
        former = self.word
        self.put(new)
        outputs = signals.changed(self.depth, self.unit, None, 0.0)
        self.put(former)
        return outputs


def places(network: Network) -> tuple[list[Place], list[Place]]:
    """Return the weights that are zero, and all else that may change, of neurons that are read."""
    zeros: list[Place] = []
    others: list[Place] = []
    layers = list(weighted_layers(network).items())
    activations = [layer for layer in network.layers if isinstance(layer, QuantizedReLU)]
    read = [*(layer.weight.data.any(dim=0).tolist() for _, layer in layers[1:]), [True] * layers[-1][1].out_features]
    for depth, (name, layer) in enumerate(layers):
        formats = {kind: network.formats[f"{name}.{kind}"] for kind in ("weight", "bias")}
        weight, bias = layer.weight.data, layer.bias.data
        for unit in (unit for unit, is_read in enumerate(read[depth]) if is_read):
            others.append(WeightPlace(depth, unit, bias, None, formats["bias"]))
            for column, value in enumerate(weight[unit].tolist()):
                if depth == 0 or read[depth - 1][column]:
                    place = WeightPlace(depth, unit, weight, column, formats["weight"])
                    (others if value else zeros).append(place)
            narrowing = activations[depth].narrowing if depth < len(activations) else None
            if narrowing is not None:
                low, high, number = *narrowing.bits, activations[depth].format
                others.append(BitsPlace(depth, unit, low, high, number, is_low=True))
                others.append(BitsPlace(depth, unit, high, low, number, is_low=False))
    return zeros, others


def clear_unread(network: Network) -> None:
    """Set the weights and biases of neurons that no other one reads to zero."""
    layers = list(weighted_layers(network).values())
    for layer, following in reversed(list(pairwise(layers))):
        is_unread = ~following.weight.data.any(dim=0)
        layer.weight.data[is_unread], layer.bias.data[is_unread] = 0.0, 0.0


def near(word: int, number: FixedPoint) -> list[int]:
    """Return zero, the opposite of a word, and what differs from it by a power of two.

    >>> near(2, FixedPoint(4, 2))
    [0, -2, 3, 1, 4, 6]
    """
    bound = number.maximum_word
    others = [word + sign * 2**bit for bit in range(number.width - 1) for sign in (1, -1)]
    return list(dict.fromkeys(new for new in (0, -word, *others) if new != word and abs(new) <= bound))
