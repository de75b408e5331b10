"""The compiler's early estimate of resources: summary.ndjson."""

import math
from dataclasses import dataclass
from pathlib import Path

from nanotrigger.cost.report import ResourceRow, Resources
from nanotrigger.cost.sources.oneapi.records import Record, count, number, read_records
from nanotrigger.errors import InputError

_SECTION = "estimatedResources"
_COLUMNS = {"ALUTs": "aluts", "FFs": "ffs", "RAMs": "rams", "DSPs": "dsps", "MLABs": "mlabs"}
_FRACTIONAL_DSPS = "Frac. DSPs"
_SUMS = ("Kernel Subtotal", "Total", "Available")
_SYSTEM_CLASS = "summary-highlight"  # marks what is not a kernel, such as "Pipe resources"


@dataclass(frozen=True)
class Estimate:
    """What the compiler expects.

    Attributes:
        used: kernels, pipes and all else.
        available: on the device; None if the report does not say.
        rows: kernels, and parts of the system around them.
    """

    used: Resources
    available: Resources | None
    rows: tuple[ResourceRow, ...]


def read_estimate(path: Path) -> Estimate:
    """Read the estimate in a summary.ndjson; columns go by their name, in any order.

    Multipliers that share a DSP block are counted apart, as "Frac. DSPs"; `dsp_packing_factor` of them fill a block.

    Raises:
        InputError: the file is damaged, not complete, or something else.
    """
    records = read_records(path)
    header = next((record for record in records if record.get("summary_type") == _SECTION), None)
    if header is None:
        raise InputError(f"{path} has no section {_SECTION}; it is not the summary of a oneAPI report")
    columns = _columns(header, path)
    packing = number(header.get("dsp_packing_factor"))
    parts = [record for record in records if record.get("parent") == _SECTION]
    counts = [(part, _counts(part, columns, packing, path)) for part in parts]
    sums = {part.get("name"): Resources(**values) for part, values in counts if part.get("name") in _SUMS}
    if "Total" not in sums:
        raise InputError(f"{path} has no Total in {_SECTION}; the report is not complete, build it again")
    rows = tuple(
        ResourceRow(name=str(part.get("name")), kind=_kind(part), **values)
        for part, values in counts
        if part.get("name") not in _SUMS
    )
    return Estimate(sums["Total"], sums.get("Available"), rows)


def _columns(header: Record, path: Path) -> list[str]:
    """Return the names of the values in each row; the first column labels the row."""
    columns = header.get("columns")
    names = [str(column).strip() for column in columns[1:]] if isinstance(columns, list) else []
    if not set(names) & set(_COLUMNS):
        raise InputError(f"{path}: {_SECTION} has none of the columns {', '.join(_COLUMNS)}; this form is not known")
    return names


def _counts(part: Record, columns: list[str], packing: float | None, path: Path) -> dict[str, int | None]:
    data = part.get("data")
    if not isinstance(data, list) or len(data) != len(columns):
        raise InputError(
            f"{path}: row {part.get('name')!r} does not fit {len(columns)} columns; build the report again"
        )
    cells = dict(zip(columns, data, strict=True))
    counts = {name: count(cells.get(column)) for column, name in _COLUMNS.items()}
    counts["dsps"] = _whole_dsps(counts["dsps"], number(cells.get(_FRACTIONAL_DSPS, 0)), packing)
    return counts


def _whole_dsps(whole: int | None, fractional: float | None, packing: float | None) -> int | None:
    """Return the blocks in all; None if the report does not say how many fractions fill one.

    >>> _whole_dsps(0, 80, 2), _whole_dsps(3, 5, 2), _whole_dsps(7, 0, None), _whole_dsps(7, 1, None)
    (40, 6, 7, None)
    """
    if whole is None or fractional == 0:
        return whole
    if fractional is None or not packing:
        return None
    return whole + math.ceil(fractional / packing)


def _kind(part: Record) -> str:
    return "system" if _SYSTEM_CLASS in part.get("classes", ()) else "kernel"
