"""What files of jets hold: HDF5 with attributes, arrays of NumPy, or columns that are chosen by name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.columns import column_names as column_names_of
from nanotrigger.data.columns import has_columns, read_columns
from nanotrigger.data.hdf5 import attributes, data_set, opened, values_or_texts
from nanotrigger.data.numpy_files import Header, headers, is_numpy, read_array
from nanotrigger.errors import InputError

PARTICLE_FEATURES = ("pt", "eta", "phi")
"""Of a particle: its share of the jet's transverse momentum, Δη and Δφ from the jet's axis."""

_NAMES = ("feature_names", "class_names")
_COLUMNS = "columns named by data.features=[A,B,…] and data.label=C"


class Choice(NamedTuple):
    """What is read of files by name; the layout with `X` and `y` needs none of it.

    Attributes:
        features: names of columns.
        label: the column of classes, or one for each class, of which one is 1 and the others 0.
        table: in which the columns are, as of `read_columns`.
        class_names: in the order of the labels' numbers; without it those of the file, or the labels' own.
    """

    features: tuple[str, ...] | None = None
    label: str | tuple[str, ...] | None = None
    table: str | None = None
    class_names: tuple[str, ...] | None = None


def chosen_as(record: Mapping[str, Any]) -> Choice:
    """Return what is read of files like that of a training, whose record of the data a checkpoint has."""
    columns = record.get("columns")
    if columns is None:
        return Choice()
    lists: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()
    }
    return Choice(**{**lists, "class_names": tuple(record["class_names"])})


class JetTable(NamedTuple):
    """What a file holds, labels as it states them.

    Attributes:
        array: name of what is read of it, `X` or `constituents`.
        values: its values, shape (jets, …).
        labels: shape (jets,) or (jets, classes).
        feature_names: one for each value of a jet, flattened in C order.
        class_names: one for each class; none if the file has no names.
        origin: where the jets come from, in words; may be empty.
    """

    array: str
    values: NDArray[np.float32]
    labels: NDArray[Any]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    origin: str


def read_table(path: Path, choice: Choice = Choice()) -> JetTable:  # noqa: B008
    """Return `X`, or the columns that are chosen, of a file of jets, unchecked.

    Raises:
        InputError: it cannot be read, or has no features or labels.
    """
    if choice.label is not None or choice.table is not None or has_columns(path):
        return _read_columns(path, choice)
    table = _read_numpy(path) if is_numpy(path) else _read_hdf5(path)
    return table if choice.features is None else _chosen(path, table, choice.features)


def join_tables(paths: Sequence[Path], tables: Sequence[JetTable]) -> JetTable:
    """Return the jets of all files as one table.

    Raises:
        InputError: files with other features or classes, or labels of another kind, than the first one.
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    for path, table in zip(paths, tables, strict=True):
        for name, has, wants in (
            ("features", table.feature_names, first.feature_names),
            ("classes", table.class_names, first.class_names),
            ("values of a jet", table.values.shape[1:], first.values.shape[1:]),
            ("labels", _kind_of_labels(table), _kind_of_labels(first)),
        ):
            if has != wants:
                raise InputError(f"{path} has other {name} than {paths[0]}: {list(has)}, {list(wants)}; leave it out")
    return first._replace(
        values=np.concatenate([np.atleast_1d(table.values) for table in tables]),
        labels=np.concatenate([np.atleast_1d(table.labels) for table in tables]),
    )


def read_constituents(path: Path, count: int) -> JetTable:
    """Return the first particles of `constituents` of a file of jets, which are the hardest, otherwise unchecked.

    Args:
        path: of the file.
        count: how many of each jet.

    Raises:
        InputError: it cannot be read, or has no labels, or no or not so many constituents.
    """
    table = _read_numpy(path, "constituents") if is_numpy(path) else _read_hdf5(path, "constituents")
    shape = table.values.shape
    if len(shape) != 3 or shape[2] != len(PARTICLE_FEATURES):
        raise InputError(f"{path}: constituents has shape {shape}; expected (jets, particles, 3): pT share, Δη, Δφ")
    if shape[1] < count:
        raise InputError(
            f"{path} has {shape[1]} constituents of each jet: set data.constituents={shape[1]}, or simulate with "
            f"--constituents {count}"
        )
    values = table.values[:, :count]
    return table._replace(values=values, feature_names=column_names(values.shape[1:], PARTICLE_FEATURES))


