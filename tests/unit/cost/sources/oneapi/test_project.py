"""Reports of oneAPI: the recorded ones, and variations of them that keep their form."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nanotrigger.cost.report import Resources
from nanotrigger.cost.sources.oneapi import read_project
from nanotrigger.cost.sources.oneapi.__main__ import main
from nanotrigger.cost.sources.oneapi.vendor import EarlyEstimate, QuartusFit
from nanotrigger.errors import InputError

RECORDED = Path(__file__).parents[4] / "reference" / "oneapi_reports" / "dense_relu_io_stream"
TBD = json.dumps(
    {
        "quartusFitClockSummary": {"nodes": [{"name": "Clock Frequency (MHz)", "clock": "TBD", "clock fmax": "TBD"}]},
        "quartusFitResourceUsageSummary": {
            "nodes": [{"name": "Device Image", "type": "system", **dict.fromkeys(("alut", "reg", "ram"), "TBD")}]
        },
    }
)


def json_folder(project, target="report", name="jets"):
    return project / "build" / f"{name}.{target}.prj" / "reports" / "resources" / "json"


def write_target(project, target="report", *, name="jets", quartus=TBD):
    """Write a copy of the recorded report, which Quartus has fitted only if `quartus` is None."""
    folder = json_folder(project, target, name)
    shutil.copytree(RECORDED, folder)
    if quartus is not None:
        (folder / "quartus.ndjson").write_text(quartus)
    return folder


@pytest.fixture
def folder(tmp_path):
    """The json folder of an early report, in the project `tmp_path`."""
    return write_target(tmp_path)


def rewrite(path, change):
    """Apply a function to all records of a file."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("\n".join(json.dumps(record) for record in change(records)) + "\n")


def estimated(records):
    return [record for record in records if record.get("parent") == "estimatedResources"]


def header(records):
    return next(record for record in records if record.get("summary_type") == "estimatedResources")


def test_recorded_report():
    fit, estimate = read_project(RECORDED)
    assert (fit.source, estimate.source) == (QuartusFit.name, EarlyEstimate.name)
    assert fit.used == Resources(aluts=4182, ffs=16419, rams=36, dsps=40, mlabs=52)
    assert fit.clock == 597.73
    assert estimate.used == Resources(aluts=2462, ffs=7938, rams=77, dsps=40, mlabs=92)
    assert estimate.clock == 480
    for report in (fit, estimate):
        assert report.available == Resources(aluts=974_400, ffs=1_948_800, rams=7_110, dsps=4_510, mlabs=24_360)
        assert (report.latency_cycles, report.initiation_interval) == (200, 1)
        assert report.scope == "whole IP"


def test_the_estimate_repeats_the_shares_of_the_report_itself():
    lines = (RECORDED / "summary.ndjson").read_text().splitlines()
    total = next(json.loads(line) for line in lines if '"Total"' in line)
    _, estimate = read_project(RECORDED)
    shares = [estimate.share(name) for name in ("aluts", "ffs", "rams")]
    assert shares == pytest.approx(total["data_percent"][:3], rel=1e-6)


def test_rows_add_up_to_the_total():
    _, estimate = read_project(RECORDED)
    assert [(row.name, row.kind, row.ffs) for row in estimate.rows] == [
        ("relu_config3>()", "kernel", 162),
        ("bias_t)", "kernel", 4436),
        ("Myproject", "kernel", 82),
        ("Pipe resources", "system", 3258),
    ]
    assert sum(row.aluts for row in estimate.rows) == estimate.used.aluts


def test_an_early_report_has_no_fit(folder, tmp_path):
    (report,) = read_project(tmp_path)
    assert report.source == EarlyEstimate.name
    assert "Built as jets.report." in report.assumptions


@pytest.mark.parametrize("levels", [0, 3, 4, 5])
def test_any_folder_around_the_report_will_do(tmp_path, levels):
    folder = write_target(tmp_path / "hls")
    place = [folder, *folder.parents][levels]
    assert read_project(place) == read_project(folder)
    assert read_project(tmp_path) == read_project(folder)


