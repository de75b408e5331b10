"""Resource reports on disk: resources.json, the best source first."""

import json
from collections.abc import Iterable
from pathlib import Path

from nanotrigger.cost.report import ResourceReport, best_first
from nanotrigger.errors import InputError
from nanotrigger.files import write_json

FILE = "resources.json"


def write_reports(reports: Iterable[ResourceReport], folder: Path) -> None:
    """Write the reports into a folder, whole or not at all."""
    write_json(folder / FILE, {"reports": [report.to_json() for report in best_first(reports)]})


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
        return tuple(ResourceReport.from_json(record) for record in records)
    except (KeyError, TypeError, ValueError) as error:  # InputError among them
        raise InputError(f"{path} is damaged: {error}; export again") from error
