"""Tensors of a firmware: the format of each, and what that format can hold."""

import re
from dataclasses import dataclass
from itertools import pairwise

from nanotrigger.errors import InputError
from nanotrigger.firmware.record import Firmware, Layer
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import without_modes

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
        type_name: as hls4ml spells it, with rounding and overflow.
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
        return FixedPoint(kind.width, kind.integer, kind.signed, narrow=kind.signed and "SAT_SYM" in self._modes)

    @property
    def short(self) -> str:
        """The type without its modes."""
        return without_modes(self.type_name)

    @property
    def rounding(self) -> str:
        """How values are rounded to it."""
        return next((_ROUNDING[mode] for mode in self._modes if mode in _ROUNDING), "truncate")

    @property
    def overflow(self) -> str:
        """What happens to values beyond its range."""
        return next((_OVERFLOW[mode] for mode in self._modes if mode in _OVERFLOW), "wrap")

    @property
    def _modes(self) -> list[str]:
        return re.findall(r",([A-Z_]+)", self.type_name)


def tensor_formats(firmware: Firmware) -> tuple[TensorFormat, ...]:
    """Return the tensors in the order in which the data flow; outputs that are bare sums are not repeated."""
    first = firmware.layers[0]
    tensors = [TensorFormat(first.name, "inputs", (first.size,), first.types["result"])]
    for previous, layer in pairwise(firmware.layers):
        tensors += [
            TensorFormat(layer_label(layer), role, _shape(key, previous, layer), layer.types[key])
            for key, role in _ROLES.items()
            if key in layer.types and not (key == "result" and layer.types.get("accum") == layer.types[key])
        ]
    return tuple(tensors)


def layer_label(layer: Layer) -> str:
    """Return the name that the network gives a layer: `dense_1` of hls4ml's `Dense_dense_1`."""
    return layer.name.removeprefix(f"{layer.kind}_")


def _shape(key: str, previous: Layer, layer: Layer) -> tuple[int, ...]:
    if key.endswith("_table"):
        return ()
    return (previous.size, layer.size) if key == "weight" else (layer.size,)
