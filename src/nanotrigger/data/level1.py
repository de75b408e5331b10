"""Collisions as the CMS Level-1 trigger sees them: the same 19 objects as in ADC2021, in the trigger's own integers.

The public set is Zenodo 21787779 (CC0): zero bias of 2025, and simulated signals. pT counts steps of 0.5 GeV, eta and
phi steps of 0.0870/2 and 2π/144, those of muons of 0.0870/8 and 2π/576; the README of the record says so. MET has no
eta, and an object with a pT of 0 is absent.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.hdf5 import check_claim
from nanotrigger.data.parquet import Column, column_blocks, count_events
from nanotrigger.data.particles import EGAMMA, FEATURE_NAMES, JET, KINDS, MET, MUON, ObjectKind
from nanotrigger.errors import InputError

_COLUMNS = {  # pT, eta and phi of each kind of object
    MET.name: (Column("MET", "Et"), None, Column("MET", "phi")),
    EGAMMA.name: (Column("egammas", "egIEt"), Column("egammas", "egIEta"), Column("egammas", "egIPhi")),
    MUON.name: (Column("muons", "muonIEt"), Column("muons", "muonIEta"), Column("muons", "muonIPhi")),
    JET.name: (Column("jets", "jetIEt"), Column("jets", "jetIEta"), Column("jets", "jetIPhi")),
}
_ACCEPTED = Column("seeds", "L1bit")
_READ = (*(column for columns in _COLUMNS.values() for column in columns if column), _ACCEPTED)
LARGEST = 4095  # of any word: 12 bits, the widest, are those of MET
_MOST_OBJECTS = 64  # in an event, of a kind; the trigger has at most 12

_IS_MUON = np.array([name.startswith(MUON.name) for name in FEATURE_NAMES])
_IS_PT, _IS_PHI = (np.array([name.endswith(end) for name in FEATURE_NAMES]) for end in ("_pt", "_phi"))
_STEPS = np.where(_IS_PHI, 2 * np.pi / 144, 0.0870 / 2) / np.where(_IS_MUON, 4, 1)
_STEPS[_IS_PT] = 0.5

SCALE = np.where(_IS_MUON & ~_IS_PT, 256.0, 64.0)
"""What hardware units are divided by, shape (57,): powers of two, which cost wires alone.

They are the same for all objects: 32 GeV, 2.8 in eta, 2.8 in phi. The steps of muon angles are finer by four.
"""


def read_objects(path: Path, name: str, most: int | None = None) -> NDArray[np.float32]:
    """Return the features of a data set's events, shape (events, 57), in the order of `FEATURE_NAMES`.

    They are whole numbers of hardware units; the objects of a kind are ordered by falling pT, absent ones are zeros.

    Args:
        path: Parquet file or archive, see `data.parquet`.
        name: of the data set.
        most: number of events, the first ones; all by default.

    Raises:
        InputError: the file cannot be read, or a column is missing or holds no hardware units.
    """
    events: NDArray[np.float32] = np.empty((_rows(path, name, most), len(FEATURE_NAMES)), np.float32)
    for start, block in _blocks(path, name, len(events)):
        features = events[start : start + len(block[_ACCEPTED])].reshape(-1, len(FEATURE_NAMES) // 3, 3)
        for kind in KINDS:
            features[:, kind.rows] = _objects(path, kind, block)
        _accepted(path, block)
    return events


def check_objects(path: Path, name: str, most: int | None = None) -> None:
    """Check a data set's events as `read_objects` does, without keeping them."""
    for _, block in _blocks(path, name, _rows(path, name, most)):
        for kind in KINDS:
            _objects(path, kind, block)
        _accepted(path, block)


def read_accepted(path: Path, name: str, most: int | None = None) -> NDArray[np.bool_]:
    """Return whether the trigger menu accepts each event of a data set, its `L1bit`, shape (events,).

    Arguments and errors as of `read_objects`.
    """
    accepted = np.empty(_rows(path, name, most), np.bool_)
    for start, block in _blocks(path, name, len(accepted), (_ACCEPTED,)):
        found = _accepted(path, block)
        accepted[start : start + len(found)] = found
    return accepted


