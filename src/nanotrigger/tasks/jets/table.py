"""What a file of jets holds: HDF5 with attributes, or arrays of NumPy."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.hdf5 import attributes, data_set, opened, values_or_texts
from nanotrigger.data.numpy_files import Header, headers, is_numpy, read_array
from nanotrigger.errors import InputError
from nanotrigger.tasks.jets.labels import classes_of

PARTICLE_FEATURES = ("pt", "eta", "phi")
"""Of a particle: its share of the jet's transverse momentum, Δη and Δφ from the jet's axis."""

_NAMES = ("feature_names", "class_names")


class JetTable(NamedTuple):
    """What a file holds, labels as it states them.

    Attributes:
        array: name of what is read of it, `X` or `constituents`.
        values: its values, shape (jets, …).
        labels: shape (jets,) or (jets, classes).
        feature_names: one for each value of a jet, flattened in C order.
        class_names: one for each class.
        origin: where the jets come from, in words; may be empty.
    """

    array: str
    values: NDArray[np.float32]
    labels: NDArray[Any]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    origin: str


def read_table(path: Path) -> JetTable:
    """Return `X` of a file of jets, unchecked.

    Raises:
        InputError: it cannot be read, or has no features or labels.
    """
    return _read_numpy(path) if is_numpy(path) else _read_hdf5(path)


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


def _read_hdf5(path: Path, array: str = "X") -> JetTable:
    needed = _NAMES if array == "X" else _NAMES[1:]
    with opened(path, layout=f"a jet file holds {array}, y and the attributes {' and '.join(needed)}") as file:
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
        raise InputError(f"{path} has {_shapes(found)}; jets are X (jets, features) and labels y: {_how_to_join(path)}")
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
        class_names=names.get("class_names") or classes_of(path, labels),
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
