"""Tensors of a firmware: the format of each, and what that format can hold."""

from dataclasses import dataclass
from itertools import pairwise

from nanotrigger.errors import InputError
from nanotrigger.firmware.record import Firmware, Layer
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.type_name import modes, without_modes

_ROLES = {
    "weight": "weights",
    "bias": "biases",
    "accum": "sums",
    "exp_table": "table of exponentials",
    "inv_table": "table of inverses",
    "result": "outputs",
}
_ROUNDING = {"TRN": "truncate", "RND": "half up", "RND_CONV": "half to even"}
_OVERFLOW = {"WRAP": "wrap", "SAT": "saturate", "SAT_SYM": "saturate, symmetric"}


@dataclass(frozen=True)
class TensorFormat:
    """A tensor of the firmware.

    Attributes:
        layer: to which it belongs.
        role: what it is to the layer.
        shape: its dimensions.
        type_name: `numbers.type_name`, with rounding and overflow.
    """

    layer: str
    role: str
    shape: tuple[int, ...]
    type_name: str

    @property
    def number(self) -> FixedPoint | None:
        """The format, None if the type is not a fixed-point number."""
        try:
            kind = FixedPoint.parse(self.short)
        except InputError:
            return None
        return FixedPoint(
            kind.width, kind.integer, kind.signed, narrow=kind.signed and "SAT_SYM" in modes(self.type_name)
        )

    @property
    def short(self) -> str:
        """The type without its modes."""
        return without_modes(self.type_name)

    @property
    def rounding(self) -> str:
        """How values are rounded to it."""
        return next((_ROUNDING[mode] for mode in modes(self.type_name) if mode in _ROUNDING), "truncate")

    @property
    def overflow(self) -> str:
        """What happens to values beyond its range."""
        return next((_OVERFLOW[mode] for mode in modes(self.type_name) if mode in _OVERFLOW), "wrap")


def tensor_formats(firmware: Firmware) -> tuple[TensorFormat, ...]:
    """Return the tensors in the order in which the data flow; outputs that are bare sums are not repeated."""
    first = firmware.layers[0]
    tensors = [TensorFormat(first.label, "inputs", (first.size,), first.types["result"])]
    for previous, layer in pairwise(firmware.layers):
        tensors += [
            TensorFormat(layer.label, role, _shape(key, previous, layer), layer.types[key])
            for key, role in _ROLES.items()
            if key in layer.types and not (key == "result" and layer.types.get("accum") == layer.types[key])
        ]
    return tuple(tensors)


def _shape(key: str, previous: Layer, layer: Layer) -> tuple[int, ...]:
    if key.endswith("_table"):
        return ()
    return (previous.size, layer.size) if key == "weight" else (layer.size,)
