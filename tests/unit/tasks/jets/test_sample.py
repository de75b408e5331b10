"""Jet files: sources, layout and every kind of damage."""

import re
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from nanotrigger.errors import InputError
from nanotrigger.files import sha256
from nanotrigger.tasks.jets.sample import SHIPPED_SAMPLE, read_jets, resolve_source
from nanotrigger.tasks.jets.table import Choice


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


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"<html>not found</html>", "not a readable HDF5 file"),
        (None, "not a readable HDF5 file"),
    ],
)
def test_refuses_a_damaged_file(tmp_path, content, reason):
    path = tmp_path / "damaged.h5"
    whole = write(tmp_path / "whole.h5").read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(InputError, match=reason):
        read_jets(str(path))


CLASSES = np.array(["g", "q", "t"])
NUMBERS = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    "labels",
    [CLASSES[NUMBERS].astype("S"), CLASSES[NUMBERS].astype(object), np.eye(3)[NUMBERS], NUMBERS[:, None]],
    ids=["fixed text", "text of any length", "a column for each class", "one column"],
)
def test_labels_that_mean_classes(tmp_path, labels):
    assert read_jets(str(write(tmp_path / "mine.h5", y=labels))).labels.tolist() == NUMBERS.tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([b"g", b"x"] * 3), r"y\[1\] = x is no class; class_names are g, q, t"),
        (np.eye(4)[NUMBERS], "y has 4 columns for 3 class_names"),
        (np.eye(3)[NUMBERS] / 2, r"y\[0\] = \[0.5, 0.0, 0.0\] is no class; one column must be 1"),
        (np.ones((6, 3)), r"y\[0\] = \[1.0, 1.0, 1.0\] is no class"),
    ],
)
def test_labels_that_mean_none(tmp_path, labels, message):
    with pytest.raises(InputError, match=message):
        read_jets(str(write(tmp_path / "mine.h5", y=labels)))


FEATURES = np.arange(12, dtype=np.float32).reshape(6, 2)


@pytest.mark.parametrize(
    ("arrays", "classes"),
    [
        ({"y": NUMBERS}, ("0", "1", "2")),
        ({"y": np.eye(3)[NUMBERS]}, ("0", "1", "2")),
        ({"y": CLASSES[NUMBERS]}, ("g", "q", "t")),
        ({"y": CLASSES[NUMBERS].astype("S"), "class_names": CLASSES}, ("g", "q", "t")),
        ({"y": NUMBERS, "class_names": CLASSES.astype("S")}, ("g", "q", "t")),
    ],
)
def test_arrays_of_numpy(tmp_path, arrays, classes):
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "mine.npz", X=FEATURES, **arrays)
        sample = read_jets(str(tmp_path / "mine.npz"))
        assert sample.features.tolist() == FEATURES.tolist()
        assert sample.labels.tolist() == NUMBERS.tolist()
        assert sample.class_names == classes
        assert sample.feature_names == ("feature_1", "feature_2")


def test_features_alone_say_how_they_are_joined_with_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("X_train_val.npy", FEATURES)
    np.save("y_train_val.npy", NUMBERS)
    with pytest.raises(InputError, match=r"has X_train_val \(6, 2\); jets are X") as caught:
        read_jets("X_train_val.npy")
    line = re.search(r"import numpy.*", str(caught.value))[0].replace("'g', 'q', 't', 'w', 'z'", "'g', 'q', 't'")
    exec(line)
    assert read_jets("jets.npz").labels.tolist() == NUMBERS.tolist()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": CLASSES[NUMBERS].astype(object)}, r"y holds Python objects, .* write it again as y.astype\(str\)"),
        ({"y": NUMBERS * 10**6}, "y goes up to 2000000, which is no number of a class; add class_names"),
        ({"y": NUMBERS + 0.5}, r"y\[0\] = 0.5 is no class"),
        ({"labels": NUMBERS}, r"has X \(6, 2\), labels \(6,\); jets are X"),
        ({"y": NUMBERS, "class_names": CLASSES, "feature_names": CLASSES}, "3 feature_names for 2 columns"),
        ({"y": NUMBERS.astype(complex)}, "y must be|y complex128"),
    ],
)
def test_arrays_that_are_no_jets(tmp_path, arrays, message):
    np.savez(tmp_path / "mine.npz", X=FEATURES, **arrays)
    with pytest.raises(InputError, match=message):
        read_jets(str(tmp_path / "mine.npz"))


