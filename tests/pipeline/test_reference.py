"""The reference checkpoints: as good as recorded, and exported from a clone that has no training data."""

import json

import pytest

from nanotrigger.evaluation.classification import accuracy
from nanotrigger.firmware.witnesses import torch_outputs
from nanotrigger.tasks import judged_events
from nanotrigger.training.checkpoint import load_trained
from tests.command import ROOT, command

REFERENCE = ROOT / "checkpoints" / "reference"


@pytest.mark.parametrize("name", ["jets_float", "jets_qat"])
def test_is_as_good_as_recorded(name):
    trained = load_trained(REFERENCE / f"{name}.ckpt")
    events = judged_events(trained, "simulated")
    recorded = json.loads((REFERENCE / name / "test.json").read_text())["accuracy"]
    # another 50,000 jets: two independent samples differ by 0.3 points, and by 1.5 only if something is wrong
    assert abs(accuracy(torch_outputs(trained.network, events.features), events.labels) - recorded) < 0.015
    assert (REFERENCE / f"{name}.ckpt").stat().st_size < 200_000


def test_quantization_costs_at_most_one_and_a_half_points():
    float_, quantized = (
        json.loads((REFERENCE / name / "test.json").read_text())["accuracy"] for name in ("jets_float", "jets_qat")
    )
    assert float_ - quantized < 0.015


def test_exports_where_the_training_data_are_absent(tmp_path):
    done = command("export.py", f"ckpt={REFERENCE / 'jets_qat.ckpt'}", f"output={tmp_path / 'export'}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "shipped sample), all 50,000 jets; the training data" in done.stdout
    assert "are not at hand, the scaling is the checkpoint's own" in done.stdout
    parity = json.loads((tmp_path / "export" / "parity.json").read_text())
    assert parity["differing_words"] == 0
    assert parity["inputs"]["events"]["samples"] == 50_000
