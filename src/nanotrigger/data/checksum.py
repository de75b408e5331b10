"""The SHA-256 that stands beside a fetched file and says that it is complete."""

from pathlib import Path

from nanotrigger.files import sha256, write_text


def checksum_path(path: Path) -> Path:
    """Return the name of the file with the SHA-256.

    >>> checksum_path(Path("data/jets.h5")).name
    'jets.h5.sha256'
    """
    return path.with_name(f"{path.name}.sha256")


def write_checksum(path: Path) -> None:
    """Write the SHA-256 of a file beside it, as `sha256sum` does."""
    write_text(checksum_path(path), f"{sha256(path)}  {path.name}\n")


def is_intact(path: Path) -> bool:
    """Whether a fetched file is there and has the SHA-256 that stands beside it."""
    checksum = checksum_path(path)
    return path.is_file() and checksum.is_file() and checksum.read_text().split()[:1] == [sha256(path)]
