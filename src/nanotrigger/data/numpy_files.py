"""NumPy files of any origin, `.npy` and `.npz`: no pickles, and what they claim is checked before it is read."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nanotrigger.data.hdf5 import check_claim
from nanotrigger.errors import InputError

_SUFFIX = ".npy"  # of a file with one array, and of the members of others


class Header(NamedTuple):
    """What a file says of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def is_numpy(path: Path) -> bool:
    """Return whether a file is NumPy's by its name."""
    return path.suffix.lower() in (_SUFFIX, ".npz")


def headers(path: Path) -> dict[str, Header]:
    """Return what a file says of its arrays, by name; that of a `.npy` file is the file's own.

    Raises:
        InputError: the file is missing or damaged.
    """
    return {name: _header(path, name, member) for name, member in _members(path).items()}


def read_array(path: Path, name: str) -> NDArray[Any]:
    """Return an array of a file, with names as text; that of a `.npy` file whatever it is called.

    Raises:
        InputError: the file is damaged, has no such array, holds Python objects, or claims more than it can hold.
    """
    members = _members(path)
    if name not in members and path.suffix.lower() != _SUFFIX:
        raise InputError(f"{path}: there is no {name}, only {', '.join(members) or 'nothing'}; write it again")
    member = members.get(name)
    header = _header(path, name, member)
    if header.dtype.hasobject:
        raise InputError(
            f"{path}: {name} holds Python objects, which could run code; write it again as {name}.astype(str), or as "
            "numbers"
        )
    check_claim(path, name, math.prod(header.shape) * header.dtype.itemsize)
    with _opened(path, member) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array


def _members(path: Path) -> dict[str, str | None]:
    """Return the arrays of a file: name → member of the archive, None if the file is the array."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a file of NumPy")
    if path.suffix.lower() == _SUFFIX:
        return {path.stem: None}
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(_SUFFIX): name for name in archive.namelist() if name.endswith(_SUFFIX)}
    except Exception as error:  # zipfile raises anything on damaged files
        raise _unreadable(path, error) from None


def _header(path: Path, name: str, member: str | None) -> Header:
    with _opened(path, member) as file:
        version = npy.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = npy.read_array_header_1_0(file)
        elif version == (2, 0):
            shape, _, dtype = npy.read_array_header_2_0(file)
        else:
            raise ValueError(f"{name} is of version {version}")
        if any(size < 0 for size in shape):
            raise ValueError(f"{name} has shape {shape}")
    return Header(shape, dtype)


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    try:
        if member is None:
            with path.open("rb") as file:
                yield file
        else:
            with zipfile.ZipFile(path) as archive, archive.open(member) as part:
                yield part
    except InputError:
        raise
    except Exception as error:  # NumPy and zipfile raise anything on damaged files
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{path}: not a readable file of NumPy ({reason}); write it again")
