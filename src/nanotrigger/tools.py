"""Tools: run a command of others; a long one keeps a log, shows its progress and leaves no child behind."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from nanotrigger.errors import FirmwareError, InputError

if TYPE_CHECKING:
    from rich.console import Console

_LITTLE = 1 << 20  # bytes
_TAIL = 15  # lines of a failed tool's output
_POLL = 0.2  # s between looks at the log
_GRACE = 5.0  # s for a terminated child to end
_END_OF_LOG = 4096  # bytes that hold the last lines
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # a batch system's end of time, a closed terminal


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder for what is compiled and run, and removed afterwards.

    Raises:
        InputError: there is no place for it, it is full, or no program can be run from it; names TMPDIR.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="nanotrigger.") as folder:
            yield Path(folder)
    except (OSError, FirmwareError) as error:
        fault = fault_of_temporary_folder(str(error))
        if fault is None:
            raise
        raise InputError(fault) from None


def fault_of_temporary_folder(text: str) -> str | None:
    """Return what is wrong with the folder for temporary files, by what a tool said; None if it is something else.

    >>> fault_of_temporary_folder("libjets.so: failed to map segment from shared object")  # doctest: +ELLIPSIS
    'TMPDIR=...: no program can be run from there (mounted noexec); give TMPDIR= a folder on another disk'
    """
    folder = os.environ.get("TMPDIR", "/tmp")
    if "failed to map segment" in text:
        fault = "no program can be run from there (mounted noexec)"
    elif re.search("No space left on device|Disk quota exceeded", text) or _is_full(text, folder):
        fault = "it is full"
    elif "No usable temporary directory" in text:
        fault = "it cannot be written"
    else:
        return None
    return f"TMPDIR={folder}: {fault}; give TMPDIR= a folder on another disk"


def _is_full(text: str, folder: str) -> bool:
    """Return whether NumPy could not write a file whole because there is no place left."""
    is_cut = re.search(r"\d+ requested and \d+ written", text) is not None
    return is_cut and Path(folder).is_dir() and shutil.disk_usage(folder).free < _LITTLE


def run_tool(command: list[str]) -> str:
    """Run a command; return what it printed.

    Raises:
        FirmwareError: it failed; the message shows its last lines.
    """
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode:
        raise FirmwareError(_failure(command, done.returncode, "\n".join(done.stdout.splitlines()[-_TAIL:])))
    return done.stdout


def run_logged(command: list[str], log: Path, *, title: str) -> None:
    """Run a command and append what it prints to `log`; a terminal shows `title`, the time and the last line.

    If an exception interrupts it, Ctrl-C for one, the command and all its children end before the exception goes on.

    Raises:
        FirmwareError: it failed; the message shows its last lines and names the log.
    """
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        start = log.stat().st_size
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _show_until_end(process, log, title)
        finally:
            _end_group(process)
    if process.returncode:
        last_lines = _last_lines(log, _TAIL, start=start)
        raise FirmwareError(_failure(command, process.returncode, last_lines, where=f" (all of it in {log})"))


def terminal() -> "Console":
    """Return standard error as a console for what is shown while something runs: a notebook is no terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    return Console(stderr=True, force_jupyter=False, force_terminal=False) if console.is_jupyter else console


@contextmanager
def working(title: str, *, show: bool = True) -> Iterator[None]:
    """Show a title and the time on a terminal while the block runs, if `show`."""
    if not show:
        yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # only what is long needs them

    console = terminal()
    columns = (SpinnerColumn(), TextColumn(title), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(title, total=None)
        yield


@contextmanager
def cleaning_up() -> Iterator[None]:
    """Turn the signals that would end this process at once into SystemExit, so that the block can clean up."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    former = {number: signal.signal(number, _exit) for number in _ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _last_lines(log: Path, lines: int, *, start: int = 0) -> str:
    """Return the last lines of a log, of what follows byte `start`."""
    with log.open("rb") as file:
        file.seek(max(start, log.stat().st_size - lines * _END_OF_LOG))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def _show_until_end(process: "subprocess.Popen[bytes]", log: Path, title: str) -> None:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    console = terminal()
    rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    line = TextColumn("{task.fields[line]}", markup=False, table_column=rest)
    columns = (SpinnerColumn(), TextColumn(title), TimeElapsedColumn(), line)
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, expand=True, disable=quiet) as progress:
        task = progress.add_task(title, total=None, line="")
        while process.poll() is None:
            progress.update(task, line=_last_lines(log, 1).strip())
            with suppress(subprocess.TimeoutExpired):
                process.wait(_POLL)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End the process and all its children, gently first."""
    with suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, signal.SIGTERM)
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
        finally:  # also after a second Ctrl-C
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failure(command: list[str], code: int, last_lines: str, *, where: str = "") -> str:
    """Return how a command ended and the last that it printed; `where` says where the rest is."""
    ending = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"{Path(command[0]).name} ended with {ending}{where}:\n{last_lines}"