def test_several_targets_side_by_side(tmp_path):
    write_target(tmp_path, "report")
    write_target(tmp_path, "fpga", quartus=None)
    reports = read_project(tmp_path)
    assert [report.source for report in reports] == [
        QuartusFit.name,
        EarlyEstimate.name,
        EarlyEstimate.name,
    ]
    assert [report.assumptions[-1] for report in reports] == [
        "Built as jets.fpga.",
        "Built as jets.fpga.",
        "Built as jets.report.",
    ]


def test_several_projects_are_not_mixed(tmp_path):
    write_target(tmp_path, name="jets")
    write_target(tmp_path, name="muons")
    with pytest.raises(InputError, match=r"jets, muons"):
        read_project(tmp_path)


def test_hidden_folders_hold_unfinished_builds(tmp_path):
    write_target(tmp_path).parents[3].rename(tmp_path / ".vendor_report.x")
    with pytest.raises(InputError, match="no oneAPI report"):
        read_project(tmp_path)


def test_device_and_versions(folder, tmp_path):
    cmake = 'if(NOT DEFINED FPGA_DEVICE)\n    set(FPGA_DEVICE "AGFB014R24A2E2V")\nendif()\n'
    (tmp_path / "CMakeLists.txt").write_text(cmake)
    assert read_project(tmp_path)[0].device == "AGFB014R24A2E2V"
    info = {"family": "Agilex7 AGFB014R24A", "version": " 2025.0.0 ", "quartus": "24.3"}
    (folder / "info.ndjson").write_text(json.dumps({"compileInfo": {"nodes": [info]}}))
    shutil.copy(RECORDED / "quartus.ndjson", folder)
    fit, estimate = read_project(tmp_path)
    assert fit.device == estimate.device == "Agilex7 AGFB014R24A"
    assert (fit.tool_version, estimate.tool_version) == ("24.3", "2025.0.0")


def test_without_loop_attributes_the_timing_is_unknown(folder, tmp_path):
    (folder / "loop_attr.ndjson").unlink()
    (report,) = read_project(tmp_path)
    assert (report.latency_cycles, report.initiation_interval, report.clock) == (None, None, None)


def test_without_quartus_there_is_no_fit(folder, tmp_path):
    (folder / "quartus.ndjson").unlink()
    assert [report.source for report in read_project(tmp_path)] == [EarlyEstimate.name]


def test_without_a_summary_the_fit_remains(tmp_path):
    folder = write_target(tmp_path, quartus=None)
    (folder / "summary.ndjson").unlink()
    (tmp_path / "CMakeLists.txt").write_text("set(FPGA_DEVICE Agilex7)")
    (report,) = read_project(tmp_path)
    assert report.source == QuartusFit.name
    assert report.share("aluts") == pytest.approx(0.4292, abs=1e-4)


def test_without_summary_and_fit_there_is_nothing(folder, tmp_path):
    (folder / "summary.ndjson").unlink()
    with pytest.raises(InputError, match=r"summary.ndjson is missing"):
        read_project(tmp_path)


@pytest.mark.parametrize("word", ["TBD", "n/a", "", None])
def test_cells_without_a_number_are_unknown(folder, tmp_path, word):
    def change(records):
        for record in estimated(records):
            record["data"][4] = word
        return records

    rewrite(folder / "summary.ndjson", change)
    rewrite(folder / "loop_attr.ndjson", lambda records: [{**record, "lt": word} for record in records])
    (report,) = read_project(tmp_path)
    assert report.used.mlabs is None
    assert report.used.aluts == 2462
    assert report.latency_cycles is None


@pytest.mark.parametrize(("fractional", "packing", "dsps"), [(80, 2, 42), (5, 2, 5), (0, None, 2), (5, None, None)])
def test_fractional_dsps(folder, tmp_path, fractional, packing, dsps):
    def change(records):
        header(records)["dsp_packing_factor"] = packing
        for record in estimated(records):
            record["data"][3:] = [2, 92, fractional]
        return records

    rewrite(folder / "summary.ndjson", change)
    assert read_project(tmp_path)[0].used.dsps == dsps


