"""Standalone: what compiles and runs a project's C++ with g++ alone, in a folder of the project."""

import shutil
from pathlib import Path

from nanotrigger.files import write_text
from nanotrigger.firmware.backends.oneapi.emulate import CONSTANTS, STAND_IN, ac_types
from nanotrigger.firmware.record import read_record
from nanotrigger.numbers import FixedPoint

FOLDER, SCRIPT = "host_sycl", "run.sh"


def write_standalone(project: Path, formats: tuple[FixedPoint, FixedPoint]) -> None:
    """Write the headers that stand in for those of SYCL, ac_types, and the script that compares words.

    Args:
        project: folder that `convert` wrote.
        formats: of the input words and of the output words.
    """
    firmware, folder = read_record(project), project / FOLDER
    shutil.copytree(STAND_IN, folder, dirs_exist_ok=True)
    shutil.copytree(ac_types(), folder / "ac_types", dirs_exist_ok=True)
    substitutions = " ".join(f"-e 's/{pattern.decode()}/{value.decode()}/g'" for pattern, value in CONSTANTS)
    given, expected = formats
    values = {
        "name": firmware.name,
        "inputs": firmware.features,
        "outputs": firmware.outputs,
        "input_step": given.step.hex(),
        "output_step": expected.step.hex(),
        "substitutions": substitutions,
    }
    write_text(folder / SCRIPT, (folder / SCRIPT).read_text(encoding="utf-8").format_map(values))
