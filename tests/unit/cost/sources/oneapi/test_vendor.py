"""The vendor path, with stubs in the place of icpx and cmake."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from nanotrigger.cost.sources.oneapi import vendor
from nanotrigger.cost.sources.oneapi.vendor import LOG, EarlyEstimate, QuartusFit, build_report, check_vendor_tools
from nanotrigger.cost.sources.source import Design
from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.firmware.record import Firmware, Layer, write_record
from nanotrigger.firmware.target import Target

RECORDED = Path(__file__).parents[4] / "reference" / "oneapi_reports" / "dense_relu_io_stream"
ICPX = "#!/bin/sh\necho 'Intel(R) oneAPI DPC++/C++ Compiler {version} ({version}.20241205)'\n"
CMAKE = """#!/bin/sh
# `cmake -S PROJECT -B BUILD` configures, `cmake --build BUILD --target report` builds; $STUB says how it ends.
if [ "$1" = -S ]; then
    [ "$STUB" = unconfigured ] && echo "CMake Error: no such compiler" && exit 1
    echo "-- Configuring done"
    exit 0
fi
[ "$4" = report ] || exit 9
json="$2/jets.report.prj/reports/resources/json"
case "$STUB" in
failure)
    for line in $(seq 40); do echo "line $line"; done
    echo "icpx: error: fpga compiler command failed" >&2
    exit 2 ;;
silent) exit 0 ;;
killed) kill -9 $$ ;;
esac
mkdir -p "$json"
cp RECORDED/summary.ndjson RECORDED/loop_attr.ndjson "$json"
case "$STUB" in
missing) rm "$json/summary.ndjson" ;;
truncated) head -c 2000 RECORDED/summary.ndjson > "$json/summary.ndjson" ;;
hanging | stubborn)
    [ "$STUB" = stubborn ] && trap '' TERM
    sleep 100000 &
    echo "$! $$" > "$STARTED.part" && mv "$STARTED.part" "$STARTED"
    wait
    sleep 100000 ;;
esac
echo "[100%] Built target report"
"""
ICPX_FOR_CMAKE = """#!/bin/sh
# Lets g++ build cmake's test programs; of the project it compiles nothing, and links a recorded report.
case "$*" in
--version) echo 'Intel(R) oneAPI DPC++/C++ Compiler 2025.0.4 (2025.0.4.20241205)'; exit ;;
*-DFPGA_HARDWARE*-c* | *-fsycl-link=early*) ;;
*) exec g++ "$@" ;;
esac
link="$*"
while [ "$1" != -o ]; do shift; done
touch "$2"
case "$link" in *-fsycl-link=early*)
    mkdir -p "$2.prj/reports/resources/json"
    cp RECORDED/summary.ndjson "$2.prj/reports/resources/json" ;;
esac
"""


def write_tool(folder, name, text):
    tool = folder / name
    tool.write_text(text)
    tool.chmod(0o755)


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder with icpx 2025.0 and cmake, the first on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    write_tool(folder, "icpx", ICPX.format(version="2025.0.4"))
    write_tool(folder, "cmake", CMAKE.replace("RECORDED", str(RECORDED)))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


@pytest.fixture
def project(tmp_path):
    """A firmware project, as far as the vendor path looks at it."""
    folder = tmp_path / "hls"
    folder.mkdir()
    layer = Layer("input", "Input", "input", "x", 16, 1, {}, "input")
    write_record(Firmware("jets", "Agilex7", 5.0, "io_parallel", (layer,)), folder)
    (folder / "CMakeLists.txt").write_text('set(FPGA_DEVICE "Agilex7")\n')
    return folder


def content(folder):
    """Return all files below a folder but the log."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.name != LOG)


def test_one_build_serves_both_sources(tools, project, tmp_path):
    design = Design(folder=tmp_path, target=Target(io_type="io_stream"), graph=None, refusal="io_stream")
    estimate, fit = EarlyEstimate(), QuartusFit()
    assert estimate.refusal(design) is fit.refusal(design) is None
    assert [report.source for report in estimate.reports(design)] == ["oneapi early estimate"]
    assert fit.reports(design) == ()
    (json,) = (project / "build").glob("*.prj/reports/resources/json")
    shutil.copy(RECORDED / "quartus.ndjson", json)
    assert [report.source for report in fit.reports(design)] == ["quartus fit"]


def test_success(tools, project, capfd):
    (report,) = build_report(project)
    assert report.source == EarlyEstimate.name
    assert report.device == "Agilex7"
    assert (project / "build" / "jets.report.prj" / "reports").is_dir()
    assert not list(project.glob(".vendor*"))
    log = (project / LOG).read_text()
    assert log.startswith("Intel(R) oneAPI DPC++/C++ Compiler 2025.0.4")
    assert log.endswith("[100%] Built target report\n")
    assert capfd.readouterr() == ("", "")  # quiet, for this is no terminal


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cmake") or not shutil.which("g++"), reason="needs cmake and g++")
def test_hls4ml_s_own_cmakelists(tools, project):
    (tools / "cmake").unlink()
    write_tool(tools, "icpx", ICPX_FOR_CMAKE.replace("RECORDED", str(RECORDED)))
    (templates,) = find_spec("hls4ml").submodule_search_locations
    shutil.copy(Path(templates, "templates", "oneapi", "CMakeLists.txt"), project)
    for source in ("firmware/myproject.cpp", "myproject_test.cpp", "myproject_bridge.cpp"):
        (project / "src" / source).parent.mkdir(parents=True, exist_ok=True)
        (project / "src" / source).touch()
    (report,) = build_report(project)
    assert report.device == "Agilex7"
    assert "Built as myproject.report." in report.assumptions