def test_columns_go_by_name(folder, tmp_path):
    def change(records):
        table = header(records)
        table["columns"] = [table["columns"][0], *reversed(table["columns"][1:]), " ALMs "]
        for record in estimated(records):
            record["data"] = [*reversed(record["data"]), 7]
        return records

    before = read_project(tmp_path)
    rewrite(folder / "summary.ndjson", change)
    assert read_project(tmp_path) == before


def test_a_missing_column_is_unknown(folder, tmp_path):
    def change(records):
        header(records)["columns"].remove("MLABs")
        for record in estimated(records):
            del record["data"][4]
        return records

    rewrite(folder / "summary.ndjson", change)
    used = read_project(tmp_path)[0].used
    assert used == Resources(aluts=2462, ffs=7938, rams=77, dsps=40, mlabs=None)


def test_thousands_separators_and_the_device_table(folder, tmp_path):
    def change(records):
        for record in estimated(records):
            record["data"] = [f"{int(value):,}" for value in record["data"]]
        return [record for record in records if record["name"] != "Available"]

    rewrite(folder / "summary.ndjson", change)
    assert read_project(tmp_path)[0].used.ffs == 7938
    assert read_project(tmp_path)[0].available is None
    (tmp_path / "CMakeLists.txt").write_text('set(FPGA_DEVICE "Agilex7")')
    assert read_project(tmp_path)[0].available.aluts == 974_400


@pytest.mark.parametrize("path", sorted(RECORDED.parent.glob("*.json")), ids=lambda path: path.stem[15:])
def test_totals_that_hls4ml_read(folder, tmp_path, path):
    recorded = json.loads(path.read_text())["report"]
    names = ("alut", "reg", "ram", "dsp", "mlab")

    def change(records):
        sums = {"Total": recorded["HLS"]["total"], "Available": recorded["HLS"]["available"]}
        for record in estimated(records):
            if record["name"] in sums:
                record["data"] = [*(sums[record["name"]][name] for name in names), 0]
        return records

    worst = {"af": "worstFrequency", "ii": "worstII", "lt": "worstLatency"}
    block = {"type": "loop", **{key: recorded["Loop"][name] for key, name in worst.items()}}
    rewrite(folder / "summary.ndjson", change)
    rewrite(folder / "loop_attr.ndjson", lambda records: [records[0], block])
    (report,) = read_project(tmp_path)
    assert [report.used.aluts, report.used.ffs, report.used.mlabs] == [
        recorded["HLS"]["total"][name] for name in ("alut", "reg", "mlab")
    ]
    assert report.latency == 5 * float(block["lt"])
    assert report.initiation_interval == 1


def test_the_fit_of_a_board_leaves_out_the_board(tmp_path):
    nodes = [
        {"name": "Quartus Fitter: Device Image", "type": "system", "alut": "90000", "reg": "80000"},
        {"name": "Quartus Fitter: Kernel System", "type": "system", "alut": "4182", "reg": "16419", "ram": "TBD"},
    ]
    write_target(tmp_path, quartus=json.dumps({"quartusFitResourceUsageSummary": {"nodes": nodes}}))
    assert read_project(tmp_path)[0].used == Resources(aluts=4182, ffs=16419, rams=None, dsps=None, mlabs=None)


