"""What Quartus fitted: quartus.ndjson."""

from dataclasses import dataclass
from pathlib import Path

from nanotrigger.cost.report import NAMES, ResourceRow, Resources
from nanotrigger.cost.sources.oneapi.records import Record, count, number, read_records
from nanotrigger.errors import InputError

_RESOURCES = "quartusFitResourceUsageSummary"
_CLOCKS = "quartusFitClockSummary"
_FIELDS = {"alut": "aluts", "reg": "ffs", "ram": "rams", "dsp": "dsps", "mlab": "mlabs"}
_KERNEL_SYSTEM = "Kernel System"  # where a board has logic of its own, the row without it


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
    nodes = _nodes(report, _RESOURCES, path)
    system = _system(nodes)
    used = Resources(**_counts(system))
    if all(getattr(used, name) is None for name in NAMES):
        return None
    kernels = [node for node in nodes if node.get("type") == "kernel" and node is not system]
    rows = tuple(ResourceRow(name=str(node.get("name")), kind="kernel", **_counts(node)) for node in kernels)
    return Fit(used, _clock(_nodes(report, _CLOCKS, path)), rows)


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


def _counts(node: Record) -> dict[str, int | None]:
    return {name: count(node.get(field)) for field, name in _FIELDS.items()}


def _clock(nodes: list[Record]) -> float | None:
    node = next(iter(nodes), {})
    frequency = number(node.get("clock fmax"))
    return number(node.get("clock")) if frequency is None else frequency
