"""Report files of oneAPI: lines of JSON, and what they say of the build and of its schedule."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ndjson

from nanotrigger.errors import InputError

_INFO = "info.ndjson"
_DEVICE = re.compile(r'^\s*set\(FPGA_DEVICE "?([^")\s]+)', re.MULTILINE)

Record = dict[str, Any]


def read_records(path: Path) -> list[Record]:
    """Return the objects of a file.

    Raises:
        InputError: an empty file, or a line that is no JSON object; says after how many good ones.
    """
    records: list[Record] = []
    with path.open(encoding="utf-8") as file:
        try:
            for record in ndjson.reader(file):
                records.append(dict(record.items()))
        except (ValueError, AttributeError) as error:  # no JSON, no UTF-8; no object
            raise InputError(
                f"{path}: no report or a damaged one, after {len(records)} good lines: {error}; build it again"
            ) from error
    if not records:
        raise InputError(f"{path} is empty; build the report again")
    return records


def number(value: Any) -> float | None:
    """Return the number in a cell of a report; None for "TBD", "n/a" and the like.

    >>> number("176.000000"), number("974,400"), number("~2"), number(5), number("TBD")
    (176.0, 974400.0, 2.0, 5.0, None)
    """
    if isinstance(value, bool):
        return None
    try:
        result = float(str(value).replace(",", "").removeprefix("~"))
    except ValueError:
        return None
    return result if math.isfinite(result) else None


def count(value: Any) -> int | None:
    """Return the number in a cell, rounded up to a whole one; None if it holds none.

    >>> count("4520.5"), count("TBD")
    (4521, None)
    """
    result = number(value)
    return None if result is None else math.ceil(result)


@dataclass(frozen=True)
class Build:
    """What the files say of a build; None where they do not.

    Attributes:
        name: of the project and its target, such as `jets.report`.
        device: FPGA family or part number.
        compiler: its version.
        quartus: its version.
    """

    name: str | None
    device: str | None
    compiler: str | None
    quartus: str | None


def read_build(folder: Path) -> Build:
    """Read what is known of the build whose report files lie in `folder`.

    Raises:
        InputError: info.ndjson is damaged.
    """
    info = _compile_info(folder / _INFO)
    output = next((parent for parent in folder.resolve().parents if parent.suffix == ".prj"), None)
    device = info.get("family") or (_device(output) if output else None)
    return Build(output.stem if output else None, device, info.get("version"), info.get("quartus"))


def _compile_info(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    sections: list[Record] = [record.get("compileInfo", {}) for record in read_records(path)]
    nodes = [node for section in sections if isinstance(section, dict) for node in section.get("nodes", ())]
    first = next((node for node in nodes if isinstance(node, dict)), {})
    return {key: text.strip() for key, text in first.items() if isinstance(text, str) and text.strip()}


def _device(output: Path) -> str | None:
    """Return the device that the project names, if the output lies in its build folder."""
    project = output.parent.parent / "CMakeLists.txt"
    if not project.is_file():
        return None
    found = _DEVICE.search(project.read_text(encoding="utf-8", errors="replace"))
    return found[1] if found else None


@dataclass(frozen=True)
class Schedule:
    """How the compiler schedules its blocks, each value that of the worst one; None if unknown.

    Attributes:
        latency_cycles: clock cycles through a block, which is not the latency from end to end.
        initiation_interval: clock cycles between two inputs of a block.
        clock: frequency that the compiler expects, in MHz.
    """

    latency_cycles: int | None = None
    initiation_interval: int | None = None
    clock: float | None = None


def read_schedule(path: Path) -> Schedule:
    """Read the schedule in a loop_attr.ndjson.

    Raises:
        InputError: the file is damaged.
    """
    blocks = read_records(path)
    latencies, intervals, clocks = (_values(blocks, key) for key in ("lt", "ii", "af"))
    return Schedule(
        math.ceil(max(latencies)) if latencies else None,
        math.ceil(max(intervals)) if intervals else None,
        min(clocks) if clocks else None,
    )


def _values(blocks: list[Record], key: str) -> list[float]:
    numbers = (number(block.get(key)) for block in blocks)
    return [value for value in numbers if value is not None]
