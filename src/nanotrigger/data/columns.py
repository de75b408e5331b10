"""Columns of tables by name, from HDF5, NumPy, Parquet and ROOT files: one value for each event."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotrigger.command import did_you_mean
from nanotrigger.data import parquet
from nanotrigger.data.hdf5 import (
    attributes,
    check_claim,
    check_readable,
    holds,
    opened,
    own_data_set,
    values_or_texts,
)
from nanotrigger.data.numpy_files import headers, is_numpy, read_array
from nanotrigger.errors import InputError

_Columns = dict[str, Callable[[], Any]]  # name → reads it
_MOST_NAMED = 40  # columns that a message names
_ROOT_TABLES = ("TTree", "ROOT::RNTuple", "TNtuple", "TNtupleD")


def has_columns(path: Path) -> bool:
    """Return whether a file is, by its name, of a kind that holds nothing but columns: Parquet or ROOT."""
    return path.suffix.lower() in (".parquet", ".root")


def read_columns(path: Path, names: Sequence[str], table: str | None = None) -> list[NDArray[Any]]:
    """Return columns of a file, each of shape (events,), numbers or texts.

    Args:
        path: `.parquet`, `.root`, `.npz` and `.npy` are read as such, other files as HDF5.
        names: of the columns. In an HDF5 file they are data sets of one dimension, fields of a compound data set, or
            columns of one with two dimensions, named by its file's attribute `feature_names` or by as many texts in a
            data set; likewise in a file of NumPy.
        table: name of the tree or RNTuple of a ROOT file, or of the group or data set of an HDF5 file. It may be left
            out where there is only one.

    Raises:
        InputError: the file cannot be read, has no such table or column, or a column is no list of numbers or texts.
    """
    with _opened(path)(path, table) as found:
        for name in names:
            if name not in found:
                has = ", ".join(list(found)[:_MOST_NAMED]) + ", …" * (len(found) > _MOST_NAMED)
                raise InputError(f"{path}: no column {name}; {did_you_mean(name, found)}it has {has or 'none'}")
        columns = [_checked(path, name, found[name]()) for name in names]
    if len({len(column) for column in columns}) > 1:
        has = ", ".join(f"{len(column)} of {name}" for name, column in zip(names, columns, strict=True))
        raise InputError(f"{path}: columns of different length: {has}; name those of the same events")
    return columns


def column_names(path: Path, table: str | None = None) -> list[str]:
    """Return the names of a file's columns; arguments and errors as of `read_columns`."""
    with _opened(path)(path, table) as found:
        return list(found)


def _opened(path: Path) -> Callable[[Path, str | None], AbstractContextManager[_Columns]]:
    if is_numpy(path):
        return _of_numpy
    return {".parquet": _of_parquet, ".root": _of_root}.get(path.suffix.lower(), _of_hdf5)


def _checked(path: Path, name: str, values: Any) -> NDArray[Any]:
    column = np.asarray(values)
    if column.dtype.kind == "S":
        column = np.char.decode(column, "utf-8", "replace")
    if column.ndim != 1 or column.dtype.kind not in "fiubU":
        kind = f"{column.dtype} of shape {column.shape}" if column.dtype.kind != "O" else "lists or objects"
        raise InputError(f"{path}: column {name} holds {kind}; each event must have one number or text in it")
    return column


@contextmanager
def _of_numpy(path: Path, table: str | None) -> Iterator[_Columns]:
    _refuse_table(path, table)
    found = headers(path)
    columns: _Columns = {}
    for name, header in found.items():
        read = cache(partial(read_array, path, name))
        if len(header.shape) == 2 and name == "X" and "feature_names" in found:
            columns |= _of_matrix(read, [str(text) for text in read_array(path, "feature_names").ravel()])
        elif header.dtype.names:
            columns |= {field: partial(_field, read, field) for field in header.dtype.names}
        elif len(header.shape) == 1:
            columns[name] = read
    yield columns


@contextmanager
def _of_hdf5(path: Path, table: str | None) -> Iterator[_Columns]:
    with opened(path, layout="give data.table=NAME of a group or a data set of the file") as file:
        place = _place(file, table)
        is_group = isinstance(place, h5py.Group)
        group = place if is_group else place.parent
        paths = [f"{group.name.rstrip('/')}/{name}" for name in group]
        members = [name for name in paths if holds(file, name) and isinstance(file[name], h5py.Dataset)]
        sets = {name: own_data_set(file, name) for name in members}
        tables = {
            name: names
            for name, data in sets.items()
            if (names := _names_of(data, sets)) and (is_group or data == place)
        }
        if len(tables) > 1:
            listed = ", ".join(name.removeprefix("/") for name in tables)
            raise InputError(f"{path} has the tables {listed}; give data.table=NAME of one")
        columns: _Columns = {}
        for name, data in sets.items():
            if data.ndim == 1 and is_group and not data.dtype.names:
                columns[name.removeprefix(f"{group.name}/").removeprefix("/")] = partial(values_or_texts, file, name)
        for name, names in tables.items():
            if sets[name].dtype.names:
                columns |= {field: partial(_own_field, sets[name], field) for field in names}
            else:
                columns |= _of_matrix(cache(partial(np.asarray, sets[name])), names)
        yield columns


