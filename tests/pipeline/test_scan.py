"""scan.py as users run it: every point once, the numbers of train.py and export.py, and one line for bad input."""

import csv
import json
import sys

import pytest

from nanotrigger.cli.scan import main
from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.cost.sources.yosys import synthesis_report
from nanotrigger.firmware.datapaths import verilog_datapath
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_qonnx import read_graph
from tests.command import ROOT, command
from tests.conftest import train

SHORT = ("data.source=simulated", "trainer.max_epochs=1", "trainer.limit_train_batches=20")
QAT = "experiment=jets_qat"
FLOAT = "ckpt=checkpoints/reference/jets_float.ckpt"


def scan(*arguments):
    return command("scan.py", *arguments, cwd=ROOT)


def results(folder):
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_points_are_those_of_train_and_export_and_run_once(tmp_path):
    words = (
        QAT,
        "network.weight.width=3,5",
        "pruning.sparsity=0.5",
        *SHORT,
        f"output={tmp_path / 'scan'}",
        "workers=2",
    )
    done = scan(*words)
    assert done.returncode == 0, done.stderr
    rows = results(tmp_path / "scan")
    assert [(row["network.weight.width"], row["state"], row["differing_words"]) for row in rows] == [
        ("3", "complete", "0"),
        ("5", "complete", "0"),
    ]
    for name in ("scan_network_weight_width.png", "tradeoff.png"):
        assert (tmp_path / "scan" / "figures" / name).is_file()

    run = tmp_path / "run"
    alone = train(QAT, "network.weight.width=5", "pruning.sparsity=0.5", *SHORT, f"output={run}")
    assert alone.returncode == 0, alone.stderr
    assert float(rows[1]["accuracy"]) == json.loads((run / "test.json").read_text())["accuracy"]
    assert float(rows[1]["sparsity"]) >= 0.5
    assert command("export.py", f"ckpt={run / 'best.ckpt'}").returncode == 0
    used = json.loads((run / "export" / "resources.json").read_text())["reports"][0]["used"]
    assert (int(rows[1]["aluts"]), int(rows[1]["ffs"])) == (used["aluts"], used["ffs"])

    before = (tmp_path / "scan" / "points" / "0000" / "best.ckpt").stat().st_mtime_ns
    assert scan(*words).returncode == 0
    assert results(tmp_path / "scan") == rows
    assert (tmp_path / "scan" / "points" / "0000" / "best.ckpt").stat().st_mtime_ns == before

    other = scan(QAT, "network.weight.width=3,6", *SHORT, f"output={tmp_path / 'scan'}")
    assert other.returncode == 2
    assert "has another scan named jets_qat" in other.stderr
    assert results(tmp_path / "scan") == rows


@pytest.mark.slow
def test_a_failed_point_is_told_and_the_rest_is_kept(tmp_path):
    words = (QAT, "trainer.limit_train_batches=0,5", *SHORT[:2], f"output={tmp_path / 'scan'}")
    done = scan(*words)
    assert done.returncode == 1
    assert "1 of 2 points failed; retry=true" in done.stderr
    rows = results(tmp_path / "scan")
    assert [row["state"] for row in rows] == ["failed", "complete"]
    assert "best.ckpt" in rows[0]["error"]


def test_rows_say_what_the_firmware_has_and_what_was_remarked(tmp_path):
    words = ("export.reuse_factor=2,3", "export.precision=fixed<12,0>", "workers=3", f"output={tmp_path / 'scan'}")
    done = scan(FLOAT, *words)
    assert done.returncode == 0, done.stderr
    assert "workers=3: 2 points are left, one process for each\n" in done.stdout
    rows = results(tmp_path / "scan")
    assert [(row["export.reuse_factor"], row["reuse_factor"]) for row in rows] == [("2", "2"), ("3", "2")]
    assert {(row["clock_period"], row["io_type"]) for row in rows} == {("5.0", "io_parallel")}
    for number, row in enumerate(rows):
        parity = json.loads((tmp_path / "scan" / "points" / f"{number:04}" / "export" / "parity.json").read_text())
        assert row["remarks"] == "; ".join(parity["remarks"])
        assert "precision=fixed<12,0> holds -0.5 to 0.499756; out of range are" in row["remarks"]
        assert ("reuse_factor=3: layer dense_1 has 2, because" in row["remarks"]) == (number == 1)
        assert f"warning: point {number}: {row['remarks']}\n" in done.stdout