TEXTS, ONE_HOT = CLASSES[NUMBERS], dict(zip(("is_g", "is_q", "is_t"), np.eye(3)[NUMBERS].T, strict=True))
TABLE = {
    "mass": FEATURES[:, 0],
    "event": np.arange(6),
    "pt": FEATURES[:, 1],
    "kind": TEXTS,
    "number": NUMBERS,
    **ONE_HOT,
}


@pytest.mark.parametrize(
    ("label", "given", "classes"),
    [
        ("kind", None, ("g", "q", "t")),
        ("kind", ("t", "q", "g"), ("t", "q", "g")),
        ("number", None, ("0", "1", "2")),
        ("number", ("g", "q", "t"), ("g", "q", "t")),
        (tuple(ONE_HOT), None, tuple(ONE_HOT)),
    ],
)
def test_columns_of_a_table(tmp_path, label, given, classes):
    pandas_like = pa.table(TABLE)
    pyarrow.parquet.write_table(pandas_like, tmp_path / "mine.parquet")
    pyarrow.parquet.write_table(pandas_like, tmp_path / "more.parquet")
    np.savez(tmp_path / "mine.npz", **TABLE)
    choice = Choice(features=("pt", "mass"), label=label, class_names=given)
    for source in ("mine.npz", "mine.parquet", ["mine.parquet", "more.parquet"]):
        paths = str(tmp_path / source) if isinstance(source, str) else [str(tmp_path / name) for name in source]
        sample, times = read_jets(paths, choice=choice), 1 if isinstance(source, str) else 2
        assert sample.features.tolist() == FEATURES[:, ::-1].tolist() * times
        assert [sample.class_names[number] for number in sample.labels] == [classes[n] for n in _order(given)] * times
        assert sample.feature_names == ("pt", "mass")
        assert sample.class_names == classes
    assert sample.description == "mine.parquet to more.parquet (2 files)"
    assert sample.sha256 != read_jets(paths[0], choice=choice).sha256


def _order(given: tuple[str, ...] | None) -> list[int]:
    return NUMBERS.tolist() if given != ("t", "q", "g") else (2 - NUMBERS).tolist()


def test_some_features_of_the_own_layout(tmp_path):
    sample = read_jets(str(write(tmp_path / "mine.h5")), choice=Choice(features=("multiplicity",)))
    assert sample.features.tolist() == FEATURES[:, 1:].tolist()
    assert sample.class_names == ("g", "q", "t")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(), r"mine.parquet has the columns mass, event, pt, .*: name data.features=\[A,B,…\] and data.label=C"),
        (Choice(features=("mass",), label="kinds"), "no column kinds; did you mean kind"),
        (Choice(features=("kind",), label="number"), "column kind holds texts; a feature needs numbers"),
        (
            Choice(features=("mass",), label=("is_g", "is_q")),
            r"y\[2\] = \[0.0, 0.0\] is no class; one column must be 1",
        ),
        (
            Choice(features=("mass",), label="kind", class_names=("g", "q")),
            r"y\[2\] = t is no class; class_names are g, q",
        ),
    ],
)
def test_columns_that_are_no_jets(tmp_path, choice, message):
    pyarrow.parquet.write_table(pa.table(TABLE), tmp_path / "mine.parquet")
    with pytest.raises(InputError, match=message):
        read_jets(str(tmp_path / "mine.parquet"), choice=choice)


def test_files_of_one_source_agree(tmp_path):
    first, second = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", feature_names=["mass", "n"])
    with pytest.raises(InputError, match=r"b.h5 has other features than .*a.h5: \['mass', 'n'\]"):
        read_jets([str(first), str(second)])
    assert len(read_jets([str(first), str(first)]).labels) == 12
    with pytest.raises(InputError, match=r"no file .*none.h5"):
        read_jets([str(first), str(tmp_path / "none.h5")])
