"""Audit: what the quantizers of a network make of the values that arrive, and which formats would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from rich.table import Table

from nanotrigger.graph.graph import Graph
from nanotrigger.graph.onnx_file import node_format
from nanotrigger.numbers import FixedPoint

Array = NDArray[np.float64]
Role = Literal["input", "weight", "bias", "activation", "output"]

TOLERATED_SATURATION = 1e-3  # a greater share of saturated values deserves a warning


@dataclass(frozen=True)
class QuantizerAudit:
    """What a quantizer makes of the values that arrive.

    Attributes:
        name: of the quantizer.
        role: of the tensor that it quantizes.
        number: its format.
        low, high: smallest and largest value that arrives, before rounding.
        saturated: share of values that round to a word beyond the format, 0 to 1.
        needed: smallest format of the same signedness that holds every rounded value; None if all are zero.
    """

    name: str
    role: Role
    number: FixedPoint
    low: float
    high: float
    saturated: float
    needed: FixedPoint | None

    @property
    def unused_integer_bits(self) -> int:
        """Upper bits that no value needs; negative if the format lacks some."""
        return self.number.width if self.needed is None else self.number.integer - self.needed.integer

    @property
    def unused_fraction_bits(self) -> int:
        """Lower bits that are zero in every value."""
        return 0 if self.needed is None else _fraction(self.number) - _fraction(self.needed)

    @property
    def saturates(self) -> bool:
        """Whether more values saturate than can be tolerated."""
        return self.saturated > TOLERATED_SATURATION


def audit(model: onnx.ModelProto, graph: Graph, features: Array) -> tuple[QuantizerAudit, ...]:
    """Audit every quantizer of a QONNX network, in the order of its nodes.

    Args:
        model: quantized network.
        graph: its integer graph.
        features: events, shape (samples, inputs), at least one.
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
        if node.op_type == "Quant"
    )


def audit_quantizer(name: str, role: Role, number: FixedPoint, values: Array) -> QuantizerAudit:
    """Compare a format with values, at least one, of any shape.

    >>> found = audit_quantizer("input", "input", FixedPoint(8, 4), np.array([-1.5, 0.5, 9.0, 0.0]))
    >>> found.saturated, str(found.needed), found.unused_integer_bits, found.unused_fraction_bits
    (0.25, 'fixed<6,5>', -1, 3)
    """
    words = np.rint(values / number.step)
    beyond = (words < number.minimum_word) | (words > number.maximum_word)
    return QuantizerAudit(
        name=name,
        role=role,
        number=number,
        low=float(values.min()),
        high=float(values.max()),
        saturated=float(beyond.mean()),
        needed=_needed(number, words),
    )


def _needed(number: FixedPoint, words: Array) -> FixedPoint | None:
    if not words.any():
        return None
    bits = _width(number, int(words.min()), int(words.max()))
    least = 2 if number.signed else 1  # one signed bit would be binary
    unused = min(_trailing_zeros(words), bits - least, _fraction(number))
    return FixedPoint(bits - unused, bits - _fraction(number), signed=number.signed, narrow=number.narrow)


def _width(number: FixedPoint, low: int, high: int) -> int:
    """Return the bits that words from `low` to `high` need; an unsigned format holds no negative ones anyway."""
    if not number.signed:
        return max(high.bit_length(), 1)
    lowest = low if number.narrow else low + 1  # two's complement reaches one further below than above
    return max(max(-lowest, high).bit_length() + 1, 2)


def _trailing_zeros(words: Array) -> int:
    """Return how many low bits are zero in every word, at least one of which is not zero."""
    combined = int(np.bitwise_or.reduce(np.abs(words).astype(np.int64).ravel()))
    return (combined & -combined).bit_length() - 1


def _fraction(number: FixedPoint) -> int:
    return number.width - number.integer


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


_COLUMNS = ("quantizer", "format", "lowest", "highest", "saturated", "unused integer", "fraction bits", "would do")


def audit_table(audits: Sequence[QuantizerAudit]) -> Table:
    """Return the table, a row for each quantizer; those that saturate too often are marked with an exclamation mark."""
    table = Table(title="Quantizers: what arrives, and the format that would do")
    for column in _COLUMNS:
        is_text = column in ("quantizer", "format", "would do")
        table.add_column(column, justify="left" if is_text else "right", no_wrap=is_text)
    for audit in audits:
        table.add_row(*_cells(audit), style="bold red" if audit.saturates else None)
    return table


def saturation_warnings(audits: Sequence[QuantizerAudit]) -> tuple[str, ...]:
    """Return a line for each quantizer that saturates too often."""
    return tuple(
        f"{audit.name}: {audit.saturated:.2%} of the values saturate at {audit.number} (tolerated: "
        f"{TOLERATED_SATURATION:.1%}); {audit.needed} would hold them all"
        for audit in audits
        if audit.saturates
    )


def _cells(audit: QuantizerAudit) -> tuple[str, ...]:
    return (
        audit.name,
        str(audit.number),
        f"{audit.low:.4g}",
        f"{audit.high:.4g}",
        f"{audit.saturated:.2%}{' !' if audit.saturates else ''}",
        str(audit.unused_integer_bits),
        str(audit.unused_fraction_bits),
        "all are zero" if audit.needed is None else str(audit.needed),
    )