def truncated(text):
    return text[: len(text) * 2 // 3]


def without_total(text):
    return "".join(line for line in text.splitlines(keepends=True) if '"Total"' not in line)


def with_negative_count(text):
    return text.replace("[2462,", "[-2462,")


def with_short_row(text):
    return text.replace("[2462, 7938,", "[2462,")


DAMAGES = {
    "truncated": truncated,
    "empty": lambda text: "",
    "blank": lambda text: "\n \n",
    "HTML": lambda text: "<!DOCTYPE html>\n<html><body>Not found</body></html>\n",
    "list": lambda text: "[1, 2]\n",
    "binary": lambda text: "\0\x01",
}


@pytest.mark.parametrize("name", ["summary", "loop_attr", "quartus", "info"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_named_in_one_line(folder, tmp_path, capsys, name, damage):
    path = folder / f"{name}.ndjson"
    text = path.read_text() if path.is_file() else '{"compileInfo": {"nodes": [{"version": "2025.0"}]}}'
    path.write_text(DAMAGES[damage](text))
    assert main([str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert re.fullmatch(rf"error: [^\n]*{path.name}[^\n]*\n", output.err)


@pytest.mark.parametrize("damage", [without_total, with_negative_count, with_short_row])
def test_an_incomplete_summary(folder, tmp_path, damage):
    path = folder / "summary.ndjson"
    path.write_text(damage(path.read_text()))
    with pytest.raises(InputError, match=str(folder)):
        read_project(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "something else"}',
        '{"summary_type": "estimatedResources"}',
        '{"summary_type": "estimatedResources", "columns": ["Kernel Name", "LUTs"]}',
    ],
)
def test_a_summary_of_another_form(folder, tmp_path, text):
    (folder / "summary.ndjson").write_text(text)
    with pytest.raises(InputError, match="summary.ndjson"):
        read_project(tmp_path)


@pytest.mark.parametrize("section", ["TBD", {"nodes": 3}, {"nodes": ["TBD"]}])
def test_a_fit_of_another_form(folder, tmp_path, section):
    (folder / "quartus.ndjson").write_text(json.dumps({"quartusFitResourceUsageSummary": section}))
    with pytest.raises(InputError, match="quartus.ndjson"):
        read_project(tmp_path)


@pytest.mark.parametrize("arguments", [[], ["missing"], ["a", "b"], [__file__]])
def test_bad_arguments(arguments, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert re.fullmatch(r"error: [^\n]+\n", capsys.readouterr().err)


def test_files_are_found_wherever_they_lie(tmp_path):
    output = tmp_path / "x" / "y" / "z" / "w" / "jets.report.prj"
    for name, place in {"summary": "reports", "loop_attr": "reports/json", "quartus": "fit"}.items():
        (output / place).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(RECORDED / f"{name}.ndjson", output / place / f"{name}.ndjson")
    fit, estimate = read_project(tmp_path)
    assert (fit.source, fit.used.aluts) == (QuartusFit.name, 4182)
    assert (estimate.used.aluts, estimate.latency_cycles) == (2462, 200)


def write_export(folder, **target):
    write_target(folder / "hls")
    (folder / "model.onnx").write_bytes(b"a network")
    (folder / "parity.json").write_text(json.dumps({"target": {"softmax": True, **target}}))


def test_a_report_becomes_a_record(tmp_path, capsys):
    records = tmp_path / "records"
    records.mkdir()
    write_export(tmp_path / "export")
    words = ["record", str(tmp_path / "export"), f"output={records}", "name=mine"]
    assert main(words) == 0
    content = json.loads((records / "mine.json").read_text())
    assert content["target"] == {"clock_period": pytest.approx(1000 / 480), "softmax": True, "precision": None}
    assert content["figures"]["aluts"] == 2462 and content["figures"]["latency_cycles"] == 200
    assert (records / content["networks"][0]).read_bytes() == b"a network"
    assert main(words) == 2
    assert "mine.json is there already; give name=OTHER" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "output", "message"),
    [({"reuse_factor": 2}, "", "reuse_factor=2"), ({}, "elsewhere", "no such folder"), ({"x": 1}, "", "is damaged")],
)
def test_what_is_no_record(tmp_path, capsys, target, output, message):
    write_export(tmp_path, **target)
    assert main(["record", str(tmp_path), f"output={tmp_path / output}"]) == 2
    assert message in capsys.readouterr().err


def test_command_line():
    words = [sys.executable, "-m", "nanotrigger.cost.sources.oneapi", str(RECORDED)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    fit, estimate = done.stdout.split("\n\n                 available")
    assert "source      quartus fit" in fit
    assert "DSPs                 4,510          40       0.887 %" in estimate
    assert done.stderr == ""
