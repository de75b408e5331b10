"""Formats: which tensor of a network has which, as they were given."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.quantizers import MAXIMUM_WIDTH

LayerFormats = FixedPoint | Sequence[FixedPoint]  # for all layers, or one for each

_NEEDED = ("input", "weight", "bias")
_UNSIGNED, _MULTIPLE_BITS = "activation", ("input", "latent", "output")
_NEAREST = ("input", "weight", "bias")  # rounded before there is firmware, where it costs nothing


@dataclass(frozen=True)
class Formats:
    """What a network was given: all formats that a quantized one needs, or none.

    Without an `activation` ReLUs keep the full precision of the sums before them.

    Args:
        kinds: the tensors of each kind, in order, such as `bias` → `dense_1.bias`, `dense_2.bias`.
        given: kind → format, or a list with one for each tensor of the kind.
        tensors: format of single tensors, by name, where it is another than their kind's.

    Raises:
        InputError: formats for only some of the tensors, unknown tensors, or a format that no network can have.

    >>> relu, weights = FixedPoint(8, 1, signed=False), [FixedPoint(4, 2), FixedPoint(1, 1)]
    >>> kinds = {"input": ["input"], "weight": ["1.weight", "2.weight"], "bias": ["1.bias", "2.bias"]}
    >>> given = {"input": FixedPoint(8, 4), "weight": weights, "bias": FixedPoint(6, 1), "activation": relu}
    >>> formats = Formats({**kinds, "activation": ["relu"]}, given, {"2.bias": FixedPoint(8, 2)})
    >>> list(formats.by_name)
    ['input', 'weight_1', 'weight_2', 'bias', 'activation', '2.bias']
    >>> [f"{tensor} {number}" for tensor, number in formats.by_tensor.items()][3:5]
    ['1.bias fixed<6,1>', '2.bias fixed<8,2>']
    """

    kinds: Mapping[str, Sequence[str]]
    given: Mapping[str, LayerFormats]
    tensors: Mapping[str, FixedPoint] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [name for name in _NEEDED if name not in self.given]
        if (self.given or self.tensors) and missing:
            raise InputError(
                f"network formats: {', '.join(missing)} missing; give all of input, weight and bias (quantized), or "
                "none (float)"
            )
        for name, formats in self.given.items():
            self._check_length(name, formats)
        known = {tensor: kind for kind, tensors in self.kinds.items() for tensor in tensors}
        for tensor, number in self.tensors.items():
            if tensor not in known:
                raise InputError(f"network.tensors has {tensor}, which is none of {', '.join(known)}")
            _check_number(known[tensor], number)

    def __str__(self) -> str:
        named = {**self.given, **self.tensors}
        return ", ".join(f"{name} {' '.join(map(str, _listed(formats)))}" for name, formats in named.items())

    @property
    def by_name(self) -> dict[str, FixedPoint]:
        """The formats by the names under which they were given; those of a list are numbered, from 1."""
        named = {}
        for name, formats in self.given.items():
            for depth, number in enumerate(_listed(formats), start=1):
                named[name if isinstance(formats, FixedPoint) else f"{name}_{depth}"] = number
        return {**named, **self.tensors}

    @property
    def by_tensor(self) -> dict[str, FixedPoint]:
        """The format of every tensor, by its name among the network's layers."""
        tensors: dict[str, FixedPoint] = {}
        for name, formats in self.given.items():
            numbers = [formats] * len(self.kinds[name]) if isinstance(formats, FixedPoint) else formats
            tensors.update(zip(self.kinds[name], numbers, strict=True))
        return {**tensors, **self.tensors}

    @property
    def primitives(self) -> dict[str, Any]:
        """The formats as a checkpoint has them: a dictionary for a format, a list of them for a list."""
        return {
            name: _primitive(formats) if isinstance(formats, FixedPoint) else [_primitive(number) for number in formats]
            for name, formats in self.given.items()
        } | ({"tensors": {name: _primitive(number) for name, number in self.tensors.items()}} if self.tensors else {})

    def _check_length(self, name: str, formats: LayerFormats) -> None:
        layers, numbers = len(self.kinds[name]), _listed(formats)
        if not isinstance(formats, FixedPoint | str) and len(numbers) != layers:
            kind = "hidden layers" if name == "activation" else "layers"
            raise InputError(
                f"network.{name} has {len(numbers)} formats, the network {layers} {kind}; give one format or {layers}"
            )
        for number in numbers:
            if not isinstance(number, FixedPoint):
                raise InputError(f"network.{name} has {number}, which is no format; write each like fixed<16,6>")
            _check_number(name, number)


def _check_number(kind: str, number: FixedPoint) -> None:
    if number.width > MAXIMUM_WIDTH:
        raise InputError(f"network.{kind}={number}: a network's formats have 1 to {MAXIMUM_WIDTH} bits")
    if kind == _UNSIGNED and number.signed:
        raise InputError(f"network.{kind} {number}: ReLU has no negative values; use ufixed")
    if kind in _NEAREST and number.rounds_down:
        raise InputError(f"network.{kind} rounds down: only activations and outputs gain from it; leave rounding out")
    if kind in _MULTIPLE_BITS and number.is_binary:
        raise InputError(f"network.{kind} is binary: firmware has no exact counterpart; use two bits, narrow")


def _primitive(number: FixedPoint) -> dict[str, Any]:
    """Return a format as a dictionary, without a rounding that older checkpoints did not know."""
    return {key: value for key, value in asdict(number).items() if key != "rounding" or number.rounds_down}


def _listed(formats: LayerFormats) -> Sequence[FixedPoint]:
    return [formats] if isinstance(formats, FixedPoint | str) else formats
