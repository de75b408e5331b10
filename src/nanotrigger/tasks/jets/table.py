"""What a file of jets holds: HDF5 with attributes, or arrays of NumPy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.hdf5 import attributes, data_set, opened, values_or_texts
from nanotrigger.data.numpy_files import Header, headers, is_numpy, read_array
from nanotrigger.errors import InputError
from nanotrigger.tasks.jets.labels import classes_of

_NAMES = ("feature_names", "class_names")


class JetTable(NamedTuple):
    """What a file holds, labels as it states them."""

    features: NDArray[np.float32]
    labels: NDArray[Any]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    origin: str


def read_table(path: Path) -> JetTable:
    """Return what a file of jets holds, unchecked.

    Raises:
        InputError: it cannot be read, or has no features or labels.
    """
    return _read_numpy(path) if is_numpy(path) else _read_hdf5(path)


def _read_hdf5(path: Path) -> JetTable:
    with opened(path, layout="a jet file holds X, y and the attributes feature_names and class_names") as file:
        texts = attributes(path)
        for name in _NAMES:
            if name not in texts:
                raise KeyError(f"there is no attribute {name}")
        return JetTable(
            features=np.asarray(data_set(file, "X")[:], dtype=np.float32),
            labels=values_or_texts(file, "y"),
            feature_names=texts["feature_names"],
            class_names=texts["class_names"],
            origin=" ".join(texts.get("source", ())),
        )


def _read_numpy(path: Path) -> JetTable:
    """Read `X`, `y` and, if they are there, `feature_names` and `class_names` of a file of NumPy."""
    found = headers(path)
    if not {"X", "y"} <= set(found):
        raise InputError(f"{path} has {_shapes(found)}; jets are X (jets, features) and labels y: {_how_to_join(path)}")
    features, labels = read_array(path, "X"), read_array(path, "y")
    if features.dtype.kind not in "fiub" or labels.dtype.kind not in "fiubU":
        raise InputError(
            f"{path}: X holds {features.dtype} and y {labels.dtype}; X must be numbers, y numbers or names"
        )
    names = {name: tuple(map(str, read_array(path, name).ravel())) for name in _NAMES if name in found}
    columns = features.shape[1] if features.ndim == 2 else 0
    return JetTable(
        features=np.asarray(features, dtype=np.float32),
        labels=labels,
        feature_names=names.get("feature_names", tuple(f"feature_{column + 1}" for column in range(columns))),
        class_names=names.get("class_names") or classes_of(path, labels),
        origin="",
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
