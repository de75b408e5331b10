"""HDF5 files of whatever origin: opened, and their data sets checked to be what they seem to be."""

from pathlib import Path

import h5py

from nanotrigger.errors import InputError

_COMPRESSION = 2000  # at most what zlib makes of a byte, with room


def opened(path: Path) -> h5py.File:
    """Open an HDF5 file for reading.

    Raises:
        InputError: the file is missing, or no HDF5 file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give an HDF5 file")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        with path.open("rb") as file:
            is_page = file.read(200).lstrip().lower().startswith((b"<!doctype", b"<html"))
        raise unreadable(path, OSError("an HTML page, probably a server's error") if is_page else error) from None


def unreadable(path: Path, error: Exception) -> InputError:
    """Return the error to raise for a file that the HDF5 library cannot read."""
    return InputError(f"{path}: not a readable HDF5 file ({' '.join(str(error).split())}); fetch or write it again")


def holds(file: h5py.File, name: str) -> bool:
    """Return whether what has this name lies in the file, without following a link to see.

    Raises:
        KeyError: there is nothing of that name.
    """
    if not file.id.links.exists(name.encode()):
        raise KeyError(f"there is no {name}")
    return bool(file.id.links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD)


def data_set(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    """Return a data set whose numbers lie in this very file.

    A link, a virtual data set or external storage would read another file, which nobody chose and no hash covers.

    Raises:
        InputError: it lies elsewhere, is none, or claims more than the file can hold.
        KeyError: there is none of that name.
    """
    if not holds(file, name):
        raise InputError(f"{path}: {name} is a link to somewhere else; write a file that holds its data itself")
    data = file[name]
    if not isinstance(data, h5py.Dataset):
        raise InputError(f"{path}: {name} is no data set")
    if data.is_virtual or data.external:
        raise InputError(f"{path}: the data of {name} lie in another file; write a file that holds them itself")
    if data.dtype.kind not in "fiub" or data.shape is None:
        raise InputError(f"{path}: {name} holds {data.dtype}, no numbers")
    if data.nbytes > _COMPRESSION * max(path.stat().st_size, 1):
        raise InputError(f"{path}: {name} claims {data.nbytes:,} bytes, more than the file can hold; fetch it again")
    return data
