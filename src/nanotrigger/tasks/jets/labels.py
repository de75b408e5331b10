"""Labels of jets as files state them: numbers of classes, their names, or a column for each class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError

_MOST_CLASSES = 1000  # that numbers alone may mean


def class_numbers(path: Path | str, labels: NDArray[Any], names: Sequence[str]) -> NDArray[Any]:
    """Return the number of each jet's class, as far as labels state one; what is no class stays as it is.

    Args:
        path: of the file, for the message.
        labels: shape (jets,) or (jets, 1), numbers or names; or (jets, classes), of which one is 1 and the others 0.
        names: of the classes.

    Raises:
        InputError: a name that no class has, or columns that are no classes.

    >>> class_numbers(Path("a.h5"), np.array(["q", "g", "q"]), ["g", "q"])
    array([1, 0, 1])
    >>> class_numbers(Path("a.h5"), np.array([[0, 1], [1, 0]]), ["g", "q"])
    array([1, 0])
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind == "U":
        unknown = ~np.isin(labels, names)
        if unknown.any():
            place = np.argwhere(unknown)[0]
            raise InputError(
                f"{path}: y{place.tolist()} = {labels[tuple(place)]} is no class; class_names are {', '.join(names)}"
            )
        numbers = {name: number for number, name in enumerate(names)}
        return np.array([numbers[name] for name in labels.ravel()], np.int64).reshape(labels.shape)
    return _numbers_of_columns(path, labels, names) if labels.ndim == 2 else labels


def classes_of(path: Path | str, labels: NDArray[Any]) -> tuple[str, ...]:
    """Return names of the classes for labels that come without: their own in alphabetical order, or numbers.

    Raises:
        InputError: numbers that are none of classes.

    >>> classes_of(Path("a.npz"), np.array(["q", "g", "q"])), classes_of(Path("a.npz"), np.array([0, 2, 1]))
    (('g', 'q'), ('0', '1', '2'))
    """
    if labels.dtype.kind == "U":
        return tuple(str(name) for name in np.unique(labels))
    if labels.ndim == 2 and labels.shape[1] > 1:
        return tuple(map(str, range(labels.shape[1])))
    largest = labels.max(initial=0)
    if not 0 <= largest < _MOST_CLASSES:
        raise InputError(f"{path}: y goes up to {largest}, which is no number of a class; add class_names to the file")
    return tuple(map(str, range(int(largest) + 1)))


def _numbers_of_columns(path: Path | str, labels: NDArray[Any], names: Sequence[str]) -> NDArray[Any]:
    if labels.shape[1] != len(names):
        raise InputError(f"{path}: y has {labels.shape[1]} columns for {len(names)} class_names; give one for each")
    wrong = ~(np.isin(labels, (0, 1)).all(axis=1) & (labels.sum(axis=1) == 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"{path}: y[{row}] = {labels[row].tolist()} is no class; one column must be 1, the others 0")
    return labels.argmax(axis=1)
