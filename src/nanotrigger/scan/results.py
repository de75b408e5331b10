"""The files of a study: study.json, what it varies, and results.csv, one row a point."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.files import write_text
from nanotrigger.scan.quality import is_result, qualities

STUDY = "study.json"
RESULTS = "results.csv"
SEED = "seed"

_NUMBERS = {
    *("sparsity", "sparsity_integers"),
    *("aluts", "ffs", "rams", "dsps", "mlabs", "contest_figure", "latency_cycles"),
    *("differing_words", "words", "seconds_training", "seconds_export"),
}


@dataclass(frozen=True)
class Axis:
    """What a study varies.

    Attributes:
        keys: of the configuration; all take the same value.
        values: that they take, in this order; none if a search chose them between bounds.
    """

    keys: tuple[str, ...]
    values: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """The keys, a common beginning once.

        >>> Axis(("network.weight", "network.bias")).name
        'network.weight, bias'
        >>> Axis(("network.weight", "pruning.sparsity")).name
        'network.weight, pruning.sparsity'
        """
        parents = {key.rpartition(".")[0] for key in self.keys}
        others = [key.rpartition(".")[2] if len(parents) == 1 else key for key in self.keys[1:]]
        return ", ".join([self.keys[0], *others])

    def value_at(self, row: Mapping[str, Any]) -> Any:
        """Return the value that a point of the study has on this axis."""
        return row[self.keys[0]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """A study read back.

    Attributes:
        folder: that holds it.
        name: of the study.
        description: of what was trained, a line.
        data: on which events.
        axes: what varies, the seed included.
        settings: keys that are the same at every point, with their values.
        points: number of points that were planned.
        rows: the points so far, column → value: numbers and what the axes vary as they are, other columns as text;
            None where the cell is empty.
    """

    folder: Path
    name: str
    description: str
    data: str
    axes: tuple[Axis, ...]
    settings: Mapping[str, Any]
    points: int
    rows: tuple[Mapping[str, Any], ...]

    @property
    def complete(self) -> tuple[Mapping[str, Any], ...]:
        """The points that did not fail."""
        return tuple(row for row in self.rows if row["state"] == "complete")

    @property
    def scanned(self) -> tuple[Axis, ...]:
        """The axes along which the study has a curve: not the seed, and none of a search."""
        if not all(axis.values for axis in self.axes):
            return ()
        return tuple(axis for axis in self.axes if SEED not in axis.keys and len(axis.values) > 1)


def write_results(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write the points of a study as CSV, whole or not at all.

    Dictionaries and lists become JSON text; None and NaN become empty, as what a row does not have.

    Args:
        rows: column → value, one for each point; the columns are written in the order of first appearance.
        path: results.csv in the folder of the study.
    """
    cells = [{name: _to_cell(value) for name, value in row.items()} for row in rows]
    text = io.StringIO()
    columns = dict.fromkeys(name for row in cells for name in row)
    writer = csv.DictWriter(text, fieldnames=list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    write_text(path, text.getvalue())


def read_study(folder: Path) -> Study:
    """Read study.json and results.csv in a folder.

    Raises:
        InputError: one of them is missing or damaged.
    """
    plan = _read_plan(folder)
    axes = tuple(Axis(tuple(axis["keys"]), tuple(axis.get("values", ()))) for axis in plan["axes"])
    rows = _read_rows(folder / RESULTS, axes)
    return Study(
        folder=folder,
        name=plan["name"],
        description=plan.get("description", ""),
        data=plan.get("data", ""),
        axes=axes,
        settings=plan.get("settings", {}),
        points=plan.get("points", len(rows)),
        rows=rows,
    )


def _to_cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _read_plan(folder: Path) -> dict[str, Any]:
    path = folder / STUDY
    text = _read_text(path)
    try:
        plan = json.loads(text)
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}; run the scan again") from error
    axes = plan.get("axes") if isinstance(plan, dict) and isinstance(plan.get("name"), str) else None
    if not isinstance(axes, list) or not all(map(_is_axis, axes)):
        raise InputError(f"{path} describes no study: name, or axes with their keys, are missing; run the scan again")
    return plan


def _is_axis(axis: Any) -> bool:
    keys = axis.get("keys") if isinstance(axis, dict) else None
    return isinstance(keys, list) and bool(keys) and all(isinstance(key, str) for key in keys)


def _read_rows(path: Path, axes: tuple[Axis, ...]) -> tuple[dict[str, Any], ...]:
    reader = csv.DictReader(io.StringIO(_read_text(path), newline=""), strict=True)
    try:
        lines = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}; run the scan again") from error
    if not lines:
        raise InputError(f"{path} has no points; wait for the first one, or run the scan again")
    columns = reader.fieldnames or ()
    needed = dict.fromkeys(["state", *(key for axis in axes for key in axis.keys)])
    missing = [name for name in needed if name not in columns]
    if not any(quality in columns for quality in qualities()):
        missing.append(" or ".join(qualities()))
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; run the scan again")
    return tuple(_read_row(row, axes, place=f"{path}, line {line}") for line, row in lines)


def _read_row(cells: dict[str, str], axes: tuple[Axis, ...], *, place: str) -> dict[str, Any]:
    if None in cells or None in cells.values():  # how csv marks a line that is too long or too short
        raise InputError(f"{place} does not have as many cells as the first line; run the scan again")
    row: dict[str, Any] = {name: cell or None for name, cell in cells.items()}
    for name, cell in cells.items():
        if cell and (name in _NUMBERS or is_result(name)):
            row[name] = _number(cell, place=f"{place}, {name}")
    for axis in axes:
        for key in axis.keys:
            row[key] = _value(cells[key], axis, place=f"{place}, {key}")
    return row


def _number(cell: str, *, place: str) -> float:
    try:
        return float(cell)
    except ValueError as error:
        raise InputError(f"{place} {cell!r}: not a number; run the scan again") from error


def _value(cell: str, axis: Axis, *, place: str) -> Any:
    """Return the value of the axis that was written as `cell`."""
    try:
        parsed = json.loads(cell)
    except ValueError:
        parsed = cell or None
    if not axis.values:
        return parsed
    for value in axis.values:
        if cell == _to_cell(value) or parsed == value:
            return value
    raise InputError(f"{place} {cell!r}: none of the values in {STUDY}; run the scan again")


def _read_text(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path.parent} has no {path.name}; name the folder of a scan that has run")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is damaged: {error}; run the scan again") from error
