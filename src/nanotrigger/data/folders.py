"""Where data lie: fetched files, each with its SHA-256 beside it, and the shipped samples."""

import os
from pathlib import Path

from nanotrigger.files import sha256, write_text

OPENML_FILE = "jets_openml.h5"  # in the folder of fetched data


def data_folder() -> Path:
    """Return the folder of fetched data: `$NANOTRIGGER_DATA`, or `data` in the current folder."""
    return Path(os.environ.get("NANOTRIGGER_DATA", "data"))


def samples_folder() -> Path:
    """Return the folder of the shipped samples."""
    return Path(__file__).parent / "samples"


def checksum_path(path: Path) -> Path:
    """Return the name of the file with the SHA-256.

    >>> checksum_path(Path("data/jets.h5")).name
    'jets.h5.sha256'
    """
    return path.with_name(f"{path.name}.sha256")


def write_checksum(path: Path) -> None:
    """Write the SHA-256 of a file beside it, as `sha256sum` does."""
    write_text(checksum_path(path), f"{sha256(path)}  {path.name}\n")


def recorded_sha256(path: Path) -> str | None:
    """Return the SHA-256 that stands beside a file, without reading the file; None if there is none."""
    checksum = checksum_path(path)
    return (checksum.read_text().split() or [""])[0] if checksum.is_file() else None


def is_intact(path: Path) -> bool:
    """Whether a fetched file is there and has the SHA-256 that stands beside it."""
    recorded = recorded_sha256(path)
    return recorded is not None and path.is_file() and recorded == sha256(path)
