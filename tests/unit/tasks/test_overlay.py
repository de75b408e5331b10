"""Runs over each other, from what the repository keeps of them."""

from pathlib import Path

import pytest

from nanotrigger.overlay import main

REFERENCE = Path(__file__).parents[3] / "checkpoints/reference"


def test_histories_and_weights_of_runs_are_drawn(tmp_path, capsys):
    runs = [str(REFERENCE / name) for name in ("jets_float", "jets_qat")]
    assert main([*runs, f"output={tmp_path}"]) == 0
    names = {f"overlay_{what}.{suffix}" for what in ("history", "weights") for suffix in ("png", "pdf")}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert {Path(line).name for line in capsys.readouterr().out.splitlines()} == names


def test_detectors_get_their_roc_curves_too(tmp_path):
    assert main([str(REFERENCE / "ad_ae"), str(REFERENCE / "ad_ae_budget"), f"output={tmp_path}"]) == 0
    assert "ad_ae_budget, reconstruction error" in (tmp_path / "detectors.md").read_text()


@pytest.mark.parametrize("name", ["nowhere", "studies"])
def test_a_folder_that_is_neither_is_refused(name, tmp_path, capsys):
    assert main([str(REFERENCE / "jets_qat"), str(REFERENCE / name), f"output={tmp_path}"]) == 2
    assert f"{name} has no study.json, as a scan, and no metrics.csv" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