def column_names(shape: tuple[int, ...], features: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each value of a jet from those of the features of its particles or cells.

    Other names than one for each feature stay as they are, and so does one for each value.

    Args:
        shape: of a jet, features last, flattened in C order.
        features: of the features of a particle or a cell; if it is a single one, the place alone is the name.

    >>> column_names((2, 2), ("pt", "eta"))
    ('particle_1_pt', 'particle_1_eta', 'particle_2_pt', 'particle_2_eta')
    >>> column_names((1, 2, 1), ("pt",))
    ('cell_1_1', 'cell_1_2')
    """
    if len(shape) < 2 or len(features) != shape[-1]:
        return tuple(features)
    kind = "particle" if len(shape) == 2 else "cell"
    places = ("_".join(str(number + 1) for number in place) for place in np.ndindex(shape[:-1]))
    endings = ("",) if len(features) == 1 else tuple(f"_{name}" for name in features)
    return tuple(f"{kind}_{place}{ending}" for place in places for ending in endings)


def _read_columns(path: Path, choice: Choice) -> JetTable:
    if choice.features is None or choice.label is None:
        has = ", ".join(column_names_of(path, choice.table))
        raise InputError(f"{path} has the columns {has}: name data.features=[A,B,…] and data.label=C among them")
    labels = [choice.label] if isinstance(choice.label, str) else list(choice.label)
    columns = read_columns(path, [*choice.features, *labels], choice.table)
    features, classes = columns[: len(choice.features)], columns[len(choice.features) :]
    for name, column in zip(choice.features, features, strict=True):
        if column.dtype.kind == "U":
            raise InputError(f"{path}: column {name} holds texts; a feature needs numbers")
    return JetTable(
        array="the table",
        values=np.stack(features, axis=1).astype(np.float32),
        labels=classes[0] if isinstance(choice.label, str) else np.stack(classes, axis=1),
        feature_names=choice.features,
        class_names=() if isinstance(choice.label, str) else choice.label,
        origin="",
    )


def _chosen(path: Path, table: JetTable, features: Sequence[str]) -> JetTable:
    """Return some of the features of `X`."""
    missing = [name for name in features if name not in table.feature_names]
    if missing or table.values.ndim != 2:
        has = ", ".join(table.feature_names)
        raise InputError(f"data.features: {path} has no feature {missing[0] if missing else 'alone'}; it has {has}")
    places = [table.feature_names.index(name) for name in features]
    return table._replace(values=table.values[:, places], feature_names=tuple(features))


def _kind_of_labels(table: JetTable) -> tuple[bool | int, ...]:
    return (table.labels.dtype.kind == "U", *table.labels.shape[1:])


def _read_hdf5(path: Path, array: str = "X") -> JetTable:
    needed = _NAMES if array == "X" else _NAMES[1:]
    layout = f"a jet file holds {array}, y and the attributes {' and '.join(needed)}, or {_COLUMNS}"
    with opened(path, layout=layout) as file:
        if array != "X" and not file.id.links.exists(array.encode()):  # `in` would follow a link into another file
            raise _without(path, array)
        texts = attributes(path)
        for name in needed:
            if name not in texts:
                raise KeyError(f"there is no attribute {name}")
        values = np.asarray(data_set(file, array)[:], dtype=np.float32)
        return JetTable(
            array=array,
            values=values,
            labels=values_or_texts(file, "y"),
            feature_names=column_names(values.shape[1:], texts.get("feature_names", ())),
            class_names=texts["class_names"],
            origin=" ".join(texts.get("source", ())),
        )


def _read_numpy(path: Path, array: str = "X") -> JetTable:
    """Read an array, `y` and, if they are there, `feature_names` and `class_names` of a file of NumPy."""
    found = headers(path)
    if array != "X" and array not in found:
        raise _without(path, array)
    if not {array, "y"} <= set(found):
        raise InputError(
            f"{path} has {_shapes(found)}; jets are X (jets, features) and y, or {_COLUMNS}: {_how_to_join(path)}"
        )
    values, labels = read_array(path, array), read_array(path, "y")
    if values.dtype.kind not in "fiub" or labels.dtype.kind not in "fiubU":
        raise InputError(
            f"{path}: {array} holds {values.dtype} and y {labels.dtype}; {array} must be numbers, y numbers or names"
        )
    names = {name: tuple(map(str, read_array(path, name).ravel())) for name in _NAMES if name in found}
    of_a_place = tuple(f"feature_{number + 1}" for number in range(values.shape[-1] if values.ndim > 1 else 0))
    return JetTable(
        array=array,
        values=np.asarray(values, dtype=np.float32),
        labels=labels,
        feature_names=column_names(values.shape[1:], names.get("feature_names", of_a_place)),
        class_names=names.get("class_names", ()),
        origin="",
    )


def _without(path: Path, array: str) -> InputError:
    return InputError(
        f"{path} has no {array}: simulate with --constituents 16, give data.source=simulated, or set "
        "data.inputs=features"
    )


def _shapes(found: Mapping[str, Header]) -> str:
    return ", ".join(f"{name} {header.shape}" for name, header in found.items()) or "no array"


def _how_to_join(path: Path) -> str:
    """Return the line of Python that makes one file of features, which lie in this one, and labels."""
    labels = path.with_name(f"y{path.name.removeprefix('X')}")
    is_of_pair = path.name.startswith("X") and labels.is_file()
    features = f"np.load('{path}')" + ("" if path.suffix.lower() == ".npy" else "['FEATURES']")
    y = f"np.load('{labels}')" if is_of_pair else "LABELS"
    names = "['g', 'q', 't', 'w', 'z']"
    return f"import numpy as np; np.savez('jets.npz', X={features}, y={y}, class_names={names})"