def in_physical_units(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return hardware units, shape (events, 57), as GeV, eta and radians from -π to π; absent objects stay zeros.

    The pT of muons begins at 1, since 0 says that there is none.
    """
    pt = features[:, _IS_PT]
    pt = np.where(_IS_MUON[_IS_PT] & (pt > 0), pt - 1, pt)
    values = features * _STEPS
    values[:, _IS_PT] = pt * 0.5
    values[:, _IS_PHI] -= 2 * np.pi * np.rint(values[:, _IS_PHI] / (2 * np.pi))
    return values


def _rows(path: Path, name: str, most: int | None) -> int:
    """Return how many events to read."""
    rows = count_events(path, name)
    check_claim(path, name, rows)  # an event takes a byte or more
    if not rows:
        raise InputError(f"{path}: {name} has no events; fetch or write it again")
    return rows if most is None else min(rows, most)


def _blocks(
    path: Path, name: str, rows: int, columns: tuple[Column, ...] = _READ
) -> Iterator[tuple[int, dict[Column, Any]]]:
    """Yield the first row and the columns of block after block, `rows` in all."""
    start = 0
    for block in column_blocks(path, name, columns):
        count = min(len(block[columns[-1]]), rows - start)
        yield start, {column: values.slice(0, count) for column, values in block.items()}
        start += count
        if start == rows:
            return
    raise InputError(f"{path}: {name} ends after {start:,} of {rows:,} events; fetch it again")


def _objects(path: Path, kind: ObjectKind, block: dict[Column, Any]) -> NDArray[np.int64]:
    """Return pT, eta and phi of one kind of object, shape (events, objects of the kind, 3), those of largest pT."""
    given = {column: _padded(path, column, block[column]) for column in _COLUMNS[kind.name] if column}
    (first, (pt, counts)), *others = given.items()
    for column, (_, found) in others:
        if (found != counts).any():
            event = int(np.argmax(found != counts))
            numbers = f"{counts[event]} and {found[event]} entries"
            raise InputError(
                f"{path}: {first.name} and {column.name} have {numbers} for an event; write or fetch it again"
            )
    order = np.argsort(-pt, axis=1, kind="stable")[:, : kind.count]
    objects = np.zeros((len(pt), kind.count, 3), np.int64)
    for place, quantity in enumerate(_COLUMNS[kind.name]):
        if quantity:
            objects[:, : order.shape[1], place] = np.take_along_axis(given[quantity][0], order, axis=1)
    return objects * (objects[:, :, :1] > 0)


def _accepted(path: Path, block: dict[Column, Any]) -> NDArray[np.bool_]:
    values, counts = _padded(path, _ACCEPTED, block[_ACCEPTED])
    if (counts != 1).any() or not np.isin(values, (0, 1)).all():
        raise InputError(f"{path}: {_ACCEPTED.name} is not one 0 or 1 for each event; write or fetch it again")
    return values[:, 0] == 1


def _padded(path: Path, column: Column, values: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a column of lists or plain numbers, shape (events, longest list), zeros behind them, and their counts."""
    from pyarrow import compute, types

    is_list = any(kind(values.type) for kind in (types.is_list, types.is_large_list, types.is_fixed_size_list))
    if is_list:
        counts = compute.fill_null(compute.list_value_length(values), 0).to_numpy(zero_copy_only=False)
        values = values.flatten()
    else:
        counts = np.ones(len(values), np.int64)
    longest = int(counts.max(initial=0))
    if longest > _MOST_OBJECTS:
        raise InputError(f"{path}: {column.name} has {longest} entries for an event, and a trigger 12 at most")
    padded = np.zeros((len(counts), longest), np.int64)
    padded[np.arange(longest) < counts[:, None]] = _words(path, column, values)
    return padded, counts


def _words(path: Path, column: Column, values: Any) -> NDArray[Any]:
    """Return an Arrow array of numbers as NumPy's, checked to be hardware units."""
    remedy = "give the integers of the trigger"
    if values.null_count:
        raise InputError(f"{path}: {column.name} has entries without a value; {remedy}")
    numbers = values.to_numpy(zero_copy_only=False)
    if numbers.dtype.kind not in "iufb":
        raise InputError(f"{path}: {column.name} holds {values.type}, no numbers; {remedy}")
    wrong = ~(np.abs(numbers.astype(np.float64)) <= LARGEST)  # NaN, too
    if numbers.dtype.kind == "f":
        wrong |= np.rint(numbers) != numbers
    if wrong.any():
        raise InputError(
            f"{path}: {column.name} has {numbers[np.argmax(wrong)]}, which is no whole number from -{LARGEST} to "
            f"{LARGEST}; {remedy}"
        )
    return numbers
