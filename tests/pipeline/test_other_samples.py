"""A test on another sample than the training's: no resume, and nothing is written."""

from pathlib import Path

import h5py
import numpy as np
import pytest

import nanotrigger as nt
from tests.command import ROOT
from tests.conftest import train

REFERENCE = ROOT / "checkpoints" / "reference"
SAMPLES = ROOT / "src" / "nanotrigger" / "data" / "samples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Other jets and events, and some that do not fit."""
    folder = tmp_path_factory.mktemp("samples")
    with h5py.File(SAMPLES / "jets.h5") as file:
        features, labels, texts = file["X"][:2000], file["y"][:2000], dict(file.attrs)
    for name, columns, changes in (
        ("jets.h5", 16, {}),
        ("columns.h5", 12, {"feature_names": texts["feature_names"][:12]}),
        ("classes.h5", 16, {"class_names": ["a", "b", "c", "d", "e"]}),
    ):
        with h5py.File(folder / name, "w") as file:
            file["X"], file["y"] = features[:, :columns], labels
            file.attrs.update({**texts, **changes})
    with h5py.File(SAMPLES / "events.h5") as file, h5py.File(folder / "events.h5", "w") as other:
        for name in ("background", "hTo4l"):
            other[name] = file[name][:500]
    with h5py.File(folder / "background.h5", "w") as file:
        file["background"] = np.asarray(h5py.File(folder / "events.h5")["background"])
    return folder


@pytest.mark.parametrize("subcommand", ["test", "validate"])
@pytest.mark.parametrize(
    ("name", "source", "key"), [("jets_qat", "jets.h5", "accuracy"), ("ad_vae_qat", "events.h5", "tpr")]
)
def test_another_sample_is_judged(folder, subcommand, name, source, key):
    before = {path: path.stat().st_mtime_ns for path in REFERENCE.rglob("*")}
    checkpoint = REFERENCE / f"{name}.ckpt"
    done = train(subcommand, f"ckpt_path={checkpoint}", f"data.source={folder / source}")
    assert done.returncode == 0, done.stderr
    judged = nt.evaluate(checkpoint, data=str(folder / source))
    assert f" {judged[key]:.4f} (68 % interval" in done.stdout
    assert "another sample than the training's" in done.stdout
    assert ("all 2,000 jets" in done.stdout) or ("all 500 background events" in done.stdout)
    assert {path: path.stat().st_mtime_ns for path in REFERENCE.rglob("*")} == before


def test_without_signals_nothing_is_claimed(folder):
    done = train("test", f"ckpt_path={REFERENCE / 'ad_ae.ckpt'}", f"data.source={folder / 'background.h5'}")
    assert done.returncode == 0, done.stderr
    assert "nothing tells how good the network is" in done.stdout


@pytest.mark.parametrize(
    ("name", "source", "told"),
    [
        ("jets_qat", "columns.h5", "has the feature_names"),
        ("jets_qat", "classes.h5", "has the class_names a, b, c, d, e, the checkpoint g, q, t, w, z"),
        ("jets_qat", "nowhere.h5", "no file"),
        ("ad_ae", "jets.h5", "events are a data set Particles"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused(folder, name, source, told):
    done = train("test", f"ckpt_path={REFERENCE / f'{name}.ckpt'}", f"data.source={folder / source}")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert told in done.stderr


def test_the_network_is_the_checkpoints(folder, quantized_run):
    words = ("test", f"ckpt_path={quantized_run / 'best.ckpt'}", f"data.source={folder / 'jets.h5'}")
    done = train(*words, "network.hidden=[8]")
    assert done.returncode == 2
    assert "the checkpoint was trained with network.hidden=[32, 32, 32]" in done.stderr


def test_a_copy_of_the_trainings_file_is_the_same_sample(folder, quantized_run):
    done = train("test", f"ckpt_path={quantized_run / 'best.ckpt'}", f"data.source={SAMPLES / 'jets.h5'}")
    assert done.returncode == 0, done.stderr
    assert "test_accuracy" in done.stdout