def _place(file: h5py.File, table: str | None) -> h5py.Group | h5py.Dataset:
    """Return a group or a data set that lies in this very file."""
    names = [] if table is None else table.strip("/").split("/")
    for depth in range(1, len(names) + 1):
        if not holds(file, "/".join(names[:depth])):
            raise InputError(f"{file.filename}: {table} is a link to somewhere else; write a file that holds its data")
    return file["/".join(names)] if names else file


def _names_of(data: h5py.Dataset, sets: Mapping[str, h5py.Dataset]) -> list[str]:
    """Return the names of a data set's columns; none if it has no columns, or these no names.

    They are its fields, the file's attribute if it is `X`, or the only data set of texts beside it that has as many.
    """
    if data.dtype.names and data.ndim == 1:
        return list(data.dtype.names)
    if data.ndim != 2 or data.dtype.kind not in "fiub":
        return []
    path = Path(data.file.filename)
    if data.name == "/X" and len(names := attributes(path).get("feature_names", ())) == data.shape[1]:
        return list(names)
    texts = [other for other in sets.values() if other.shape == data.shape[1:] and other.dtype.kind in "SO"]
    return [str(name) for name in values_or_texts(data.file, texts[0].name)] if len(texts) == 1 else []


def _of_matrix(read: Callable[[], NDArray[Any]], names: Sequence[str]) -> _Columns:
    def column(place: int) -> NDArray[Any]:
        return read()[:, place]

    return {name: partial(column, place) for place, name in enumerate(names)}


def _field(read: Callable[[], NDArray[Any]], name: str) -> NDArray[Any]:
    return read()[name]


def _own_field(data: h5py.Dataset, name: str) -> NDArray[Any]:
    if data.dtype[name].kind not in "fiubS":  # texts of any length may have no end
        raise InputError(
            f"{data.file.filename}: column {name} holds {data.dtype[name]}, no number and no text of fixed length"
        )
    return np.asarray(data[name])


@contextmanager
def _of_parquet(path: Path, table: str | None) -> Iterator[_Columns]:
    from pyarrow.parquet import ParquetFile  # takes a moment to import; only Parquet needs it

    _refuse_table(path, table)
    with parquet.opened(path):
        file = ParquetFile(path)
        check_claim(path, "a column", 8 * file.metadata.num_rows)
        yield {name: partial(_arrow_column, path, file, name) for name in file.schema_arrow.names}


def _arrow_column(path: Path, file: Any, name: str) -> Any:
    import pyarrow as pa

    column = file.read([name], use_threads=False).column(0)
    if pa.types.is_dictionary(column.type):  # pandas' categories
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        if column.null_count:
            raise InputError(f"{path}: column {name} is empty for {column.null_count} events; remove those")
        return np.array(column.to_pylist(), str)
    return column.to_numpy()


@contextmanager
def _of_root(path: Path, table: str | None) -> Iterator[_Columns]:
    check_readable(path, "a ROOT file")
    try:
        import uproot  # takes a moment to import; only ROOT files need it
    except ModuleNotFoundError:
        raise InputError(f'{path}: a ROOT file, which needs uproot: pip install "nanotrigger[root]"') from None
    try:
        with uproot.open(path) as file:
            kinds = file.classnames(recursive=True, cycle=False)
            tables = [name for name, kind in kinds.items() if kind in _ROOT_TABLES]
            if not tables:
                raise InputError(f"{path}: a ROOT file without a tree or an RNTuple; it has nothing that can be read")
            if table not in tables and (table is not None or len(tables) != 1):
                raise InputError(f"{path} has the trees {', '.join(tables)}; give data.table=NAME of one")
            tree = file[table or tables[0]]
            check_claim(path, "a branch", 8 * tree.num_entries)
            yield {name: partial(tree[name].array, library="np") for name in tree.keys()}  # noqa: SIM118
    except InputError:
        raise
    except Exception as error:  # uproot raises anything on damaged files
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(f"{path}: not readable as a ROOT file ({reason}); write it again") from None


def _refuse_table(path: Path, table: str | None) -> None:
    if table is not None:
        raise InputError(f"data.table={table}: {path} is a single table; leave data.table out")
