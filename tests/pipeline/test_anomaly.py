"""Anomaly detection as a user runs it: four experiments trained, their networks and encoders exported and proven."""

import csv
import json
from pathlib import Path

import pytest

from nanotrigger.cost.record import read_reports
from nanotrigger.training.checkpoint import load_trained
from tests.command import command
from tests.conftest import train

SMALL = ("network.hidden=[12,6]", "trainer.max_epochs=2")
_OF_MOMENTA = {"reconstruction", "momenta"}
FIGURES = {"inputs", "history", "scores", "roc", "trigger_rate", *_OF_MOMENTA, "latent", "pca", "weights"}
QUANTIZED_FIGURES = {"input_quantizer", "quantizers"}
SIGNALS = ["hTo4l", "leptoquark"]

pytestmark = pytest.mark.slow


def trained(experiment: str, events: Path, folder: Path, *arguments: str) -> Path:
    words = (f"experiment={experiment}", f"data.source={events}", *SMALL, *arguments)
    done = train(*words, f"output={folder}")
    assert done.returncode == 0, done.stderr
    assert "signals hTo4l, leptoquark" in done.stdout
    return folder


def exported(checkpoint: Path, folder: Path, *arguments: str) -> dict:
    """Export, and return parity.json with what was printed."""
    done = command("export.py", f"ckpt={checkpoint}", f"output={folder}", *arguments)
    assert done.returncode == 0, done.stderr
    for name in ("model.onnx", "emulation.json", "datasheet.html", "tb_data/expected.txt"):
        assert (folder / name).stat().st_size > 0
    return json.loads((folder / "parity.json").read_text()) | {"stdout": done.stdout}


@pytest.fixture(scope="module")
def float_run(events_file, tmp_path_factory) -> Path:
    return trained("ad_ae", events_file, tmp_path_factory.mktemp("ad_ae") / "run", "evaluate=false")


@pytest.fixture(scope="module")
def quantized_run(events_file, tmp_path_factory, float_run) -> Path:
    warm = f"warm_start.ckpt={float_run / 'best.ckpt'}"
    return trained("ad_ae_qat", events_file, tmp_path_factory.mktemp("ad_ae_qat") / "run", "evaluate=false", warm)


@pytest.fixture(scope="module")
def variational_run(events_file, tmp_path_factory) -> Path:
    return trained("ad_vae", events_file, tmp_path_factory.mktemp("ad_vae") / "run")


@pytest.fixture(scope="module")
def quantized_variational_run(events_file, tmp_path_factory, variational_run) -> Path:
    warm = f"warm_start.ckpt={variational_run / 'best.ckpt'}"
    return trained("ad_vae_qat", events_file, tmp_path_factory.mktemp("ad_vae_qat") / "run", warm)


@pytest.fixture(params=["variational_run", "quantized_variational_run"])
def tested_run(request) -> tuple[Path, set[str]]:
    """A run folder, and the figures that it should have."""
    more = QUANTIZED_FIGURES if request.param.startswith("quantized") else set()
    return request.getfixturevalue(request.param), FIGURES | more


def test_a_run_leaves_everything(tested_run):
    folder, figures = tested_run
    for name in ("best.ckpt", "last.ckpt", "config.yaml", "metrics.csv"):
        assert (folder / name).stat().st_size > 0
    assert {path.name for path in (folder / "figures").iterdir()} == {f"{name}.png" for name in figures}
    result = json.loads((folder / "test.json").read_text())
    assert result["events"] == {"background": 600, "hTo4l": 400, "leptoquark": 300}
    scores = ["reconstruction error", "masked reconstruction error", "KL divergence", "radius Rz"]
    for signal in SIGNALS:
        assert list(result["signals"][signal]) == [*scores, "PCA reconstruction error", "PCA Mahalanobis distance"]
    assert result["signals"]["leptoquark"]["reconstruction error"]["auc"] > 0.9
    assert result["sparsity"]["total"]["zeros"] >= 0
    rows = list(csv.DictReader((folder / "roc.csv").read_text().splitlines()))
    assert {row["signal"] for row in rows} == set(SIGNALS)
    assert all(0 <= float(row["true_positive_rate"]) <= 1 for row in rows)


def test_a_warm_start_begins_where_the_float_network_ended(float_run, quantized_run):
    losses = [
        [float(row["val_loss"]) for row in csv.DictReader((run / "metrics.csv").read_text().splitlines())]
        for run in (float_run, quantized_run)
    ]
    assert losses[1][0] < losses[0][0]
    assert load_trained(quantized_run / "best.ckpt").network.formats["dense_3.weight"].width == 16


def test_a_quantized_autoencoder_is_proven(quantized_run, tmp_path):
    parity = exported(quantized_run / "best.ckpt", tmp_path / "export")
    assert parity["differing_words"] == 0
    assert parity["words"] == 57 * parity["samples"]
    assert parity["inputs"]["events"]["samples"] == 600 + 400 + 300
    assert parity["inputs"]["events"]["description"].startswith(
        "events.h5, test split, 600 background events and hTo4l"
    )
    assert read_reports(tmp_path / "export")[0].used.aluts > 1_000
    emulation = json.loads((tmp_path / "export" / "emulation.json").read_text())
    assert set(emulation["tpr_of"]) == set(SIGNALS)


def test_the_radius_is_proven(quantized_variational_run, tmp_path):
    parity = exported(quantized_variational_run / "best.ckpt", tmp_path / "export", "radius=true")
    assert (parity["differing_words"], parity["radius"]["differing_words"]) == (0, 0)
    assert parity["radius"]["words"] == parity["samples"]
    assert "products of two signals" in parity["stdout"]
    words = (tmp_path / "export" / "tb_data" / "expected.txt").read_text().splitlines()
    assert {len(line.split()) for line in words} == {1}


@pytest.mark.parametrize(
    ("run", "arguments", "words"),
    [("quantized_run", ["part=encoder"], 3), ("quantized_variational_run", [], 2)],
)
def test_an_encoder_is_proven(request, tmp_path, run, arguments, words):
    parity = exported(request.getfixturevalue(run) / "best.ckpt", tmp_path / "export", *arguments)
    assert parity["differing_words"] == 0
    assert parity["words"] == words * parity["samples"]
    assert read_reports(tmp_path / "export")
    judged = json.loads((tmp_path / "export" / "emulation.json").read_text())
    assert ("tpr" in judged) == (run == "quantized_variational_run")  # latent values of an autoencoder are no score


def test_a_float_autoencoder_is_quantized_after_training(float_run, tmp_path):
    parity = exported(float_run / "best.ckpt", tmp_path / "export", "precision=fixed<24,10>")
    assert parity["differing_words"] is None
    assert parity["largest_deviation"] < 0.1
    assert parity["tpr_firmware"] == pytest.approx(parity["tpr_torch"], abs=0.02)
    assert "true-positive rate" in parity["stdout"]


def test_background_alone_trains_too(tmp_path, events_file):
    words = ("experiment=ad_ae", f"data.source={events_file}", "data.signals=[]", *SMALL, "network.latent_size=1")
    done = train(*words, f"output={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "run" / "test.json").read_text())
    assert (result["events"], result["signals"]) == ({"background": 600}, {})
    figures = {path.stem for path in (tmp_path / "run" / "figures").iterdir()}
    assert figures == FIGURES - {"scores", "roc", "trigger_rate", "latent", "pca"}  # one latent value is no plane