def test_a_new_report_replaces_the_former_one_and_nothing_else(tools, project):
    former = project / "build" / "jets.report.prj" / "reports" / "former"
    other = project / "build" / "jets.fpga.prj" / "log"
    for file in (former, other):
        file.parent.mkdir(parents=True)
        file.touch()
    build_report(project)
    assert not former.exists()
    assert other.exists()


@pytest.mark.parametrize(
    ("stub", "message"),
    [
        ("unconfigured", r"cmake ended with exit code 1 [^\n]*\nCMake Error: no such compiler$"),
        ("failure", r"cmake ended with exit code 2 [^\n]*\nline 27\n(.*\n)*icpx: error: fpga compiler command failed$"),
        ("killed", r"cmake ended with SIGKILL"),
        ("silent", r"without an error, but wrote 0 reports"),
        ("missing", r"summary\.ndjson is missing"),
        ("truncated", r"summary\.ndjson: no report or a damaged one"),
    ],
)
def test_failure_shows_the_last_lines_and_leaves_no_report(tools, project, monkeypatch, stub, message):
    monkeypatch.setenv("STUB", stub)
    before = content(project)
    with pytest.raises(FirmwareError, match=message):
        build_report(project)
    assert content(project) == before
    assert (project / LOG).is_file()


def test_failure_keeps_the_former_report(tools, project, monkeypatch):
    build_report(project)
    before = content(project)
    monkeypatch.setenv("STUB", "truncated")
    with pytest.raises(FirmwareError):
        build_report(project)
    assert content(project) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stub", "number", "code"),
    [("hanging", signal.SIGINT, 130), ("hanging", signal.SIGHUP, 129), ("stubborn", signal.SIGTERM, 143)],
)
def test_an_interrupted_build_ends_its_tools_and_leaves_no_report(
    tools, project, tmp_path, monkeypatch, stub, number, code
):
    started = tmp_path / "started"
    monkeypatch.setenv("STUB", stub)
    monkeypatch.setenv("STARTED", str(started))
    before = content(project)
    program = (
        "import sys; from pathlib import Path; from nanotrigger.command import exit_code; "
        "from nanotrigger.cost.sources.oneapi.vendor import build_report; "
        f"sys.exit(exit_code(lambda: build_report(Path({str(project)!r})) and 0))"
    )
    build = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    while not started.exists():
        assert build.poll() is None
        time.sleep(0.05)
    build.send_signal(number)
    _, errors = build.communicate()
    assert build.returncode == code
    assert errors == ("interrupted\n" if number == signal.SIGINT else "")
    assert content(project) == before
    assert not list(project.glob(".vendor*"))
    for process in started.read_text().split():
        wait_for_end(int(process))


def wait_for_end(process):
    """Return when a process has ended, which takes a moment after the signal; its parent may not have noticed yet."""
    status = Path(f"/proc/{process}/stat")
    with suppress(FileNotFoundError, ProcessLookupError):
        while ") Z " not in status.read_text():
            time.sleep(0.01)


def test_half_a_report_of_a_killed_build_is_not_read(tools, project):
    half = project / ".vendor_report.x" / "jets.report.prj" / "reports" / "resources" / "json"
    half.mkdir(parents=True)
    (half / "summary.ndjson").write_text("{")
    (report,) = build_report(project)
    assert report.source == EarlyEstimate.name


@pytest.mark.parametrize("version", ["2024.1.0", "2024.2.1", "2025.0.0"])
def test_versions_that_build_firmware(tools, version):
    write_tool(tools, "icpx", ICPX.format(version=version))
    assert version in check_vendor_tools()


@pytest.mark.parametrize(
    ("version", "message"),
    [("2025.1.0", "no FPGA firmware any more"), ("2026.0.0", "any more"), ("2024.0.2", "too old"), ("2023.2.0", "old")],
)
def test_versions_that_do_not(tools, version, message):
    write_tool(tools, "icpx", ICPX.format(version=version))
    with pytest.raises(InputError, match=rf"oneAPI {version[:6]}.*{message}.*install oneAPI 2025\.0"):
        check_vendor_tools()


def test_another_tool_of_that_name(tools):
    write_tool(tools, "icpx", "#!/bin/sh\necho clang version 19\n")
    with pytest.raises(InputError, match="clang version 19"):
        check_vendor_tools()


def test_without_the_compiler_one_line_says_where_it_comes_from(tools, project):
    (tools / "icpx").unlink()
    with pytest.raises(InputError, match=r"icpx, .* is not on the PATH; install oneAPI 2025.0 .*apt.*") as caught:
        build_report(project)
    assert "\n" not in str(caught.value)
    assert not (project / LOG).exists()


def test_altera_s_compiler_alone_is_not_enough(tools):
    (tools / "icpx").rename(tools / "ahls")
    with pytest.raises(InputError, match=r"ahls .*cannot build projects of hls4ml 1\.3\.0.*install oneAPI 2025.0"):
        check_vendor_tools()


def test_without_cmake(tools, monkeypatch):
    monkeypatch.setattr(vendor.shutil, "which", lambda tool: None if tool == "cmake" else tool)
    with pytest.raises(InputError, match="needs cmake"):
        check_vendor_tools()


def test_a_folder_that_is_no_project(tools, tmp_path):
    with pytest.raises(InputError, match="no firmware project"):
        build_report(tmp_path)
