"""Audit: what the formats of a network make of the values that arrive, and which formats would do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from rich.table import Table

from nanotrigger.errors import InputError
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.onnx_file import has_one_format, node_format
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import WIDEST
from nanotrigger.numbers.quantizers import MAXIMUM_WIDTH

Array = NDArray[np.float64]
Role = Literal["input", "weight", "bias", "sum", "activation", "output"]

TOLERATED_SATURATION = 1e-3  # a greater share of saturated values deserves a warning
_LEAST_WIDTH = 2  # one signed bit is binary, one unsigned bit has no exact firmware
_FAR = 2.0**200  # words beyond it are far beyond any format as well


@dataclass(frozen=True)
class QuantizerAudit:
    """What a quantizer makes of the values that arrive.

    Attributes:
        name: of the quantizer.
        role: of the tensor that it quantizes.
        number: its format.
        low, high: smallest and largest value that arrives, before rounding.
        beyond: share of values that round to a word beyond the format, 0 to 1.
        vanishes: whether every value is rounded to zero, though not all are zero.
        needed: smallest format that holds every rounded value, signed if one is negative; with a coarser step if it
            would have too many bits. None if all are zero, or if no format reaches so far.
        unused_fraction_bits: lower bits that are zero in every value.
        wraps: whether values beyond the format wrap around; else they saturate.
        trained: whether they saturated in the training as well, which learned with it.
    """

    name: str
    role: Role
    number: FixedPoint
    low: float
    high: float
    beyond: float
    vanishes: bool
    needed: FixedPoint | None
    unused_fraction_bits: int
    wraps: bool = False
    trained: bool = False

    @property
    def unused_integer_bits(self) -> int:
        """Upper bits that no value needs, the sign bit apart; negative if the format lacks some."""
        if self.needed is not None:
            return _reach(self.number) - _reach(self.needed)
        if self.beyond:
            return _reach(self.number) - math.frexp(max(-self.low, self.high))[1]
        return self.number.width

    @property
    def lacks_sign(self) -> bool:
        """Whether negative values arrive at a format that has none."""
        return self.needed is not None and self.needed.signed and not self.number.signed

    @property
    def overflows(self) -> bool:
        """Whether more values lie beyond the format than can be tolerated: of those that wrap around, none."""
        return not self.trained and self.beyond > (0.0 if self.wraps else TOLERATED_SATURATION)

    @property
    def verdict(self) -> str:
        """The format that would do, or why there is none."""
        if self.vanishes:
            return "step too coarse"
        if self.needed is not None:
            return str(self.needed)
        return f"none reaches {max(-self.low, self.high):.3g}" if self.beyond else "all are zero"


def audit(model: onnx.ModelProto, graph: Graph, features: Array) -> tuple[QuantizerAudit, ...]:
    """Audit every quantizer of a QONNX network that has one format, in the order of its nodes.

    Args:
        model: quantized network.
        graph: its integer graph.
        features: events, shape (samples, inputs), at least one.

    Raises:
        InputError: a feature is not finite.
    """
    words = graph.words(features)
    arriving = {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in model.graph.initializer}
    arriving[model.graph.input[0].name] = features
    arriving |= {name: graph.values(name, tensor) for name, tensor in words.items()}
    for node in model.graph.node:
        if node.op_type == "Relu":  # the graph has it in one node with its quantizer
            arriving[node.output[0]] = np.maximum(arriving[node.input[0]], 0.0)
    return tuple(
        audit_quantizer(node.name, _role(model.graph, node), node_format(model.graph, node), arriving[node.input[0]])
        for node in model.graph.node
        if node.op_type == "Quant" and has_one_format(model.graph, node)
    )


def audit_quantizer(name: str, role: Role, number: FixedPoint, values: Array) -> QuantizerAudit:
    """Compare a format, to which values are rounded, and at which they saturate, with values of any shape.

    Raises:
        InputError: a value is not finite, or there is none.

    >>> found = audit_quantizer("input", "input", FixedPoint(8, 4), np.array([-1.5, 0.5, 9.0, 0.0]))
    >>> found.beyond, str(found.needed), found.unused_integer_bits, found.unused_fraction_bits
    (0.25, 'fixed<6,5>', -1, 3)
    """
    words = np.rint(_in_steps(name, number, values))
    vanishes = not number.is_binary and bool(values.any()) and not words.any()
    return _audit(name, role, number, values, words, vanishes, most=max(MAXIMUM_WIDTH, number.width))


def audit_cast(
    name: str, role: Role, number: FixedPoint, values: Array, *, modes: Sequence[str] = ()
) -> QuantizerAudit:
    """Compare a type of the firmware of a float network with values of any shape.

    Args:
        name: of the tensor.
        role: of the tensor.
        number: format of its type.
        values: of the float network.
        modes: of the type, as `fixed_point.modes` gives them; without them it truncates and wraps around.

    Raises:
        InputError: a value is not finite, or there is none.
    """
    steps = _in_steps(name, number, values)
    rounding = next(iter(modes), "TRN")
    words = {"TRN": np.floor, "TRN_ZERO": np.trunc}.get(rounding, np.rint)(steps)
    is_cut_off = rounding == "TRN" and bool((np.abs(steps) < 1).all())  # what is negative becomes -1 word
    vanishes = bool(values.any()) and (is_cut_off or not words.any())
    wraps = not any("SAT" in mode for mode in modes)
    return _audit(name, role, number, values, words, vanishes, most=WIDEST, wraps=wraps)


def _audit(
    name: str,
    role: Role,
    number: FixedPoint,
    values: Array,
    words: Array,
    vanishes: bool,
    *,
    most: int,
    wraps: bool = False,
) -> QuantizerAudit:
    """Return the audit of values that a format of any range would have as these words, if formats have `most` bits."""
    beyond = (words < number.minimum_word) | (words > number.maximum_word)
    needed, unused = _needed(number, words, most)
    return QuantizerAudit(
        name=name,
        role=role,
        number=number,
        low=float(values.min()),
        high=float(values.max()),
        beyond=float(beyond.mean()),
        vanishes=vanishes,
        needed=needed,
        unused_fraction_bits=unused,
        wraps=wraps,
    )


def _in_steps(name: str, number: FixedPoint, values: Array) -> Array:
    """Return values in units of a format's step."""
    wrong = np.count_nonzero(~np.isfinite(values))
    if wrong or not values.size:
        raise InputError(f"{name}: {wrong:,} of the {values.size:,} values that arrive are not finite; clean the data")
    with np.errstate(over="ignore"):
        return np.clip(values / number.step, -_FAR, _FAR)


