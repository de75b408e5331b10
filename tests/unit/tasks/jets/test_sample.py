"""Jet files: sources, layout and every kind of damage."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.files import sha256
from nanotrigger.tasks.jets.data import SHIPPED_SAMPLE, read_jets, resolve_source


def write(path: Path, **changes) -> Path:
    content = {
        "X": np.arange(12, dtype=np.float32).reshape(6, 2),
        "y": np.array([0, 1, 2, 0, 1, 2], np.int8),
        "feature_names": ["mass", "multiplicity"],
        "class_names": ["g", "q", "t"],
    } | changes
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            if value is not None and name in ("X", "y"):
                file[name] = value
            elif value is not None:
                file.attrs[name] = value
    return path


def test_reads_a_file(tmp_path):
    sample = read_jets(str(write(tmp_path / "mine.h5")))
    assert sample.features.shape == (6, 2)
    assert sample.features.dtype == np.float32
    assert sample.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert sample.class_names == ("g", "q", "t")
    assert sample.description == "mine.h5"
    described = write(tmp_path / "mine.h5", source="Pythia 8 simulation")
    assert read_jets(str(described)).description == "mine.h5: Pythia 8 simulation"


def test_the_shipped_sample():
    sample = read_jets("simulated")
    assert sample.features.shape == (50_000, 16)
    assert np.bincount(sample.labels).tolist() == [10_000] * 5
    assert sample.class_names == ("g", "q", "t", "w", "z")
    assert SHIPPED_SAMPLE.stat().st_size <= 3_000_000


@pytest.mark.parametrize("labels", [np.array([0.0, 1, 1, 0, 1, 0]), np.array([False, True, True, False, True, False])])
def test_labels_and_names_of_other_types(tmp_path, labels):
    names = np.array([b"sig", b"bkg"])
    sample = read_jets(str(write(tmp_path / "mine.h5", y=labels, class_names=names)))
    assert sample.labels.dtype == np.int64
    assert sample.class_names == ("sig", "bkg")


def test_a_fetched_file_must_match_its_checksum(tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIGGER_DATA", str(tmp_path))
    path = write(tmp_path / "jets_openml.h5")
    path.with_suffix(".h5.sha256").write_text(f"{sha256(path)}  jets_openml.h5\n")
    assert read_jets("openml").description == "hls4ml LHC jets (OpenML 42468)"
    write(path, y=np.array([1, 1, 2, 0, 1, 2], np.int8))
    with pytest.raises(InputError, match=r"does not match jets_openml.h5.sha256; run python -m nanotrigger"):
        read_jets("openml")


def test_auto_prefers_the_fetched_file(tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIGGER_DATA", str(tmp_path))
    assert resolve_source("auto") == "simulated"
    write(tmp_path / "jets_openml.h5")
    assert resolve_source("auto") == "openml"
    assert len(read_jets("auto").labels) == 6


NAN = np.array([[1, 2], [3, np.nan]], np.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": None}, "a jet file holds X, y and the attributes"),
        ({"y": None}, "a jet file holds X, y and the attributes"),
        ({"class_names": None}, "a jet file holds X, y and the attributes"),
        ({"feature_names": None}, "a jet file holds X, y and the attributes"),
        ({"X": np.zeros(6, np.float32)}, r"X has shape (6,) and y (6,)"),
        ({"y": np.zeros(5, np.int8)}, r"X has shape (6, 2) and y (5,)"),
        ({"X": np.zeros((0, 2), np.float32), "y": np.zeros(0, np.int8)}, "X has shape (0, 2)"),
        ({"feature_names": ["mass"]}, "1 feature_names for 2 columns of X"),
        ({"X": NAN, "y": np.zeros(2, np.int8)}, "X[1, 1] (multiplicity) is nan, and 1 values in all"),
        ({"class_names": ["g", "g", "t"]}, "class_names g, g, t; give at least two classes"),
        ({"class_names": ["g"], "y": np.zeros(6, np.int8)}, "class_names g; give at least two classes"),
        ({"y": np.array([0, 1, 2, 0, 7, 2], np.int8)}, "y[4] = 7 is no class; labels are 0 to 2 (g, q, t)"),
        ({"y": np.array([0, 1, 2, 0, -1, 2], np.int8)}, "y[4] = -1 is no class"),
        ({"y": np.array([0, 1, 2, 0, 0.5, 2])}, "y[4] = 0.5 is no class"),
        ({"X": np.array([["a", "b"]] * 6, dtype="S1")}, "X holds |S1, no numbers"),
    ],
)
def test_refuses_other_layouts(tmp_path, changes, message):
    path = write(tmp_path / "bad.h5", **changes)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_jets(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_refuses_a_missing_file(tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIGGER_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"no file .*; give auto, openml, simulated or the path"):
        read_jets(str(tmp_path / "none.h5"))
    with pytest.raises(InputError, match=r"run python -m nanotrigger.data.fetch jets"):
        read_jets("openml")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", None])
def test_refuses_a_damaged_file(tmp_path, content):
    path = tmp_path / "damaged.h5"
    whole = write(tmp_path / "whole.h5").read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        read_jets(str(path))
