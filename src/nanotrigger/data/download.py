"""Where data lie, with their checksums, and downloads from Zenodo that survive interruption (RFC 9110, section 14)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from nanotrigger.errors import InputError
from nanotrigger.files import sha256, write_text
from nanotrigger.tools import terminal

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


ZENODO = "https://zenodo.org"

_PIECE = 1 << 16  # bytes written at once; the last unfinished piece is lost when the line breaks
_TIMEOUT = 30  # seconds without an answer
_COLUMNS = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


@dataclass(frozen=True)
class ZenodoFile:
    """A file of a Zenodo record, by the record's number and the file's name."""

    record: int
    name: str


def fetch_zenodo_file(source: ZenodoFile, folder: Path, *, force: bool = False, server: str = ZENODO) -> Path:
    """Download a file of a Zenodo record into `folder` and return it, with its SHA-256 beside it.

    A file that is there and matches its SHA-256 is left alone, without asking the server. An interrupted download
    stays in FILE.part and goes on from there; only what matches the MD5 of Zenodo's record gets the final name.

    Args:
        source: the file.
        folder: receives it.
        force: download again.
        server: where the records are.

    Raises:
        InputError: no answer, another record than expected, or a damaged download.
    """
    import pooch  # these two take a moment to import; only fetching needs them
    import requests

    path = folder / source.name
    if not force and is_intact(path):
        return path
    pooch.get_logger().setLevel("WARNING")  # the progress bar says what is being downloaded
    try:
        url, size, md5 = _described(source, server)
        partial = path.with_name(f"{path.name}.part")
        name = f"{path.name}.new" if force else path.name  # pooch leaves a file alone that has the right MD5
        downloader = ResumingDownloader(partial, size=size)
        fetched = Path(pooch.retrieve(url, known_hash=md5, fname=name, path=folder, downloader=downloader))
    except requests.RequestException as error:
        raise _no_answer(source.name, server, error) from None
    except InputError:
        raise
    except ValueError:  # pooch compares the checksums
        raise InputError(f"{source.name}: does not match the MD5 of Zenodo {source.record}; run again") from None
    fetched.replace(path)
    write_checksum(path)
    return path


def record_files(record: int, server: str = ZENODO) -> dict[str, tuple[str, int, str]]:
    """Return address, size in bytes and checksum (`md5:…`) of each file of a Zenodo record, by name.

    Raises:
        InputError: no answer, or one that is no record.
    """
    import requests

    address = f"{server}/api/records/{record}"
    try:
        answer = requests.get(address, timeout=_TIMEOUT)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise _no_answer(f"Zenodo {record}", server, error) from None
    try:
        return {file["key"]: (file["links"]["self"], file["size"], file["checksum"]) for file in answer.json()["files"]}
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{address}: the server sent no record; try again later") from None


def _described(source: ZenodoFile, server: str) -> tuple[str, int, str]:
    """Return address, size in bytes and checksum (`md5:…`) of a file, as its record at Zenodo has them."""
    files = record_files(source.record, server)
    if source.name not in files:
        has = ", ".join(files) or "none"
        raise InputError(
            f"{server}/api/records/{source.record}: no file {source.name}, only {has}; report this as a bug"
        )
    return files[source.name]


def _no_answer(wanted: str, server: str, error: Any) -> InputError:
    """Return what to say of an error of `requests`."""
    if error.response is not None:
        status = f"{error.response.status_code} {error.response.reason}"
        return InputError(f"{error.response.url}: the server answers {status}; try again later")
    kind = type(error).__name__
    return InputError(f"{wanted}: no complete answer ({kind}) from {server}; check the network and run again to go on")


class ResumingDownloader:
    """Fetch a file of known size over HTTP for `pooch.retrieve(..., downloader=...)`, with a progress bar on stderr.

    pooch's own downloader starts anew each time. This one keeps what it has received in a file beside the final
    one and asks the server for the rest; if the server sends the whole file instead, it starts anew.
    """

    def __init__(self, partial: Path, *, size: int) -> None:
        """Take the file that keeps an unfinished download, and the bytes of a finished one."""
        self.partial = partial
        self.size = size

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        """Write the answer of `url` to `output_file`; pooch calls this and then compares the checksum.

        Raises:
            InputError: the server answers with a web page or with fewer or more bytes than the file has.
            requests.RequestException: the server does not answer, breaks off or says that there is an error.
        """
        started = self.partial.stat().st_size if self.partial.is_file() else 0
        if started > self.size:
            self.partial.unlink()
            started = 0
        if started < self.size:
            self._continue(url, started)
        received = self.partial.stat().st_size if self.partial.is_file() else 0
        if received < self.size:
            raise InputError(f"{url}: broke off after {received} of {self.size} bytes; run again to go on from there")
        self.partial.replace(output_file)

    def _continue(self, url: str, started: int) -> None:
        import requests  # takes a moment to import; only fetching needs it

        headers = {"Accept-Encoding": "identity", "Range": f"bytes={started}-"}  # packed bytes would not add up
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            answer.raise_for_status()
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                raise InputError(f"{url}: the server sent a web page instead of the file; try again later")
            resumed = answer.headers.get("Content-Range", "").startswith(f"bytes {started}-")
            if not resumed:
                started = 0
            with self.partial.open("ab" if resumed else "wb") as file, _progress() as progress:
                bar = progress.add_task(self.partial.stem, total=self.size, completed=started)
                for piece in answer.iter_content(_PIECE):
                    file.write(piece)
                    progress.advance(bar, len(piece))


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), *_COLUMNS, console=terminal())
