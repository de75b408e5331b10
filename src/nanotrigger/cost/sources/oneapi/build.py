"""What a report was built for and with: info.ndjson, and the project's CMakeLists.txt."""

import re
from dataclasses import dataclass
from pathlib import Path

from nanotrigger.cost.sources.oneapi.records import Record, read_records

_INFO = "info.ndjson"
_DEVICE = re.compile(r'^\s*set\(FPGA_DEVICE "?([^")\s]+)', re.MULTILINE)


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
