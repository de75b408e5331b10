"""Files and folders that appear whole or not at all, and their hashes."""

import hashlib
import itertools
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nanotrigger.errors import InputError

CHECKSUMS = "SHA256SUMS"


def find_upwards(text: str, folder: Path) -> str:
    """Return the file that a relative path means which stands in a folder: in the folder, or the nearest above it.

    A path that leads to no file, and a mere name such as `simulated`, stay as they are.

    Args:
        text: the path.
        folder: absolute.
    """
    path = Path(text)
    if path.is_absolute() or (len(path.parts) < 2 and not path.suffix):
        return text
    with suppress(OSError):  # a name too long
        for above in (folder, *folder.parents):
            if (above / path).is_file():
                return os.path.normpath(above / path)
    return text


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    The temporary file is synced to disk before the rename, and the folder after it. If the block raises, the
    temporary file is removed. So `path` holds either its former content or the complete new one, also after a power
    cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        _sync(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, *, marker: str) -> Iterator[Path]:
    """Yield an empty folder beside `path`; put it in the place of `path` if the block succeeds.

    If the block raises, `path` keeps its former content. A former folder is replaced only if it holds
    a file named `marker`, which every new one must have, or nothing at all.

    Raises:
        InputError: `path` is something else that must not be deleted.
    """
    _check_replaceable(path, marker)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as workplace:
        new, former = Path(workplace, "new"), Path(workplace, "former")
        new.mkdir()
        yield new
        if path.exists():
            path.rename(former)
        try:
            new.rename(path)
        except BaseException:
            if former.exists():
                former.rename(path)
            raise


def new_folder(path: Path) -> Path:
    """Make a folder that nobody else has made, and return it: `path`, or else `path.2`, `path.3` and so on.

    Of several processes, also on several computers that share a file system, each gets one of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = path if number == 1 else path.with_name(f"{path.name}.{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError


def remove_unfinished(path: Path) -> None:
    """Remove what processes that were killed had begun to write in the place of files that nobody else writes.

    Args:
        path: of the file; its name may have wildcards.
    """
    for temporary in path.parent.glob(f".{path.name}.????????{path.suffix}"):
        temporary.unlink()


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file, whole or not at all; once more if its folder disappears meanwhile."""
    try:
        _write(path, content)
    except FileNotFoundError:
        _write(path, content)


def _write(path: Path, content: bytes | memoryview) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_json(path: Path, record: Any) -> None:
    """Write `record` as indented JSON to `path`, whole or not at all."""
    write_text(path, json.dumps(record, indent=2) + "\n")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_files(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of a file, or one for the contents of several in this order."""
    digests = [sha256(path) for path in paths]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def sha256_of_folder(folder: Path) -> str:
    """Return one SHA-256 for the names and contents of all files below a folder."""
    lines = [
        f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS, as `sha256sum --check` reads it, for all files below a folder.

    Left out are hidden files, and folders below that have a SHA256SUMS of their own.
    """
    own = [path.parent for path in folder.glob(f"*/**/{CHECKSUMS}")]
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    names = [
        path
        for path in paths
        if path != Path(CHECKSUMS)
        and not any(part.startswith(".") for part in path.parts)
        and not any((folder / path).is_relative_to(other) for other in own)
    ]
    write_text(folder / CHECKSUMS, "".join(f"{sha256(folder / name)}  {name.as_posix()}\n" for name in names))


def compare_checksums(folder: Path) -> list[str]:
    """Return what does not hold of a folder's SHA256SUMS, a line for each file.

    Raises:
        InputError: there is none, or it names something outside the folder.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        raise InputError(f"{folder} has no {CHECKSUMS}; train.py and export.py write it when they are done")
    differences = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  (.+)", line)
        if match is None or Path(match[2]).is_absolute() or ".." in Path(match[2]).parts:
            raise InputError(f"{path}: {line[:100]!r} is no checksum of a file in this folder")
        file = folder / match[2]
        if not file.is_file():
            differences.append(f"{match[2]} is missing")
        elif sha256(file) != match[1]:
            differences.append(f"{match[2]} is not the file that was written")
    return differences


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _check_replaceable(path: Path, marker: str) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path} is a file; name a folder")
    if any(path.iterdir()) and not (path / marker).is_file():
        raise InputError(f"{path} has other content ({marker} is missing); name another folder or empty it")
