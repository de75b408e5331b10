"""The vendor's own reports: the early estimate, built where the vendor's compiler is installed, and Quartus' fit."""

import re
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from nanotrigger.cost.report import ResourceReport
from nanotrigger.cost.sources.oneapi.project import EARLY_ESTIMATE, QUARTUS_FIT, read_project
from nanotrigger.cost.sources.source import Design, Source
from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.firmware.backends.oneapi.emulate import compiler_version
from nanotrigger.firmware.record import read_record
from nanotrigger.tools import cleaning_up, run_logged

LOG = "vendor_report.log"

_TITLE = "building the compiler's report"
_OLDEST, _NEWEST = (2024, 1), (2025, 0)
_REMEDY = (
    "install oneAPI 2025.0 with FPGA support (package intel-oneapi-compiler-fpga of Intel's apt repository) "
    "and source its setvars.sh"
)


class EarlyEstimate(Source):
    """What Intel's compiler expects, before synthesis."""

    name = EARLY_ESTIMATE
    title = "oneAPI early estimate"
    latency_scope = "whole IP"
    meaning = "The vendor's compiler estimates before synthesis; place and route gives other numbers."
    option = "vendor"

    def check_tools(self) -> None:
        """Check that Intel's compiler is there, of a version that builds firmware."""
        check_vendor_tools()

    def reports(self, design: Design) -> tuple[ResourceReport, ...]:
        """Build the compiler's report of the firmware project; takes minutes."""
        return tuple(report for report in build_report(design.project) if report.source == self.name)


class QuartusFit(Source):
    """What Quartus fitted; it takes hours and is started by hand, so that what it left is only read here."""

    name = QUARTUS_FIT
    title = "Quartus fit"
    kind = "fitted"
    latency_scope = "whole IP"
    meaning = "The vendor's place and route for this part: what the firmware takes there."
    option = "vendor"

    def reports(self, design: Design) -> tuple[ResourceReport, ...]:
        """Read the fit beside the compiler's report; none if Quartus has not run."""
        return tuple(report for report in read_project(design.project) if report.source == self.name)


def check_vendor_tools() -> str:
    """Return the first line with which the compiler introduces itself, if all that the build needs is installed.

    Raises:
        InputError: something is missing or of a version that cannot build hls4ml's project; says what to install.
        FirmwareError: the compiler is there but does not run.
    """
    if not shutil.which("icpx"):
        raise InputError(_without_icpx())
    introduction = compiler_version("icpx")
    found = re.search(r"Compiler (\d{4})\.(\d+)", introduction)
    if not found:
        raise InputError(f"icpx introduces itself as {introduction!r}, not as a oneAPI compiler; {_REMEDY}")
    release = int(found[1]), int(found[2])
    if release > _NEWEST:
        raise InputError(f"icpx is of oneAPI {found[1]}.{found[2]}, which builds no FPGA firmware any more; {_REMEDY}")
    if release < _OLDEST:
        raise InputError(f"icpx is of oneAPI {found[1]}.{found[2]}, too old for hls4ml's project; {_REMEDY}")
    if not shutil.which("cmake"):
        raise InputError("the compiler's report needs cmake, which is not on the PATH; install it")
    return introduction


def build_report(project: Path) -> tuple[ResourceReport, ...]:
    """Build the compiler's report of a firmware project, as hls4ml's `build(build_type="report")` does; return it.

    The report appears in the project's build folder, whole or not at all, beside what else lies there. The compiler's
    output goes to `vendor_report.log` in the project as it comes, and stays there whatever happens. An interrupted
    build ends the tools that it started and leaves any former report as it was.

    Args:
        project: folder that `convert` wrote.

    Returns:
        the reports in the project's build folder, the best source first.

    Raises:
        InputError: no project, or `check_vendor_tools` finds something missing.
        FirmwareError: the build failed, or gave no report; the message shows its last lines.
    """
    read_record(project)
    introduction = check_vendor_tools()
    log = project / LOG
    log.write_text(f"{introduction}\n", encoding="utf-8")
    # Beside its final place, so that the report can be renamed into it; hidden, so that nobody reads half a report.
    # Killed tools may still be on their way out while it is removed.
    temporary = tempfile.TemporaryDirectory(dir=project, prefix=".vendor_report.", ignore_cleanup_errors=True)
    with cleaning_up(), temporary as workplace:
        run_logged(["cmake", "-S", str(project), "-B", workplace], log, title=_TITLE)
        run_logged(["cmake", "--build", workplace, "--target", "report"], log, title=_TITLE)
        output = _whole_output(Path(workplace), log)
        _publish(output, project / "build" / output.name)
    return read_project(project / "build")


def _without_icpx() -> str:
    if shutil.which("ahls"):
        return (
            f"ahls is on the PATH, but it cannot build projects of hls4ml {version('hls4ml')}, "
            f"whose CMakeLists.txt and headers are made for Intel's icpx; {_REMEDY}"
        )
    return f"icpx, the vendor's compiler, is not on the PATH; {_REMEDY}"


def _whole_output(workplace: Path, log: Path) -> Path:
    """Return the folder that the compiler wrote, after a look at its reports."""
    outputs = sorted(workplace.glob("*.prj"))
    if len(outputs) != 1:
        raise FirmwareError(f"the build ended without an error, but wrote {len(outputs)} reports; see {log}")
    try:
        read_project(outputs[0])
    except InputError as error:
        raise FirmwareError(
            f"the build ended without an error, but its report is not whole: {error}; see {log}"
        ) from error
    return outputs[0]


def _publish(output: Path, place: Path) -> None:
    """Rename the output to its place; a former one goes away with the workplace."""
    place.parent.mkdir(exist_ok=True)
    if place.exists():
        place.rename(output.with_suffix(".former"))
    output.rename(place)
