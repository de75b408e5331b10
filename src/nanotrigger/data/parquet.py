"""Parquet of events: columns of a file with a row for each event, or of an archive with a folder for each object.

Both are published of the CMS Level-1 set, and hold the same columns:

- a file, as the mirror has them: columns `jets_jetIEt`, `MET_Et`, `L1bit`;
- a tar archive, as Zenodo has them: `…/CATEGORY/SAMPLE/SPLIT/FOLDER/NAME.parquet` with columns `jetIEt` in the folder
  `jets`, `Et` in `MET`, `L1bit` in `seeds`. Row i is the same event in all folders of a sample and split.
"""

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from nanotrigger.data.hdf5 import check_readable
from nanotrigger.errors import InputError

BACKGROUND = "background"  # the events of an archive's category of zero bias
EVENTS = "Particles"  # those of a file, called as in ADC2021's files
_SUFFIXES = (".parquet", ".tar")
_CATEGORIES = ("zerobias", "signal")  # of an archive; it has simulated background, too, which is neither
_ROWS = 65_536  # events at once


class Column(NamedTuple):
    """A column of events.

    Attributes:
        folder: in an archive.
        branch: its name there.
    """

    folder: str
    branch: str

    @property
    def name(self) -> str:
        """Its name in a file with a row for each event.

        >>> Column("jets", "jetIEt").name, Column("seeds", "L1bit").name
        ('jets_jetIEt', 'L1bit')
        """
        return self.branch if self.folder == "seeds" else f"{self.folder}_{self.branch}"


class _Part(NamedTuple):
    """A Parquet file within an archive: where it begins, and how many bytes it has."""

    start: int
    size: int


_Folders = dict[str, list[_Part]]  # of a sample and split, each with its Parquet files in the order of their names


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet, or an archive of it, by its name."""
    return path.suffix.lower() in _SUFFIXES


def event_names(path: Path) -> list[str]:
    """Return the names of a file's data sets: `Particles`, or of an archive its background and signals.

    Raises:
        InputError: the file is missing or damaged, or an archive has no events.
    """
    with opened(path):
        return list(_index(path)) if path.suffix.lower() == ".tar" else [EVENTS]


def count_events(path: Path, name: str) -> int:
    """Return the number of events of a data set.

    Raises:
        InputError: the file is missing or damaged.
    """
    from pyarrow.parquet import ParquetFile  # takes a moment to import; only Parquet needs it

    with opened(path):
        if path.suffix.lower() != ".tar":
            return int(ParquetFile(path).metadata.num_rows)
        parts = [part for folders in _index(path)[name] for part in next(iter(folders.values()))]
        return sum(_read_part(path, part).metadata.num_rows for part in parts)


def column_blocks(path: Path, name: str, columns: Sequence[Column]) -> Iterator[dict[Column, Any]]:
    """Yield columns of a data set, block after block, as Arrow arrays with an entry for each event.

    Raises:
        InputError: the file is missing or damaged, a column is missing, or folders of an archive differ in their rows.
    """
    blocks = _archive_blocks if path.suffix.lower() == ".tar" else _file_blocks
    yield from blocks(path, name, columns)


def _file_blocks(path: Path, name: str, columns: Sequence[Column]) -> Iterator[dict[Column, Any]]:
    from pyarrow.parquet import ParquetFile

    with opened(path):
        file = ParquetFile(path)
        _check_columns(path, [column.name for column in columns], file.schema_arrow.names)
        for batch in file.iter_batches(_ROWS, columns=[column.name for column in columns], use_threads=False):
            yield {column: batch.column(column.name) for column in columns}


def _archive_blocks(path: Path, name: str, columns: Sequence[Column]) -> Iterator[dict[Column, Any]]:
    wanted = {column.folder: [other for other in columns if other.folder == column.folder] for column in columns}
    with opened(path):
        for folders in _index(path)[name]:
            _check_columns(path, list(wanted), list(folders), f"{name}/")
            _check_same(path, name, {folder: len(folders[folder]) for folder in wanted}, "files")
            for parts in zip(*(folders[folder] for folder in wanted), strict=True):
                block: dict[Column, Any] = {}
                for (folder, own), part in zip(wanted.items(), parts, strict=True):
                    file = _read_part(path, part)
                    branches = [column.branch for column in own]
                    _check_columns(path, branches, file.schema_arrow.names, f"{name}/{folder}/")
                    table = file.read(branches, use_threads=False)
                    block |= {column: table.column(column.branch).combine_chunks() for column in own}
                _check_same(path, name, {column.folder: len(values) for column, values in block.items()}, "rows")
                yield block


def _check_same(path: Path, name: str, counts: dict[str, int], what: str) -> None:
    if len(set(counts.values())) > 1:
        has = ", ".join(f"{count} {what} in {folder}" for folder, count in counts.items())
        raise InputError(f"{path}: {name} has {has}, which must be the same events; fetch it again")


def _check_columns(path: Path, wanted: Sequence[str], found: Sequence[str], where: str = "") -> None:
    for name in wanted:
        if name not in found:
            raise InputError(
                f"{path}: no column {where}{name}; give Parquet in the layout of the CMS Level-1 set, or fetch it by "
                "python -m nanotrigger.data.fetch cms_l1"
            )


def _index(path: Path) -> dict[str, list[_Folders]]:
    found = _read_index(path, path.stat().st_mtime_ns)
    if not found:
        raise InputError(f"{path}: no file zerobias/SAMPLE/SPLIT/FOLDER/NAME.parquet or signal/… in it; fetch it again")
    return found


@lru_cache(maxsize=8)
def _read_index(path: Path, changed: int) -> dict[str, list[_Folders]]:
    """Return the Parquet files of an archive by data set, the background first; `changed` tells two versions apart."""
    found: dict[str, dict[tuple[str, str], dict[str, dict[str, _Part]]]] = {}
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            words = PurePosixPath(member.name).parts[-5:]
            if member.isfile() and len(words) == 5 and words[4].endswith(".parquet") and words[0] in _CATEGORIES:
                category, sample, split, folder, file = words
                folders = found.setdefault(BACKGROUND if category == "zerobias" else sample, {}).setdefault(
                    (sample, split), {}
                )
                folders.setdefault(folder, {})[file] = _Part(member.offset_data, member.size)
    return {
        name: [
            {folder: [part for _, part in sorted(files.items())] for folder, files in folders.items()}
            for _, folders in sorted(found[name].items())
        ]
        for name in sorted(found, key=lambda name: (name != BACKGROUND, name))
    }


def _read_part(path: Path, part: _Part) -> Any:
    from pyarrow import BufferReader
    from pyarrow.parquet import ParquetFile

    with path.open("rb") as file:
        file.seek(part.start)
        return ParquetFile(BufferReader(file.read(part.size)))


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """Turn what pyarrow and tarfile raise on damaged files into an InputError."""
    check_readable(path, "a Parquet file")
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # they raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: not readable as Parquet or its archive ({reason}); fetch or write it again"
        ) from None
