"""HDF5 files of any origin: opened, and their data sets checked before they are read."""

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError

_COMPRESSION = 2000  # bytes that zlib may make of one, with room to spare
_KINDS = {
    b"PAR1": ("a Parquet file", ".parquet"),
    b"root": ("a ROOT file", ".root"),
    b"PK\x03\x04": ("a zip archive, as checkpoints and NumPy's .npz are", ".npz"),
    b"\x93NUMPY": ("a file of NumPy", ".npy"),
}
"""First bytes of other files → what they are, and how their names end."""

_SECONDS = 30  # for texts; a process that reads them takes less than one for a million


@contextmanager
def opened(path: Path, *, layout: str) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; what the block cannot find or read in it becomes an InputError.

    Args:
        path: of the file.
        layout: what it should hold, for the message if it does not.

    Raises:
        InputError: the file is missing, locked, no HDF5 file, damaged, or does not hold what it should.
    """
    check_readable(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise _of_another_kind(path) or _unreadable(path, error) from None
    with file:
        try:
            yield file
        except InputError:
            raise
        except KeyError as error:
            raise InputError(f"{path}: {error.args[0]}; {layout}") from None
        except (OSError, RuntimeError, ValueError, TypeError, AttributeError) as error:  # h5py's, on damaged files
            raise _unreadable(path, error) from None


def check_readable(path: Path, kind: str = "an HDF5 file") -> None:
    """Check that a file is there and can be read.

    Args:
        path: of the file.
        kind: what it should be, for the message.

    Raises:
        InputError: it is missing, a folder or empty, or its permissions do not allow it.
    """
    if path.is_dir():
        raise InputError(f"{path}: a folder; give {kind}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; give {kind}")
    if not path.stat().st_size:
        raise InputError(f"{path}: an empty file; fetch or write it again")
    try:
        path.open("rb").close()
    except PermissionError:
        raise InputError(f"{path}: permission denied; ask its owner, or give a file that you may read") from None


def check_claim(path: Path, name: str, claimed: int) -> None:
    """Check that a file can hold what it claims of an array, in bytes, before memory is taken for it.

    Raises:
        InputError: it cannot.
    """
    if claimed > _COMPRESSION * path.stat().st_size:
        raise InputError(f"{path}: {name} claims {claimed:,} bytes, more than the file can hold")


def holds(file: h5py.File, name: str) -> bool:
    """Return whether what has this name lies in the file, without following a link to see.

    Raises:
        KeyError: there is nothing of that name.
    """
    if not file.id.links.exists(name.encode()):
        raise KeyError(f"there is no {name}")
    return bool(file.id.links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD)


def data_set(file: h5py.File, name: str) -> h5py.Dataset:
    """Return a data set whose numbers lie in this very file.

    A link, a virtual data set or external storage would read another file, which nobody chose and no hash covers.

    Raises:
        InputError: it lies elsewhere, is no data set, or claims more than the file can hold.
        KeyError: there is nothing of that name.
    """
    data = own_data_set(file, name)
    if data.dtype.kind not in "fiub":
        raise InputError(f"{file.filename}: {name} holds {data.dtype}, no numbers")
    return data


def values_or_texts(file: h5py.File, name: str) -> NDArray[Any]:
    """Return the numbers of a data set, or its texts, whichever it holds.

    Texts of any length are read by another process, as those of `attributes` are.

    Raises:
        InputError: as of `data_set`, or it holds neither.
        KeyError: there is nothing of that name.
    """
    data = own_data_set(file, name)
    kind = h5py.check_string_dtype(data.dtype)
    if kind is None:
        return np.asarray(data_set(file, name)[:])
    if kind.length is None:
        texts = _read_elsewhere(Path(file.filename), name)[name]
        return np.array(texts, str).reshape(data.shape)
    return np.char.decode(np.asarray(data[:]), "utf-8", "replace")


def own_data_set(file: h5py.File, name: str) -> h5py.Dataset:
    """Return a data set that lies in this very file, and is not larger than the file can hold."""
    if not holds(file, name):
        raise InputError(
            f"{file.filename}: {name} is a link to somewhere else; write a file that holds its data itself"
        )
    data = file[name]
    if not isinstance(data, h5py.Dataset):
        raise InputError(f"{file.filename}: {name} is no data set")
    if data.is_virtual or data.external:
        raise InputError(
            f"{file.filename}: the data of {name} lie in another file; write a file that holds them itself"
        )
    if data.shape is None:
        raise InputError(f"{file.filename}: {name} holds {data.dtype}, no numbers")
    check_claim(Path(file.filename), name, data.nbytes)
    return data


def attributes(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the attributes of a file as text, each a tuple.

    Another process reads them, because the HDF5 library never stops reading some damaged text.

    Raises:
        InputError: the attributes are damaged.
    """
    return _read_elsewhere(path)


def _read_elsewhere(path: Path, *names: str) -> dict[str, tuple[str, ...]]:
    """Return the texts of attributes, or of the data sets that are named, read by another process."""
    script = Path(__file__).with_name("read_attributes.py")
    command = [sys.executable, "-P", str(script), str(path), *names]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise _unreadable(path, OSError("its texts have no end")) from None
    if done.returncode:
        raise _unreadable(path, OSError(done.stderr.strip() or f"reading its texts ended with {done.returncode}"))
    found: dict[str, Any] = json.loads(done.stdout)
    return {name: tuple(values) for name, values in found.items()}


def _of_another_kind(path: Path) -> InputError | None:
    """Return what a file is that is none of HDF5, by its first bytes; None if that is not known."""
    with path.open("rb") as content:
        start = content.read(200)
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return _unreadable(path, OSError("an HTML page, probably a server's error"))
    for signature, (kind, suffix) in _KINDS.items():
        if start.startswith(signature):
            is_named = path.suffix.lower() == suffix
            remedy = "these data are read from other files" if is_named else f"call it NAME{suffix} if it holds events"
            return InputError(f"{path}: {kind}, no HDF5 file; {remedy}, docs/own_data.md says which can be read")
    return None


def _unreadable(path: Path, error: Exception) -> InputError:
    """Return why a file that is there cannot be read: locked, or no HDF5 file."""
    text = " ".join(str(error).split())
    lock = re.search(r"unable to lock file, errno = (\d+)", text)
    if "already open for" in text or (lock and int(lock[1]) in (errno.EAGAIN, errno.EACCES)):
        return InputError(f"{path}: open for writing in another process, such as a notebook; close it there")
    if lock:
        return InputError(
            f"{path}: its file system has no locks ({os.strerror(int(lock[1]))}); set the variable "
            "HDF5_USE_FILE_LOCKING=FALSE if nobody writes the file"
        )
    return InputError(f"{path}: not a readable HDF5 file ({text}); fetch or write it again")
