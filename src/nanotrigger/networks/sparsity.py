"""Sparsity: how many weights of a network are zero, as trained and as the firmware has them."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from nanotrigger.networks.weights import LayerWeights

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
    integers = None if layer.number is None else layer.zeros
    return {"weights": layer.floats.size, "zeros": layer.float_zeros, "integer_zeros": integers}


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    cells = [f"{row['weights']:,}"]
    for count in (row["zeros"], row["integer_zeros"]):
        cells += ["", ""] if count is None else [f"{count:,}", f"{count / row['weights']:.1%}"]
    return tuple(cells)
