"""Columns by name: what HDF5, NumPy, Parquet and ROOT files hold, and what is refused."""

import sys

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import uproot

from nanotrigger.data.columns import column_names, read_columns
from nanotrigger.errors import InputError

MASS = np.array([80.0, 91.0, 173.0])
COUNT = np.array([20, 25, 60])
KIND = np.array(["w", "z", "t"])
IS_TOP = np.array([False, False, True])
COLUMNS = {"mass": MASS, "count": COUNT, "kind": KIND, "is_top": IS_TOP}


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        for name, column in COLUMNS.items():
            file[name] = column.astype(object) if name == "kind" else column


def write_group(path):
    with h5py.File(path, "w") as file:
        for name, column in COLUMNS.items():
            file[f"jets/{name}"] = column.astype("S") if name == "kind" else column


def structured():
    return np.rec.fromarrays([MASS, COUNT, KIND.astype("S"), IS_TOP], names=list(COLUMNS))


def write_compound(path):
    with h5py.File(path, "w") as file:
        file["jets"] = structured()
        file["other"] = structured()


def write_parquet(path):
    columns = {name: pa.array(column) for name, column in COLUMNS.items()}
    pyarrow.parquet.write_table(pa.table({**columns, "kind": columns["kind"].dictionary_encode()}), path)


def write_root(path):
    with uproot.recreate(path) as file:
        file.mkrntuple("jets", {name: ak.Array(column.tolist()) for name, column in COLUMNS.items()})


@pytest.mark.parametrize(
    ("name", "write", "table"),
    [
        ("a.h5", write_hdf5, None),
        ("group.h5", write_group, "jets"),
        ("compound.h5", write_compound, "jets"),
        ("a.npz", lambda path: np.savez(path, **COLUMNS), None),
        ("structured.npy", lambda path: np.save(path, structured()), None),
        ("a.parquet", write_parquet, None),
        ("a.root", write_root, None),
    ],
)
def test_columns(tmp_path, name, write, table):
    write(tmp_path / name)
    assert sorted(column_names(tmp_path / name, table)) == sorted(COLUMNS)
    for column, found in zip(COLUMNS, read_columns(tmp_path / name, list(COLUMNS), table), strict=True):
        assert found.dtype.kind == COLUMNS[column].dtype.kind
        assert found.tolist() == COLUMNS[column].tolist()
    with pytest.raises(InputError, match=rf"{name}: no column masss; did you mean mass\? it has "):
        read_columns(tmp_path / name, ["masss"], table)


def test_the_columns_of_a_matrix_have_names(tmp_path):
    names = ["mass", "count"]
    with h5py.File(tmp_path / "jets.h5", "w") as file:  # as in the public sets of jets
        file["jets"], file["jetFeatureNames"] = np.stack([MASS, COUNT], axis=1), np.array(names, "S")
        file["image"] = np.zeros((3, 5))
    with h5py.File(tmp_path / "X.h5", "w") as file:
        file["X"], file["y"] = np.stack([MASS, COUNT], axis=1), IS_TOP
        file.attrs["feature_names"] = names
    np.savez(tmp_path / "X.npz", X=np.stack([MASS, COUNT], axis=1), feature_names=names)
    for name in ("jets.h5", "X.h5", "X.npz"):
        mass, count = read_columns(tmp_path / name, names)
        assert (mass.tolist(), count.tolist()) == (MASS.tolist(), COUNT.tolist())


def test_trees(tmp_path):
    with uproot.recreate(tmp_path / "two.root") as file:
        for name in ("signal", "background"):
            file.mktree(name, {"mass": "float64", "pt": "var * float64"}).extend(
                {"mass": MASS, "pt": ak.Array([[1.0], [], [2.0, 3.0]])}
            )
    assert read_columns(tmp_path / "two.root", ["mass"], "signal")[0].tolist() == MASS.tolist()
    with pytest.raises(InputError, match=r"two.root has the trees signal, background; give data.table=NAME of one"):
        read_columns(tmp_path / "two.root", ["mass"])
    with pytest.raises(InputError, match="column pt holds lists or objects; each event must have one number or text"):
        read_columns(tmp_path / "two.root", ["pt"], "signal")


def test_without_uproot_its_extra_is_named(tmp_path, monkeypatch):
    write_root(tmp_path / "a.root")
    monkeypatch.setitem(sys.modules, "uproot", None)
    with pytest.raises(InputError, match=r'a.root: a ROOT file, which needs uproot: pip install "nanotrigger\[root\]"'):
        read_columns(tmp_path / "a.root", ["mass"])


@pytest.mark.parametrize("content", [b"", b"root", b"PAR1", b"\x89HDF\r\n\x1a\n"])
@pytest.mark.parametrize("name", ["a.root", "a.parquet", "a.h5", "a.npz"])
def test_damaged_files_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content and content + bytes(90))
    with pytest.raises(InputError, match=rf"{name}: (an empty file|not (a )?readable|a ROOT file|a Parquet file)"):
        read_columns(tmp_path / name, ["mass"])


def test_a_link_is_not_followed(tmp_path):
    write_hdf5(tmp_path / "other.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["count"], file["jets"] = COUNT, h5py.ExternalLink("other.h5", "/")
        file["mass"] = h5py.ExternalLink("other.h5", "/mass")
    assert column_names(tmp_path / "a.h5") == ["count"]
    with pytest.raises(InputError, match="jets is a link to somewhere else"):
        read_columns(tmp_path / "a.h5", ["mass"], "jets")


def test_columns_that_are_none(tmp_path):
    pyarrow.parquet.write_table(
        pa.table({"pt": [[1.0], [], [2.0]], "kind": ["w", None, "t"], "n": [1, None, 3]}), tmp_path / "a.parquet"
    )
    with pytest.raises(InputError, match="column pt holds lists"):
        read_columns(tmp_path / "a.parquet", ["pt"])
    with pytest.raises(InputError, match="column kind is empty for 1 events"):
        read_columns(tmp_path / "a.parquet", ["kind"])
    assert np.isnan(read_columns(tmp_path / "a.parquet", ["n"])[0]).tolist() == [False, True, False]
    with pytest.raises(InputError, match=r"data.table=x: .*a.parquet is a single table; leave data.table out"):
        read_columns(tmp_path / "a.parquet", ["n"], "x")
    np.savez(tmp_path / "a.npz", a=MASS, b=COUNT[:2])
    with pytest.raises(InputError, match="columns of different length: 3 of a, 2 of b"):
        read_columns(tmp_path / "a.npz", ["a", "b"])
