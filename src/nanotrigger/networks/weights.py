"""Weights of a network, layer by layer, as trained and as its firmware has them; and how many of them are zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from brevitas.nn.mixin import QuantWeightMixin
from numpy.typing import NDArray
from rich.table import Table
from torch import Tensor

from nanotrigger.networks.layers import WEIGHTED
from nanotrigger.networks.network import Network
from nanotrigger.numbers import FixedPoint


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """The weights of a layer.

    Attributes:
        name: of the layer.
        floats: as trained, shape (inputs, outputs).
        number: their format; None if they stay floats.
        own: quantized, shape (inputs, outputs), if the module of a user has a quantizer of its own there.
    """

    name: str
    floats: NDArray[np.float64]
    number: FixedPoint | None = None
    own: NDArray[np.float64] | None = None

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """What the firmware multiplies with, shape (inputs, outputs): quantized if there is a format."""
        if self.own is not None:
            return self.own
        return self.floats if self.number is None else self.number.quantize(self.floats)

    @property
    def float_zeros(self) -> int:
        """How many were zero before they were quantized: pruned ones."""
        return int(np.count_nonzero(self.floats == 0))

    @property
    def zeros(self) -> int:
        """How many are zero, and need no multiplier."""
        return int(np.count_nonzero(self.values == 0))

    @property
    def sparsity(self) -> float:
        """Share of zeros, 0 to 1."""
        return self.zeros / self.values.size

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(np.unique(self.values))

    @property
    def silent_outputs(self) -> int:
        """Outputs whose weights are all zero: constants."""
        return int(np.count_nonzero(~self.values.any(axis=0)))


def weighted_layers(network: Network) -> dict[str, Any]:
    """Return every linear layer and convolution by name, in the order in which the data flow."""
    return {name: layer for name, layer in network.layers.named_modules() if isinstance(layer, WEIGHTED)}


def layer_weights(network: Network) -> tuple[LayerWeights, ...]:
    """Return the weights of every linear layer and convolution, in the order in which the data flow."""
    formats = network.formats
    return tuple(
        LayerWeights(
            name,
            _matrix(layer.weight),
            formats.get(f"{name}.weight"),
            _matrix(layer.quant_weight().value) if network.is_own and _is_quantized(layer) else None,
        )
        for name, layer in weighted_layers(network).items()
    )


def _matrix(weights: Tensor) -> NDArray[np.float64]:
    """Return the weights of a layer, shape (inputs, outputs)."""
    matrix: NDArray[np.float64] = weights.detach().double().cpu().flatten(1).numpy().T
    return matrix


def _is_quantized(layer: Any) -> bool:
    """Whether the weights of a layer have a quantizer of Brevitas."""
    return isinstance(layer, QuantWeightMixin) and bool(layer.weight_quant.is_quant_enabled)


def weight_formats(layers: Sequence[LayerWeights]) -> dict[str, FixedPoint | None]:
    """Return the format of each layer's weights by its name, None for a quantizer of the layer's own; not of floats."""
    return {layer.name: layer.number for layer in layers if layer.number is not None or layer.own is not None}


def total_sparsity(layers: Sequence[LayerWeights]) -> float:
    """Return the share of zeros among all weights, 0 to 1."""
    return sum(layer.zeros for layer in layers) / sum(layer.values.size for layer in layers)


_KEYS = ("weights", "zeros", "integer_zeros")


def sparsity_summary(layers: Sequence[LayerWeights]) -> dict[str, Any]:
    """Return the number of weights and of zeros, of each layer and in total, ready for JSON.

    `zeros` are those of the weights as trained, which pruning has made; `integer_zeros` those of the words that are
    exported, None if a layer has no format.
    """
    rows = {layer.name: _counts(layer) for layer in layers}
    return {"layers": rows, "total": {key: _sum([row[key] for row in rows.values()]) for key in _KEYS}}


def sparsity_table(summary: dict[str, Any]) -> Table:
    """Return the summary as a table for the terminal, a row for each layer and one for the total."""
    table = Table(title="Weights that are zero")
    for column in ("layer", "weights", "as trained", "", "as integers", ""):
        table.add_column(column, justify="left" if column == "layer" else "right", no_wrap=True)
    for name, row in summary["layers"].items():
        table.add_row(name, *_cells(row))
    table.add_section()
    table.add_row("total", *_cells(summary["total"]))
    return table


def _counts(layer: LayerWeights) -> dict[str, int | None]:
    integers = None if layer.number is None and layer.own is None else layer.zeros
    return {"weights": layer.floats.size, "zeros": layer.float_zeros, "integer_zeros": integers}


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    cells = [f"{row['weights']:,}"]
    for count in (row["zeros"], row["integer_zeros"]):
        cells += ["", ""] if count is None else [f"{count:,}", f"{count / row['weights']:.1%}"]
    return tuple(cells)
