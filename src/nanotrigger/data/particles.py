"""Collision events in the layout of ADC2021 (arXiv 2107.02157): the layout itself, and events read from files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.hdf5 import data_set, holds, opened
from nanotrigger.data.numpy_files import headers, is_numpy, read_array
from nanotrigger.errors import InputError

PARTICLES = "Particles"  # the data set of ADC2021's files
COLUMNS = ("pT [GeV]", "eta", "phi [rad]", "type (1 MET, 2 e/gamma, 3 mu, 4 jet)")  # of an object


@dataclass(frozen=True)
class ObjectKind:
    """A kind of object.

    Attributes:
        name: in names of features.
        type: number in the last column; 0 stands for an absent object of any kind.
        rows: of an event, ordered by falling pT.
    """

    name: str
    type: int
    rows: slice

    @property
    def count(self) -> int:
        """How many objects of this kind an event has at most."""
        return int(self.rows.stop - self.rows.start)

    @property
    def object_names(self) -> tuple[str, ...]:
        """Names of its objects, numbered if there can be several.

        >>> ObjectKind("muon", 3, slice(5, 7)).object_names
        ('muon_1', 'muon_2')
        """
        return (self.name,) if self.count == 1 else tuple(f"{self.name}_{place + 1}" for place in range(self.count))


MET = ObjectKind("met", 1, slice(0, 1))
EGAMMA = ObjectKind("egamma", 2, slice(1, 5))
MUON = ObjectKind("muon", 3, slice(5, 9))
JET = ObjectKind("jet", 4, slice(9, 19))
KINDS = (MET, EGAMMA, MUON, JET)

OBJECTS = tuple(name for kind in KINDS for name in kind.object_names)
FEATURE_NAMES = tuple(f"{name}_{quantity}" for name in OBJECTS for quantity in ("pt", "eta", "phi"))
EVENT_SHAPE = (len(OBJECTS), len(COLUMNS))
_TYPES = np.repeat([kind.type for kind in KINDS], [kind.count for kind in KINDS])  # of the object in each row
_LAYOUT_IN_WORDS = (
    f"events are a data set {PARTICLES} of shape (events, {EVENT_SHAPE[0]}, {EVENT_SHAPE[1]}): MET, {EGAMMA.count} "
    f"e/gamma, {MUON.count} muons and {JET.count} jets with pT, eta, phi and type"
)
_BLOCK = 100_000  # events at once


def particle_sets(path: Path) -> dict[str, int]:
    """Return the data sets of a file that hold events, by name, and their numbers of events.

    Raises:
        InputError: the file is missing, no HDF5 file and none of NumPy, or has none.
    """
    sets = _shapes(path)
    found = {name: shape[0] for name, shape in sets.items() if shape[1:] == EVENT_SHAPE and shape[0]}
    if not found:
        has = ", ".join(f"{name} {shape}" for name, shape in sets.items()) or "no data set"
        raise InputError(f"{path} has {has}; {_LAYOUT_IN_WORDS}")
    return found


def read_particles(path: Path, name: str = PARTICLES, most: int | None = None) -> NDArray[np.float32]:
    """Return the features of a data set's events, shape (events, 57), in the order of `FEATURE_NAMES`.

    pT is in GeV; objects that are absent are zeros.

    Args:
        path: of the file.
        name: of the data set.
        most: number of events, the first ones; all by default.

    Raises:
        InputError: the file cannot be read, a value is not finite, or an object is not of its row's type.
    """
    with _rows(path, name) as rows:
        count = len(rows) if most is None else min(len(rows), most)
        events: NDArray[np.float32] = np.empty((count, len(FEATURE_NAMES)), np.float32)
        for start, block in _blocks(path, name, rows, count):
            events[start : start + len(block)] = block[:, :, :3].reshape(len(block), -1)
    return events


def check_particles(path: Path, name: str = PARTICLES, most: int | None = None) -> None:
    """Check a data set's events as `read_particles` does, without keeping them."""
    with _rows(path, name) as rows:
        for _ in _blocks(path, name, rows, len(rows) if most is None else min(len(rows), most)):
            pass


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's data sets; the one of a `.npy` file is called `Particles`."""
    if is_numpy(path):
        shapes = {name: header.shape for name, header in headers(path).items()}
        return shapes if path.suffix.lower() == ".npz" else {PARTICLES: next(iter(shapes.values()))}
    with opened(path, layout=_LAYOUT_IN_WORDS) as file:
        own = {name: file[name] for name in file if isinstance(name, str) and holds(file, name)}
        return {name: data.shape for name, data in own.items() if isinstance(data, h5py.Dataset) and data.shape}


@contextmanager
def _rows(path: Path, name: str) -> Iterator[h5py.Dataset | NDArray[Any]]:
    """Open a data set of numbers."""
    if not is_numpy(path):
        with opened(path, layout=_LAYOUT_IN_WORDS) as file:
            yield data_set(file, name)
        return
    rows = read_array(path, name if path.suffix.lower() == ".npz" else path.stem)
    if rows.dtype.kind not in "fiub":
        raise InputError(f"{path}: {name} holds {rows.dtype}, no numbers")
    yield rows


def _blocks(
    path: Path, name: str, rows: h5py.Dataset | NDArray[Any], count: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the first row and the content of block after block of the first `count` rows, checked."""
    for start in range(0, count, _BLOCK):
        block = np.asarray(rows[start : min(start + _BLOCK, count)], np.float32)
        _check(path, name, start, block)
        yield start, block


def _check(path: Path, name: str, start: int, block: NDArray[np.float32]) -> None:
    finite = np.isfinite(block)
    if not finite.all():
        event, place, column = np.argwhere(~finite)[0]
        raise InputError(
            f"{path}: {name}[{start + event}, {place}, {column}] is {block[event, place, column]}; remove such events"
        )
    types = block[:, :, 3]
    wrong = (types != _TYPES) & (types != 0)
    if wrong.any():
        event, place = np.argwhere(wrong)[0]
        raise InputError(
            f"{path}: {name}[{start + event}, {place}] is of type {types[event, place]:g}, where {OBJECTS[place]} of "
            f"type {_TYPES[place]} is expected; types are 1 MET, 2 e/gamma, 3 muon, 4 jet, 0 absent"
        )
    if not types.any():
        raise InputError(f"{path}: {name} has no types of objects in its last column; it is not in ADC2021's layout")
    present = (block[:, :, 0] > 0) & (types == 0)
    if present.any():
        event, place = np.argwhere(present)[0]
        raise InputError(f"{path}: {name}[{start + event}, {place}] has a pT and no type; use ADC2021's layout")