@pytest.mark.slow
def test_points_that_learned_nothing_are_told(tmp_path):
    axis = "network.activation.integer=-40,1"
    done = scan(QAT, axis, *SHORT, f"output={tmp_path / 'scan'}")
    assert done.returncode == 0, done.stderr
    dead, alive = (row["remarks"] for row in results(tmp_path / "scan"))
    assert "output: its outputs are the same for every event; " in dead
    assert f"warning: point 0: {dead}\n" in done.stdout
    assert "same for every event" not in alive


@pytest.mark.slow
def test_the_contest_chooses_on_validation_and_confirms_on_test(tmp_path):
    study = ("study=contest_uniform", "contest.points=2", "contest.threshold=0.05")
    words = (*study, *SHORT, f"output={tmp_path / 'contest'}")
    board = tmp_path / "leaderboard.json"
    done = scan(*words, f"leaderboard={board}")
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(board.read_text())["entries"]
    rows = results(tmp_path / "contest")
    best = min(rows, key=lambda row: float(row["contest_figure"]))
    assert entry["contest_figure"] == float(best["contest_figure"])
    assert entry["validation"]["accuracy"] == float(best["accuracy"])
    assert {row["events"].rpartition(", ")[0].rpartition(", ")[2] for row in rows} == {"validation split"}
    assert entry["differing_words"] == 0
    network = read_graph(tmp_path / "contest" / "winner" / "model.onnx")
    datapath = verilog_datapath(network, Target())
    counted = structural_report(datapath, Target(), scope="Verilog").used
    found = synthesis_report(datapath, Target(), log=tmp_path / "log").used
    assert entry["synthesis"] == {
        **{"aluts": found.aluts, "ffs": found.ffs},
        **{"counted_aluts": counted.aluts, "counted_ffs": counted.ffs},
    }
    (tmp_path / "again.yaml").write_text(json.dumps(entry["config"]))
    again = train("fit", f"--config={tmp_path / 'again.yaml'}", f"output={tmp_path / 'again'}")
    assert again.returncode == 0, again.stderr
    assert json.loads((tmp_path / "again" / "test.json").read_text())["accuracy"] == entry["test"]["accuracy"]

    few = ("study=contest_uniform", "contest.points=1", "contest.threshold=0.99")
    none = scan(*few, *SHORT, f"output={tmp_path / 'none'}", f"leaderboard={board}")
    assert none.returncode == 1
    assert "no network exceeds contest.threshold=0.99" in none.stderr
    assert len(json.loads(board.read_text())["entries"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([QAT, "network.weight.width=4,0"], "fixed<0,2>: the width must be 1 to 53 bits"),
        ([QAT, "pruning.sparsity=0.5,1.2"], "pruning.sparsity=1.2"),
        ([QAT, "network.weigth.width=3,4"], "weigth"),
        ([QAT, "seed=1"], "nothing varies"),
        (
            [QAT, "seed=1,2", "trainer.devices=2", "trainer.accelerator=cpu"],
            "trainer.devices=2: a point is trained on one",
        ),
        ([QAT, "seed=1,2", "workers=0"], "workers=0: must be at least 1"),
        ([QAT, "seed=1,2", "storage=postgresql://nobody@127.0.0.1:9/none"], "storage=postgresql://nobody"),
        ([QAT, "seed=1,2", "name=../outside"], "name=../outside"),
        ([QAT, "seed=1,2", "contest.points=3"], "contest.points: only a study with a contest has it"),
        ([QAT, "seed=1,2", "fast"], "fast: write key=value"),
        (["seed=1,2"], "needs experiment="),
        (["study=nothing"], "study=nothing is unknown; choose one of"),
        (["study=../experiment/jets_qat"], "is unknown; choose one of"),
        ([FLOAT, "seed=1,2"], "seed: with ckpt= nothing is trained"),
        ([FLOAT, "export.precision=fixed<8,6>,fixed<4,6>"], "fixed<4,6>: integer bits must be at most the width"),
        ([FLOAT, "export.precission=a,b"], "precission"),
        (["ckpt=nowhere.ckpt", "export.clock_period=4,5"], "nowhere.ckpt: no such file"),
    ],
)
def test_bad_input_is_one_line_and_touches_nothing(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["scan.py", *arguments, f"output={tmp_path / 'scan'}"])
    monkeypatch.chdir(ROOT)
    code = main(ROOT)
    error = capsys.readouterr().err
    assert code == 2, error
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "scan").exists()
