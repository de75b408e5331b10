"""Resource reports on disk, the best source first, and as tables for the terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from nanotrigger.cost.contest import CONTEST_LABEL, contest_figure
from nanotrigger.cost.devices import LABELS, labels_of
from nanotrigger.cost.report import NAMES, SCOPES, ResourceReport, ResourceRow, Resources
from nanotrigger.cost.sources import best_first, source_named
from nanotrigger.errors import InputError
from nanotrigger.files import write_json

FILE = "resources.json"


def write_reports(reports: Iterable[ResourceReport], folder: Path) -> None:
    """Write the reports into a folder, whole or not at all."""
    write_json(folder / FILE, {"reports": [report.to_json() for report in best_first(reports)]})


def add_reports(reports: Iterable[ResourceReport], folder: Path) -> None:
    """Add reports to those in a folder, whole or not at all.

    Raises:
        InputError: there is no resources.json, or it is damaged.
    """
    write_reports((*read_reports(folder), *reports), folder)


def read_reports(folder: Path) -> tuple[ResourceReport, ...]:
    """Read the reports in a folder, the headline first.

    Raises:
        InputError: there are none, or the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"{folder} has no {FILE}; export the network first")
    try:
        records = json.loads(path.read_text(encoding="utf-8"))["reports"]
        return tuple(report_from_json(record) for record in records)
    except (KeyError, TypeError, ValueError) as error:  # InputError among them
        raise InputError(f"{path} is damaged: {error}; export again") from error


def report_from_json(record: dict[str, Any]) -> ResourceReport:
    """Return the report of which `ResourceReport.to_json` made `record`.

    Raises:
        InputError: it is something else, or its source is not known.
    """
    try:
        available = record["available"]
        values = {
            "source": source_named(record["source"]).name,
            "used": Resources(**record["used"]),
            "available": None if available is None else Resources(**available),
            "error": dict(record.get("error", {})),
            "assumptions": tuple(record["assumptions"]),
            "rows": tuple(ResourceRow(**row) for row in record["rows"]),
        }
        return ResourceReport(**{**record, **values})
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"no resource report: {type(error).__name__}: {error}") from error


_WIDTH = 80
_INDENT = 12
_NAME, _KIND = 22, 16  # columns of a row's name and kind


def format_report(report: ResourceReport) -> str:
    """Return the device table, the contest's figure, and what a reader must know of the numbers."""
    labels = labels_of(report.device)
    width = 19 if report.error else 12  # "127,001 ± 14 %"
    lines = [
        _device_line("", "available", "used", "percentage", width),
        *(_device_line(labels[name], *_device_cells(report, name), width) for name in NAMES),
        _device_line(CONTEST_LABEL, "", "", _percent(contest_figure(report)), width),
        "",
        _labelled("source", report.source + (f" ({report.tool_version})" if report.tool_version else "")),
        _labelled("device", report.device),
        _labelled("scope", f"{report.scope}: {SCOPES[report.scope]}"),
        _labelled("timing", _timing(report)),
        *(_labelled("note", assumption) for assumption in report.assumptions),
    ]
    return "\n".join(lines)


def format_rows(rows: Sequence[ResourceRow], labels: Mapping[str, str] = LABELS) -> str:
    """Return the table of a report's rows, a line each; names that are too long lose their end."""
    lines = [_row_line("part", "kind", [labels[name] for name in NAMES])]
    lines += [_row_line(row.name, row.kind, [_count(getattr(row, name)) for name in NAMES]) for row in rows]
    return "\n".join(lines)


def _device_line(label: str, available: str, used: str, percentage: str, width: int) -> str:
    return f"{label:<14}{available:>12}{used:>{width}}{percentage:>14}".rstrip()


def _device_cells(report: ResourceReport, name: str) -> tuple[str, str, str]:
    available = getattr(report.available, name, None)
    used = _count(getattr(report.used, name)) + with_error(report, name)
    return _count(available), used, _percent(report.share(name))


def with_error(report: ResourceReport, name: str) -> str:
    """Return the error of a figure as it stands behind it; nothing if none is known.

    >>> from nanotrigger.cost.report import Resources
    >>> with_error(ResourceReport(source="structural count", tool_version=None, device="Agilex7", scope="whole IP",
    ...     used=Resources(), error={"aluts": 0.08}), "aluts")
    ' ± 8 %'
    """
    return f" ± {100 * report.error[name]:.0f} %" if name in report.error else ""


def _row_line(name: str, kind: str, counts: list[str]) -> str:
    widths = (9, 9, 7, 7, 7)
    cells = "".join(f"{text:>{width}}" for text, width in zip(counts, widths, strict=True))
    return f"{_cut(name, _NAME):<{_NAME}} {_cut(kind, _KIND):<{_KIND}}"[: _WIDTH - sum(widths)] + cells


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.3f} %"


def _timing(report: ResourceReport) -> str:
    """Return latency, initiation interval and clock in words.

    >>> from nanotrigger.cost.report import Resources
    >>> _timing(ResourceReport(source="structural count", tool_version=None, device="Agilex7", scope="whole IP",
    ...     used=Resources(), latency_cycles=4, initiation_interval=1, clock=200.0))
    'latency 4 cycles (20 ns), initiation interval 1, clock 200 MHz'
    """
    latency = "unknown" if report.latency_cycles is None else f"{report.latency_cycles:,} cycles"
    latency += with_error(report, "latency_cycles")
    nanoseconds = "" if report.latency is None else f" ({report.latency:.4g} ns)"
    interval = "unknown" if report.initiation_interval is None else str(report.initiation_interval)
    clock = "unknown" if report.clock is None else f"{report.clock:.5g} MHz"
    return f"latency {latency}{nanoseconds}, initiation interval {interval}, clock {clock}"


def _labelled(label: str, text: str) -> str:
    return fill(text, _WIDTH, initial_indent=f"{label:<{_INDENT}}", subsequent_indent=" " * _INDENT)
