"""What the report files of oneAPI count: the compiler's early estimate, and what Quartus fitted."""

import math
from dataclasses import dataclass
from pathlib import Path

from nanotrigger.cost.report import NAMES, ResourceRow, Resources
from nanotrigger.cost.sources.oneapi.records import Record, count, number, read_records
from nanotrigger.errors import InputError

_ESTIMATE = "estimatedResources"
# Names of columns and fields as the files spell them.
_COLUMNS = {"ALUTs": "aluts", "FFs": "ffs", "RAMs": "rams", "DSPs": "dsps", "MLABs": "mlabs"}
_FRACTIONAL_DSPS = "Frac. DSPs"
_SUMS = ("Kernel Subtotal", "Total", "Available")
_SYSTEM_CLASS = "summary-highlight"  # marks what is not a kernel, such as "Pipe resources"

_FIT = "quartusFitResourceUsageSummary"
_CLOCKS = "quartusFitClockSummary"
_FIT_FIELDS = {"alut": "aluts", "reg": "ffs", "ram": "rams", "dsp": "dsps", "mlab": "mlabs"}
_KERNEL_SYSTEM = "Kernel System"  # where a board has logic of its own, the row without it


@dataclass(frozen=True)
class Estimate:
    """What the compiler expects.

    Attributes:
        used: kernels, pipes and all else.
        available: on the device; None if the report does not say.
        rows: kernels, and the system around them.
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
    header = next((record for record in records if record.get("summary_type") == _ESTIMATE), None)
    if header is None:
        raise InputError(f"{path} has no section {_ESTIMATE}; it is not the summary of a oneAPI report")
    columns = _columns(header, path)
    packing = number(header.get("dsp_packing_factor"))
    lines = [record for record in records if record.get("parent") == _ESTIMATE]
    counts = [(line, _counts(line, columns, packing, path)) for line in lines]
    sums = {line.get("name"): Resources(**values) for line, values in counts if line.get("name") in _SUMS}
    if "Total" not in sums:
        raise InputError(f"{path} has no Total in {_ESTIMATE}; the report is not complete, build it again")
    rows = tuple(
        ResourceRow(name=str(line.get("name")), kind=_kind(line), **values)
        for line, values in counts
        if line.get("name") not in _SUMS
    )
    return Estimate(sums["Total"], sums.get("Available"), rows)


def _columns(header: Record, path: Path) -> list[str]:
    """Return the names of the values in each row; the first column labels the row."""
    columns = header.get("columns")
    names = [str(column).strip() for column in columns[1:]] if isinstance(columns, list) else []
    if not set(names) & set(_COLUMNS):
        raise InputError(f"{path}: {_ESTIMATE} has none of the columns {', '.join(_COLUMNS)}; this form is not known")
    return names


def _counts(line: Record, columns: list[str], packing: float | None, path: Path) -> dict[str, int | None]:
    data = line.get("data")
    if not isinstance(data, list) or len(data) != len(columns):
        raise InputError(
            f"{path}: row {line.get('name')!r} does not fit {len(columns)} columns; build the report again"
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


def _kind(line: Record) -> str:
    return "system" if _SYSTEM_CLASS in line.get("classes", ()) else "kernel"


@dataclass(frozen=True)
class Fit:
    """What place and route gave.

    Attributes:
        used: the kernels' system.
        clock: frequency that it reaches, in MHz; None if unknown.
        rows: kernels.
    """

    used: Resources
    clock: float | None
    rows: tuple[ResourceRow, ...]


def read_fit(path: Path) -> Fit | None:
    """Read the fit in a quartus.ndjson; None if Quartus has not run, and all is "TBD".

    Raises:
        InputError: the file is damaged.
    """
    report = {key: value for record in read_records(path) for key, value in record.items()}
    nodes = _nodes(report, _FIT, path)
    system = _system(nodes)
    used = Resources(**_fit_counts(system))
    if all(getattr(used, name) is None for name in NAMES):
        return None
    kernels = [node for node in nodes if node.get("type") == "kernel" and node is not system]
    rows = tuple(ResourceRow(name=str(node.get("name")), kind="kernel", **_fit_counts(node)) for node in kernels)
    return Fit(used, _fit_clock(_nodes(report, _CLOCKS, path)), rows)


def _nodes(report: Record, section: str, path: Path) -> list[Record]:
    content = report.get(section, {"nodes": []})
    nodes = content.get("nodes") if isinstance(content, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise InputError(f"{path}: {section} is damaged; build the report again")
    return nodes


def _system(nodes: list[Record]) -> Record:
    """Return the row of all kernels together."""
    systems = [node for node in nodes if node.get("type") == "system"] or nodes
    named = [node for node in systems if _KERNEL_SYSTEM in str(node.get("name"))]
    return next(iter(named or systems), {})


def _fit_counts(node: Record) -> dict[str, int | None]:
    return {name: count(node.get(field)) for field, name in _FIT_FIELDS.items()}


def _fit_clock(nodes: list[Record]) -> float | None:
    node = next(iter(nodes), {})
    frequency = number(node.get("clock fmax"))
    return number(node.get("clock")) if frequency is None else frequency
