"""Tables of columns, a seed for each kind of file."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import uproot

from nanotrigger.data.columns import column_names, read_columns

_COLUMNS = {"mass": np.linspace(0, 1, 6), "count": np.arange(6), "kind": np.array(["g", "q"] * 3)}


def made_tables() -> list[tuple[str, bytes, Callable[[Path], None]]]:
    """Return name, content and reader of each."""
    writers = {".h5": _write_hdf5, ".parquet": _write_parquet, ".root": _write_root, ".npy": _write_numpy}
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix, write in writers.items():
            path = Path(folder, f"table{suffix}")
            write(path)
            made.append((f"table {suffix}", path.read_bytes(), _reader(suffix)))
    return made


def _reader(suffix: str) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        path = path.rename(path.with_suffix(suffix))
        read_columns(path, column_names(path)[-2:])

    return read


def _structured() -> np.ndarray:
    return np.rec.fromarrays([_COLUMNS["mass"], _COLUMNS["count"], _COLUMNS["kind"].astype("S")], names=list(_COLUMNS))


def _write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["pt"] = _COLUMNS["mass"]
        file["shapes"], file["names"] = np.zeros((6, 2)), np.array(["a", "b"], "S")


def _write_parquet(path: Path) -> None:
    pyarrow.parquet.write_table(pa.table(_COLUMNS), path)


def _write_root(path: Path) -> None:
    with uproot.recreate(path) as file:
        tree = file.mktree("jets", {"mass": "float64", "count": "int32"})
        tree.extend({name: _COLUMNS[name] for name in ("mass", "count")})


def _write_numpy(path: Path) -> None:
    np.save(path, _structured())
