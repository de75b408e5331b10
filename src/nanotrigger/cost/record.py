"""Resource reports on disk: resources.json, the best source first."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nanotrigger.cost.report import ResourceReport, ResourceRow, Resources
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
            "assumptions": tuple(record["assumptions"]),
            "rows": tuple(ResourceRow(**row) for row in record["rows"]),
        }
        return ResourceReport(**{**record, **values})
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"no resource report: {type(error).__name__}: {error}") from error
