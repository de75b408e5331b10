"""A downloader for pooch that goes on where an interrupted download ended (RFC 9110, section 14)."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from nanotrigger.errors import InputError

_PIECE = 1 << 16  # bytes written at once; the last unfinished piece is lost when the line breaks
_TIMEOUT = 30  # seconds without an answer
_COLUMNS = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


class ResumingDownloader:
    """Fetch a file of known size over HTTP for `pooch.retrieve(..., downloader=...)`, with a progress bar on stderr.

    pooch's own downloader starts anew each time. This one keeps what it has got in a file beside the final one and
    asks the server for the rest; a server that does not know ranges sends the whole and is believed.
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
    return Progress(TextColumn("{task.description}"), *_COLUMNS, console=Console(stderr=True))
