"""Formats of a network's tensors: one for all layers, or one for each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint

LayerFormats = FixedPoint | Sequence[FixedPoint]  # for all layers, or one for each

_NEEDED = ("input", "weight", "bias", "activation")
_TENSORS = {"weight": "dense_{}.weight", "bias": "dense_{}.bias", "activation": "relu_{}"}


@dataclass(frozen=True)
class Formats:
    """What a network was given: all formats that a quantized one needs, or none.

    Args:
        hidden: number of hidden layers.
        given: `input`, `weight`, `bias`, `activation`, `output` → format, or a list with one for each layer.

    Raises:
        InputError: formats for only some of the tensors or layers, or one that no network can have.

    >>> relu, weights = FixedPoint(8, 1, signed=False), [FixedPoint(4, 2), FixedPoint(1, 1)]
    >>> given = {"input": FixedPoint(8, 4), "weight": weights, "bias": FixedPoint(6, 1), "activation": relu}
    >>> formats = Formats(1, given)
    >>> list(formats.by_name)
    ['input', 'weight_1', 'weight_2', 'bias', 'activation']
    >>> list(formats.by_tensor)
    ['input', 'dense_1.weight', 'dense_2.weight', 'dense_1.bias', 'dense_2.bias', 'relu_1']
    """

    hidden: int
    given: Mapping[str, LayerFormats]

    def __post_init__(self) -> None:
        missing = [name for name in _NEEDED if name not in self.given]
        if self.given and missing:
            raise InputError(
                f"network formats: {', '.join(missing)} missing; give all of input, weight, bias and "
                "activation (quantized) or none (float)"
            )
        for name, formats in self.given.items():
            self._check(name, formats)

    def __str__(self) -> str:
        return ", ".join(f"{name} {' '.join(map(str, _listed(formats)))}" for name, formats in self.given.items())

    @property
    def by_name(self) -> dict[str, FixedPoint]:
        """The formats by the names under which they were given; those of a list are numbered, from 1."""
        named = {}
        for name, formats in self.given.items():
            for depth, number in enumerate(_listed(formats), start=1):
                named[name if isinstance(formats, FixedPoint) else f"{name}_{depth}"] = number
        return named

    @property
    def by_tensor(self) -> dict[str, FixedPoint]:
        """The format of every tensor, by its name among the network's layers."""
        tensors = {}
        for name, formats in self.given.items():
            numbers = [formats] * self._layers(name) if isinstance(formats, FixedPoint) else formats
            for depth, number in enumerate(numbers, start=1):
                tensors[_TENSORS.get(name, name).format(depth)] = number
        return tensors

    @property
    def primitives(self) -> dict[str, Any]:
        """The formats as a checkpoint has them: a dictionary for a format, a list of them for a list."""
        return {
            name: asdict(formats) if isinstance(formats, FixedPoint) else [asdict(number) for number in formats]
            for name, formats in self.given.items()
        }

    def _layers(self, name: str) -> int:
        return {"weight": self.hidden + 1, "bias": self.hidden + 1, "activation": self.hidden}.get(name, 1)

    def _check(self, name: str, formats: LayerFormats) -> None:
        layers, numbers = self._layers(name), _listed(formats)
        if not isinstance(formats, FixedPoint) and len(numbers) != layers:
            kind = "hidden layers" if name == "activation" else "layers"
            raise InputError(
                f"network.{name} has {len(numbers)} formats, the network {layers} {kind}; give one format or {layers}"
            )
        for number in numbers:
            if not isinstance(number, FixedPoint):
                raise InputError(f"network.{name} has {number} among its formats; every layer needs one")
            if name == "activation" and number.signed:
                raise InputError(f"network.activation {number}: ReLU has no negative values; use ufixed")
            if name in ("input", "output") and number.is_binary:
                raise InputError(f"network.{name} is binary: firmware has no exact counterpart; use two bits, narrow")


def _listed(formats: LayerFormats) -> Sequence[FixedPoint]:
    return [formats] if isinstance(formats, FixedPoint) else formats