def _needed(number: FixedPoint, words: Array, most: int) -> tuple[FixedPoint | None, int]:
    """Return the smallest format that holds all words, if there is one, and how many lower bits none of them needs."""
    if not words.any():
        return None, 0
    low, high = int(words.min()), int(words.max())
    signed, narrow, fraction = number.signed or low < 0, number.narrow, _fraction(number)
    bits = max(_width(low, high, signed=signed, narrow=narrow), fraction - WIDEST)  # integer bits have a lower end
    unused = min(_trailing_zeros(words), bits - _LEAST_WIDTH, fraction)
    if bits - fraction > most:
        return None, unused
    return FixedPoint(min(bits - unused, most), bits - fraction, signed=signed, narrow=narrow), unused


def _width(low: int, high: int, *, signed: bool, narrow: bool) -> int:
    """Return the bits that words from `low` to `high` need."""
    if not signed:
        return max(high.bit_length(), _LEAST_WIDTH)
    lowest = low if narrow else low + 1  # two's complement reaches one further below than above
    return max(max(-lowest, high).bit_length() + 1, _LEAST_WIDTH)


def _trailing_zeros(words: Array) -> int:
    """Return how many low bits are zero in every word, at least one of which is not zero."""
    mantissas, exponents = np.frexp(words[words != 0])
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    return int((lowest + exponents - 53).min())


def _fraction(number: FixedPoint) -> int:
    return number.width - number.integer


def _reach(number: FixedPoint) -> int:
    """Return the power of two up to which a format reaches."""
    return number.integer - number.signed


def _role(graph: onnx.GraphProto, node: onnx.NodeProto) -> Role:
    """Return what a quantizer quantizes, by its place in the graph."""
    if node.input[0] == graph.input[0].name:
        return "input"
    if node.output[0] == graph.output[0].name:
        return "output"
    if node.input[0] in {tensor.name for tensor in graph.initializer}:
        reader = next(other for other in graph.node if node.output[0] in other.input)
        return "weight" if reader.op_type == "MatMul" else "bias"
    return "activation"


_COLUMNS = ("quantizer", "format", "lowest", "highest", "out of range", "unused integer", "fraction bits", "would do")


def audit_table(audits: Sequence[QuantizerAudit]) -> Table:
    """Return the table, a row for each quantizer; those that overflow too often are marked with an exclamation mark."""
    table = Table(title="Quantizers: what arrives, and the format that would do")
    for column in _COLUMNS:
        is_text = column in ("quantizer", "format", "would do")
        table.add_column(column, justify="left" if is_text else "right", no_wrap=is_text)
    for audit in audits:
        table.add_row(*_cells(audit), style="bold red" if audit.overflows else None)
    return table


def saturation_warnings(audits: Sequence[QuantizerAudit]) -> tuple[str, ...]:
    """Return a line for each quantizer of a quantized network that saturates too often, or leaves nothing."""
    return tuple(line for audit in audits if (line := _warning(audit)))


def trained_saturation(audits: Sequence[QuantizerAudit]) -> str:
    """Return a line on the quantizers that saturate as they did in the training; nothing if none does."""
    found = [audit for audit in audits if audit.trained and audit.beyond > TOLERATED_SATURATION]
    if not found:
        return ""
    names, most = ", ".join(audit.name for audit in found), max(audit.beyond for audit in found)
    return f"{names}: up to {most:.2%} of the values saturate, as they did in the training, which learned with it"


def _warning(audit: QuantizerAudit) -> str:
    number = audit.number
    if audit.overflows and audit.lacks_sign:
        return (
            f"{audit.name}: negative values arrive (to {audit.low:.4g}); no unsigned format holds them, {audit.needed} "
            f"would ({audit.beyond:.2%} of all values saturate at {number})"
        )
    if audit.overflows:
        would = f"no format of {MAXIMUM_WIDTH} bits does" if audit.needed is None else f"{audit.needed} would"
        return (
            f"{audit.name}: {audit.beyond:.2%} of the values saturate at {number} (tolerated: "
            f"{TOLERATED_SATURATION:.1%}); {would} hold them all"
        )
    if audit.vanishes and audit.role != "bias":
        largest = max(-audit.low, audit.high)
        near = FixedPoint(number.width, max(math.frexp(largest)[1] + number.signed, -WIDEST), signed=number.signed)
        return (
            f"{audit.name}: every value becomes zero at {number}, whose step is {number.step:g}; the largest is "
            f"{largest:.3g}, which {near} would keep"
        )
    return ""


def _cells(audit: QuantizerAudit) -> tuple[str, ...]:
    return (
        audit.name,
        str(audit.number),
        f"{audit.low:.4g}",
        f"{audit.high:.4g}",
        f"{audit.beyond:.2%}{' !' if audit.overflows else ''}",
        str(audit.unused_integer_bits),
        str(audit.unused_fraction_bits),
        audit.verdict,
    )
