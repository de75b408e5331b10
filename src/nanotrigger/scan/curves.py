"""What the figures of studies show: their points as curves and trade-offs, never mixing sources of resources."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.report import NAMES
from nanotrigger.cost.sources import SOURCES
from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import ScanCurve, TradeoffPoints
from nanotrigger.evaluation.figures.scan_axis import Value, name_of
from nanotrigger.numbers import FixedPoint
from nanotrigger.scan.quality import chance_of, qualities, quality_of
from nanotrigger.scan.results import Axis, Study
from nanotrigger.scan.words import in_words

Row = Mapping[str, Any]

_UNKNOWN = "resources unknown"


def curves_along(keys: Sequence[str], studies: Sequence[Study]) -> list[ScanCurve]:
    """Return a curve for each study that scans these keys, each value of its other axes and each source of resources.

    Args:
        keys: of the axis, as the studies have them.
        studies: with names that differ.
    """
    names = names_of(studies)
    return [
        curve
        for study, name in zip(studies, names, strict=True)
        for axis in study.scanned
        if axis.keys == tuple(keys)
        for curve in _curves(study, axis, prefix=[name] if len(studies) > 1 else [])
    ]


def curves_by_width(studies: Sequence[Study]) -> list[ScanCurve]:
    """Return the curves over formats that differ in their widths, of whatever tensors; as `curves_along` does."""
    names = names_of(studies)
    return [
        curve
        for study, name in zip(studies, names, strict=True)
        for axis in study.scanned
        if are_widths(axis)
        for curve in _curves(study, axis, prefix=[name])
    ]


def are_widths(axis: Axis) -> bool:
    """Whether the values of an axis are formats, each of another width."""
    formats = [value for value in map(drawable, axis.values) if isinstance(value, FixedPoint)]
    return len(axis.values) == len(formats) == len({number.width for number in formats})


def names_of(studies: Sequence[Study]) -> list[str]:
    """Return what figures call studies: their descriptions, or their names if two have the same one, or one has none.

    A description is a line of the study's file.
    """
    told = [study.description for study in studies]
    return told if all(told) and len(set(told)) == len(told) else [study.name for study in studies]


def available_to(studies: Sequence[Study]) -> dict[str, int] | None:
    """Return what the device of all points has, resource → count; None if it is not known or they have several."""
    parts = {row.get("fpga_part") for study in studies for row in study.complete}
    device = resources_of(str(parts.pop())) if len(parts) == 1 else None
    return None if device is None else {name: count for name, count in asdict(device).items() if count}


def tradeoff_points(studies: Sequence[Study]) -> list[TradeoffPoints]:
    """Return the points whose costs are known, a group for each study and source of resources."""
    groups = []
    for study, name in zip(studies, names_of(studies), strict=True):
        for source, rows in _by_source([row for row in study.complete if row.get("aluts") or row.get("ffs")]).items():
            quality = quality_of(rows[0])
            groups.append(
                TradeoffPoints(
                    label=name if len(sources_of([study])) == 1 else f"{name}, {source}",
                    quality=_numbers(rows, quality),
                    measure=qualities()[quality],
                    costs={unit: _numbers(rows, unit) for unit in ("aluts", "ffs")},
                    source=source,
                    interval=_interval(rows, quality),
                    names=[_point_name(study, row) for row in rows],
                )
            )
    return groups


def sources_of(studies: Sequence[Study]) -> tuple[str, ...]:
    """Return where the resources of complete points come from, as titles."""
    titles = [_title(row) for study in studies for row in study.complete]
    return tuple(dict.fromkeys(title for title in titles if title))


def notes_of(studies: Sequence[Study]) -> list[str]:
    """Return the notes above a figure of these studies: what was trained, how many points, and who counted."""
    data = {study.data for study in studies}
    notes = []
    for study in studies:
        parts = [study.description, _progress(study), study.data if len(data) > 1 else ""]
        notes.append(f"{study.name}: {'; '.join(part for part in parts if part)}")
    resources = f"Resources: {', '.join(sources_of(studies)) or 'unknown'}"
    return [*notes, *(data - {""} if len(data) == 1 else ()), resources]


def drawable(value: Any) -> Value:
    """Return a value of the configuration as figures take it: a number, a format or a word.

    >>> drawable({"width": 4, "integer": 2})
    FixedPoint(width=4, integer=2, signed=True, narrow=False)
    >>> drawable("fixed<4,2>"), drawable([32, 32]), drawable(0.5), drawable(None), drawable(True)
    (FixedPoint(width=4, integer=2, signed=True, narrow=False), '32-32', 0.5, 'none', 'true')
    """
    with suppress(InputError):
        return FixedPoint.parse(str(value))
    if isinstance(value, Mapping) and {"width", "integer"} <= set(value) <= {"width", "integer", "signed", "narrow"}:
        return FixedPoint(**value)
    if isinstance(value, list) and all(isinstance(part, int) for part in value):
        return "-".join(map(str, value)) or "none"
    if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return "none" if value is None else json.dumps(value)


def _curves(study: Study, axis: Axis, *, prefix: Sequence[str]) -> list[ScanCurve]:
    others = [other for other in study.scanned if other != axis]
    several = len(sources_of([study])) > 1
    rows = [row for value in axis.values for row in study.complete if axis.value_at(row) == value]  # in their order
    groups: dict[tuple[str, ...], list[Row]] = {}
    for source, members in _by_source(rows).items():
        for row in members:
            names = [f"{in_words(other.keys)} {name_of(drawable(other.value_at(row)))}" for other in others]
            groups.setdefault((*prefix, *names, *([source] if several else [])), []).append(row)
    return [_curve(", ".join(names) or names_of([study])[0], axis, members) for names, members in groups.items()]


def _curve(label: str, axis: Axis, rows: Sequence[Row]) -> ScanCurve:
    quality = quality_of(rows[0])
    return ScanCurve(
        label=label,
        values=[drawable(axis.value_at(row)) for row in rows],
        quantities={"quality": _numbers(rows, quality), **{name: _numbers(rows, name) for name in NAMES}},
        measure=qualities()[quality],
        interval=_interval(rows, quality),
        chance=chance_of(rows[0]),
    )


def _interval(rows: Sequence[Row], quality: str) -> NDArray[np.float64]:
    return np.stack([_numbers(rows, f"{quality}_{end}") for end in ("low", "high")], axis=1)


def _point_name(study: Study, row: Row) -> str:
    """Return a point's values on the axes of its study, or its number if a search chose them."""
    if not study.scanned:
        return f"point {row['point']}"
    values = [(in_words(axis.keys), drawable(axis.value_at(row))) for axis in study.scanned]
    return ", ".join(name_of(v) if isinstance(v, FixedPoint) else f"{key} {name_of(v)}" for key, v in values)


def _by_source(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows by the source of their resources; rows without resources join the only source there is."""
    titles = [_title(row) for row in rows]
    known = list(dict.fromkeys(title for title in titles if title))
    unknown = known[0] if len(known) == 1 else _UNKNOWN
    groups: dict[str, list[Row]] = {}
    for title, row in zip(titles, rows, strict=True):
        groups.setdefault(title or unknown, []).append(row)
    return groups


def _progress(study: Study) -> str:
    failed = len(study.rows) - len(study.complete)
    finished = f"{len(study.rows)} of {study.points}" if len(study.rows) < study.points else f"{study.points}"
    return f"{finished} points" + (f", {failed} failed" if failed else "")


def _title(row: Row) -> str:
    source = row.get("resource_source") or ""
    return next((known.title for known in SOURCES if known.name == source), source)


def _numbers(rows: Sequence[Row], name: str) -> NDArray[np.float64]:
    return np.array([row.get(name) for row in rows], np.float64)  # None becomes NaN
