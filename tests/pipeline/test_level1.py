"""Anomaly detection in hardware units as a user runs it: trained on Parquet, tested at trigger rates, proven."""

import json
from pathlib import Path

import pytest

from nanotrigger.cost.record import read_reports
from nanotrigger.training.checkpoint import load_trained
from tests.command import command
from tests.conftest import train
from tests.made_parquet import make_columns, write_archive, write_parquet

SMALL = ("network.hidden=[12,6]", "trainer.max_epochs=2", "data.batch_size=256")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What `fetch` leaves, 3,000 events of zero bias and a signal, and the same as files of the mirror."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "cms_l1").mkdir()
    background, signal = make_columns(3000), make_columns(200, seed=1, momentum=150)
    write_archive(folder / "cms_l1" / "train.tar", {"zerobias/run398183/train": background}, rows=1000)
    samples = {"zerobias/run398183/test": make_columns(50, seed=2), "signal/smj-case-A/test": signal}
    write_archive(folder / "cms_l1" / "test.tar", samples)
    write_parquet(folder / "zerobias.parquet", background)
    write_parquet(folder / "smj-case-A.parquet", signal)
    return folder


def trained(experiment: str, output: Path, *arguments: str) -> Path:
    done = train(f"experiment={experiment}", *SMALL, *arguments, f"output={output}")
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory) -> Path:
    files = (f"data.source={folder / 'zerobias.parquet'}", f"data.signals=[{folder / 'smj-case-A.parquet'}]")
    return trained("l1_ae_qat", tmp_path_factory.mktemp("l1") / "run", *files)


def test_the_test_says_what_is_found_beyond_the_menu(run):
    test = json.loads((run / "test.json").read_text())
    assert test["events"] == {"background": 600, "smj-case-A": 200}
    trigger = test["trigger"]
    assert trigger["crossings_khz"] == 28_000
    assert 0 < trigger["menu"]["background"]["efficiency"] < trigger["menu"]["smj-case-A"]["efficiency"] <= 1
    points = trigger["signals"]["smj-case-A"]["reconstruction error"]
    assert [point["rate_khz"] for point in points] == [1, 5, 10]
    assert all("600 background events support" in point["reason"] for point in points)
    point = test["signals"]["smj-case-A"]["reconstruction error"]["working_points"][0]
    assert point["trigger_rate_khz"] == pytest.approx(28)
    assert {"inputs.png", "trigger_rate.png", "reconstruction.png"} <= {
        path.name for path in (run / "figures").iterdir()
    }


def test_its_inputs_are_exact_and_its_firmware_is_proven(run, folder, tmp_path):
    done = command("export.py", f"ckpt={run / 'best.ckpt'}", f"output={tmp_path / 'export'}")
    assert done.returncode == 0, done.stderr
    parity = json.loads((tmp_path / "export" / "parity.json").read_text())
    assert parity["differing_words"] == 0
    assert parity["words"] == 57 * parity["samples"]
    assert parity["inputs"]["events"]["samples"] == 600 + 200
    report = read_reports(tmp_path / "export")[0]
    assert report.used.aluts > 1_000
    assert [row.aluts for row in report.rows if row.name == "input"] == [0]  # nothing is rounded


def test_fetched_archives_train_and_a_variational_encoder_is_proven(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIGGER_DATA", str(folder))
    run = trained("l1_vae_qat", tmp_path / "run", "data.events=1000", "data.crossings=1e2")
    test = json.loads((run / "test.json").read_text())
    assert test["events"] == {"background": 200, "smj-case-A": 200}
    points = test["trigger"]["signals"]["smj-case-A"]["radius Rz"]
    assert all(point["reason"] is None and 0 <= point["pure_efficiency"] <= point["efficiency"] for point in points)
    assert load_trained(run / "best.ckpt").data["events"] == 1000
    done = command("export.py", f"ckpt={run / 'best.ckpt'}", f"output={tmp_path / 'export'}")
    assert done.returncode == 0, done.stderr
    parity = json.loads((tmp_path / "export" / "parity.json").read_text())
    assert (parity["differing_words"], parity["words"]) == (0, 2 * parity["samples"])
    assert parity["inputs"]["events"]["description"] == (
        "CMS Level-1 zero bias of 2025 (Zenodo 21787779), test split, 200 background events and smj-case-A"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "data.source=cms_l1: no file data/cms_l1/train.tar; run python -m nanotrigger.data.fetch cms_l1"),
        (["data.source={}/nowhere.parquet"], "nowhere.parquet: no such file; give a Parquet file"),
        (["data.source={}/zerobias.parquet", "data.events=0"], "data.events=0: must be at least 1"),
        (["data.source={}/zerobias.parquet", "data.crossings=-1"], "data.crossings=-1.0: must be above 0, in kHz"),
        (["data.source={}/zerobias.parquet", "data.signals=[{}/zerobias.parquet]", "model.angular_phi=true"], "φ in h"),
        (["data.source=simulated", "data.signals=[{}/zerobias.parquet]"], "is in hardware units, "),
    ],
)
def test_what_is_wrong_is_one_line(folder, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    words = [word.replace("{}", str(folder)) for word in arguments]
    done = train("experiment=l1_ae_qat", *SMALL, *words)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert not list(tmp_path.iterdir())


def test_events_in_other_units_are_refused(run):
    done = command("export.py", f"ckpt={run / 'best.ckpt'}", "data=simulated")
    assert done.returncode == 2
    assert "events in GeV and radians, and the network learned hardware units; give data=" in done.stderr
