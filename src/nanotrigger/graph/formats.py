"""Formats: what a quantizer of a QONNX file says, and which words constants are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from qonnx.custom_op.general.intquant import resolve_rounding_mode

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.graph.evaluate import attributes_of
from nanotrigger.graph.node import Words
from nanotrigger.graph.quantize import HALF_EVEN, ROUNDINGS, Conversion
from nanotrigger.numbers import CoarseFixedPoint, FixedPoint

Array = NDArray[np.float64]

MOST_BITS = 18  # of a constant that has no quantizer


@dataclass(frozen=True, eq=False)
class Formats:
    """The formats of a quantizer.

    Attributes:
        conversions: one for each channel, an array of `Conversion` that broadcasts to the tensor, batch axis included.
    """

    conversions: NDArray[Any]

    @property
    def only(self) -> Conversion | None:
        """The format of all values; None if channels have formats of their own."""
        found = set(self.conversions.ravel())
        conversion: Conversion = self.conversions.flat[0]
        return conversion if len(found) == 1 else None

    @property
    def step(self) -> float:
        """The finest step."""
        return min(conversion.number.step for conversion in self.conversions.flat)

    def of_values(self, shape: tuple[int, ...]) -> tuple[Conversion, ...]:
        """Return the format of each value of a tensor of a shape, batch axis included."""
        return tuple(np.broadcast_to(self.conversions, shape).ravel())

    def followed_by(self, others: "Formats") -> "Formats | None":
        """Return the formats of two quantizers in a row, if they are those of one: unsigned, and both cut bits off."""
        pairs = [*zip(*map(np.ravel, np.broadcast_arrays(self.conversions, others.conversions)), strict=True)]
        if any(each.number.signed or each.rounding != "FLOOR" for pair in pairs for each in pair):
            return None
        joined = np.empty(len(pairs), object)
        for place, numbers in enumerate((first.number, second.number) for first, second in pairs):
            integer = min(number.integer for number in numbers)
            width = integer + min(number.width - number.integer for number in numbers)
            if width < 1:
                return None
            kind = CoarseFixedPoint if integer > width else FixedPoint
            joined[place] = Conversion(kind(width, integer, signed=False), rounding="FLOOR")
        shape = np.broadcast_shapes(self.conversions.shape, others.conversions.shape)
        return Formats(joined.reshape(shape))

    def quantize(self, values: Array) -> Array:
        """Return constants in their formats, as qonnx quantizes them."""
        result = np.empty(values.shape)
        formats = np.broadcast_to(self.conversions, values.shape)
        for conversion in set(self.conversions.ravel()):
            number, places = conversion.number, formats == conversion
            if number.is_binary or conversion.rounding == HALF_EVEN:
                result[places] = number.quantize(values[places])
            else:
                words = resolve_rounding_mode(conversion.rounding)(values[places] / number.step)
                result[places] = np.clip(words, number.minimum_word, number.maximum_word) * number.step
        return result


def formats_of(node: onnx.NodeProto, parameters: list[Array], shape: tuple[int, ...]) -> Formats:
    """Return the formats of a Quant or BipolarQuant node.

    Args:
        node: the quantizer.
        parameters: its constant inputs: scale, and for Quant zero point and bit width, each of which may be an array.
        shape: of what it quantizes, batch axis included.

    Raises:
        NotExactError: a scale that is no power of two, or a zero point that is not zero.
        InputError: a bit width, a rounding or a range that no format has, or as many as do not fit the shape.
    """
    for parameter in parameters:
        if not _spreads(parameter.shape, shape):
            found = f"formats of shape {parameter.shape} do not fit values of shape {shape}"
            raise InputError(f"node {node.name}: {found}; export it again")
    scales = parameters[0]
    wrong = scales[~(np.frexp(scales)[0] == 0.5)]
    if wrong.size:
        remedy = "retrain with scales that are powers of two"
        raise NotExactError(node.name, f"scale {wrong.flat[0]:g} of the quantizer is no power of two; {remedy}")
    if node.op_type == "BipolarQuant":
        return _formats(node, scales, np.ones(()), signed=True, narrow=False, rounding=HALF_EVEN)
    _, zeros, widths = parameters
    if zeros.any():
        raise NotExactError(
            node.name, f"zero point {zeros[zeros != 0].flat[0]:g} of the quantizer is not 0; retrain with 0"
        )
    given = {"rounding_mode": HALF_EVEN, **attributes_of(node)}
    missing = [name for name in ("signed", "narrow") if name not in given]
    if missing:
        raise InputError(f"node {node.name}: a quantizer without the attribute {missing[0]}; export it again")
    mode = str(given["rounding_mode"]).upper()
    rounding = {"HALF_EVEN": HALF_EVEN}.get(mode, mode)
    if rounding not in ROUNDINGS:
        raise InputError(f"node {node.name}: rounding {mode} is not among {', '.join(ROUNDINGS)}")
    if (widths != np.rint(widths)).any() or (widths < 1).any():
        raise InputError(f"node {node.name}: a bit width of {widths.flat[0]:g}; it must be a whole number from 1")
    if given["narrow"] and not given["signed"] and (widths == 1).any():
        raise InputError(f"node {node.name}: an unsigned narrow range of 1 bit holds only zero; give it more bits")
    scales, widths, _ = np.broadcast_arrays(scales, widths, zeros)
    return _formats(node, scales, widths, signed=bool(given["signed"]), narrow=bool(given["narrow"]), rounding=rounding)


def _spreads(parameter: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Return whether an array of a shape can be broadcast to another one."""
    pairs = zip(reversed(parameter), reversed(shape), strict=False)
    return len(parameter) <= len(shape) and all(size in (1, whole) for size, whole in pairs)


def _formats(
    node: onnx.NodeProto, scales: Array, widths: Array, *, signed: bool, narrow: bool, rounding: str
) -> Formats:
    scales, widths = np.broadcast_arrays(scales, widths)
    conversions = np.empty(scales.shape, object)
    for place in np.ndindex(scales.shape):
        width, exponent = int(widths[place]), int(np.frexp(scales[place])[1]) - 1
        try:
            is_narrow = narrow and width > 1  # one signed bit is ±1 in any case
            kind = CoarseFixedPoint if exponent > 0 else FixedPoint
            number = kind(width, width + exponent, signed=signed, narrow=is_narrow)
        except InputError as error:
            raise InputError(f"node {node.name}: {error}") from None
        conversions[place] = Conversion(number, rounding=rounding)
    return Formats(conversions)


def exact_words(values: Array) -> tuple[Words, float] | None:
    """Return constants as words of at most 18 bits, and what a word is worth; None if there are no such words.

    >>> exact_words(np.array([0.75, -2.0]))
    (array([ 3, -8]), 0.25)
    """
    mantissas, exponents = np.frexp(values[values != 0])
    if not mantissas.size:
        return np.zeros(values.shape, np.int64), 1.0
    odd = np.abs(mantissas * 2.0**53).astype(np.int64)
    trailing = np.log2((odd & -odd).astype(np.float64)).astype(np.int64)
    finest = int((exponents - 53 + trailing).min())
    if int(exponents.max()) - finest > MOST_BITS:
        return None
    return np.ldexp(values, -finest).astype(np.int64), float(np.ldexp(1.0, finest))
