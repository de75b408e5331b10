"""Record of an export of which the vendor's compiler made a report, to compare the structural count with."""

import json
import re
import shutil
from pathlib import Path

from nanotrigger.cost.report import NAMES
from nanotrigger.cost.sources.oneapi.project import EARLY_ESTIMATE, read_project
from nanotrigger.cost.sources.source import refusal
from nanotrigger.errors import InputError
from nanotrigger.files import write_json
from nanotrigger.firmware.target import Target


def write_vendor_record(export: Path, output: Path, *, name: str | None = None) -> Path:
    """Write NAME.json and NAME.onnx: a network, how its firmware was built, and the compiler's early estimate of it.

    Args:
        export: folder of an export whose report was built in the project within it.
        output: folder of the records, which must exist.
        name: of the record; by default that of the run in whose folder the export lies.

    Returns:
        the file with the figures.

    Raises:
        InputError: the folder is no export, has no estimate, or is of a kind that is not counted; no such output; or
            there is a record of that name.
    """
    target = _target(export)
    reason = refusal(target)
    if reason is not None:
        raise InputError(f"{export} cannot be compared: {reason}")
    report = next((report for report in read_project(export) if report.source == EARLY_ESTIMATE), None)
    if report is None:
        raise InputError(f"{export} has no estimate of the compiler, only a fit; build its report with `make report`")
    if not output.is_dir():
        raise InputError(f"output={output}: no such folder; name the folder of the records")
    stem = re.sub(r"\W+", "_", name or f"{export.resolve().parent.name}_{export.name}")
    record = output / f"{stem}.json"
    if record.exists():
        raise InputError(f"{record} is there already; give name=OTHER")
    settings = {"softmax": target.softmax, "precision": target.precision}
    figures = {key: getattr(report.used, key) for key in NAMES} | {"latency_cycles": report.latency_cycles}
    content = {
        "name": name or stem,
        "source": f"oneAPI {report.tool_version or 'of unknown version'}, early estimate",
        "networks": [f"{stem}.onnx"],
        "target": {"clock_period": 1000 / report.clock if report.clock else target.clock_period, **settings},
        "figures": {key: value for key, value in figures.items() if value is not None},
    }
    shutil.copyfile(export / "model.onnx", output / f"{stem}.onnx")
    write_json(record, content)
    return record


def _target(export: Path) -> Target:
    """Return how an export was built, as its parity.json has it."""
    path = export / "parity.json"
    if not path.is_file() or not (export / "model.onnx").is_file():
        raise InputError(f"{export} is no export: it has no parity.json or no model.onnx")
    try:
        return Target(**json.loads(path.read_text(encoding="utf-8"))["target"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error}; export again") from error
