"""The recipes "A source of resources" and "A device" of CONTRIBUTING, followed from outside the package."""

import json
import shutil
from pathlib import Path

import pytest

from nanotrigger.cli.scanning import measure_point
from nanotrigger.cost.contest import contest_figure
from nanotrigger.cost.devices import DEVICES, Device, resources_of
from nanotrigger.cost.record import FILE, read_reports
from nanotrigger.cost.report import ResourceReport, Resources
from nanotrigger.cost.sources import SOURCES
from nanotrigger.cost.sources.source import Design, Source
from nanotrigger.errors import InputError
from nanotrigger.scan.curves import tradeoff_points
from nanotrigger.scan.results import read_study
from tests.command import ROOT, forked, run_script
from tests.unit.scan.made_studies import WIDTHS, write_study

CHECKPOINT = ROOT / "checkpoints" / "reference" / "jets_contest.ckpt"


class AdderCount(Source):
    """Counts an ALUT for each bit that an operation computes, and a flip-flop for each bit of the outputs."""

    name = "adder count"
    title = "Adder count of the recipe"
    meaning = "Every operation as an adder of its whole width."
    option = "adders"

    def check_tools(self) -> None:
        if not CHECKPOINT.is_file():
            raise InputError(f"the adder count needs {CHECKPOINT}; check it out")

    def refusal(self, design: Design) -> str | None:
        return design.refusal

    def reports(self, design: Design) -> tuple[ResourceReport, ...]:
        device = design.target.fpga_part
        used = Resources(aluts=sum(design.datapath.bits), ffs=sum(design.datapath.output_bits), rams=None)
        return (
            ResourceReport(
                source=self.name,
                tool_version="1.0",
                device=device,
                scope="datapath",
                used=used,
                available=resources_of(device),
                assumptions=("no operation is shared",),
            ),
        )


SMALL = Device(
    families=("Small 1",),
    parts=("SM1",),
    available=Resources(aluts=100_000, ffs=1_000, rams=10, dsps=5, mlabs=1),
    labels={"aluts": "LUTs", "ffs": "registers", "rams": "BRAMs", "dsps": "multipliers", "mlabs": "LUT-RAMs"},
)


def export(*arguments: str) -> None:
    """Be export.py where the recipes were followed; the source is the best of all."""
    SOURCES.insert(0, AdderCount())
    DEVICES.append(SMALL)
    run_script("export.py", *arguments)


def measure(checkpoint: str, output: str) -> None:
    """Print what a scan would write of a point, with the source as the worst of all."""
    SOURCES.append(AdderCount())
    row = measure_point({"export.report": "adders"}, Path(checkpoint), Path(output), split="test")
    print(json.dumps([row["resource_source"], *(report.source for report in read_reports(Path(output)))]))


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, str]:
    """An export for the small device, and what export.py printed."""
    folder = tmp_path_factory.mktemp("recipe")
    shutil.copy(CHECKPOINT, folder / "best.ckpt")
    done = forked(export, f"ckpt={folder / 'best.ckpt'}", "report=adders", "fpga_part=SM1-fast")
    assert done.returncode == 0, done.stderr
    return folder / "export", done.stdout


@pytest.fixture
def followed():
    """Follow the recipes in this process, for the time of a test."""
    source = AdderCount()
    SOURCES.insert(0, source)
    DEVICES.append(SMALL)
    yield
    SOURCES.remove(source)
    DEVICES.remove(SMALL)


def test_the_source_is_the_headline(exported, followed):
    folder, printed = exported
    best, counted, verilog = read_reports(folder)
    assert (best.source, counted.source) == ("adder count", "structural count")
    assert best.used.aluts > counted.used.aluts > verilog.used.aluts > 0
    assert f"Verilog       {verilog.used.aluts:,} " in printed
    assert "source      adder count (1.0)\n" in printed
    assert "by part, from the structural count (whole IP):" in printed


def test_a_file_that_names_the_source_is_not_read_without_it(exported, tmp_path):
    shutil.copy(exported[0] / FILE, tmp_path)
    with pytest.raises(InputError, match="source 'adder count' of resources is unknown; take one of quartus fit, "):
        read_reports(tmp_path)


def test_the_datasheet_says_what_the_source_is(exported):
    page = (exported[0] / "datasheet.html").read_text()
    assert "<h3>Adder count of the recipe, 1.0</h3>" in page
    assert "Every operation as an adder of its whole width. Scope: datapath, the C++ firmware without" in page
    assert "Device: SM1-fast." in page
    assert "<li>no operation is shared</li>" in page


def test_the_device_gives_shares_and_words(exported, followed):
    folder, printed = exported
    for report in read_reports(folder):
        assert report.available == SMALL.available
        assert report.share("ffs") == report.used.ffs / 10
        assert contest_figure(report) == report.used.aluts / 1_000 + report.used.ffs / 10
    assert f"registers            1,000{best_ffs(folder):>12}{best_ffs(folder) / 10:>12.3f} %\n" in printed
    page = (folder / "datasheet.html").read_text()
    assert '<th scope="row">LUT-RAMs</th><td class="n">1</td>' in page
    assert "ALUTs</th>" not in page


def best_ffs(folder: Path) -> int:
    return read_reports(folder)[0].used.ffs


def test_a_scan_names_the_source_that_is_best(tmp_path):
    shutil.copy(CHECKPOINT, tmp_path / "best.ckpt")
    done = forked(measure, str(tmp_path / "best.ckpt"), str(tmp_path / "export"))
    assert done.returncode == 0, done.stderr
    sources = json.loads(done.stdout.splitlines()[-1])
    assert sources == [
        "structural count",
        "structural count",
        "structural count",
        "adder count",
    ]  # at the end of the list: the worst


def test_a_figure_of_a_scan_has_its_title(tmp_path, followed):
    study = read_study(write_study(tmp_path, WIDTHS, source="adder count"))
    assert {points.source for points in tradeoff_points([study])} == {"Adder count of the recipe"}


def test_help_offers_the_source():
    done = forked(export, "--help")
    assert "structural, yosys, vendor, adders" in " ".join(done.stdout.split())
    refused = forked(export, "ckpt=none.ckpt", "report=guess")
    assert refused.returncode == 2
    assert "report=guess: " in refused.stderr
    assert "structural, yosys, vendor, adders" in refused.stderr
