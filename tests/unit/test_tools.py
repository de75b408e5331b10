import os
import pty
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from nanotrigger import tools
from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.tools import cleaning_up, run_logged, temporary_folder


def shell(script):
    return ["/bin/sh", "-c", script]


def wait_for_end(process):
    """Return when a process has ended, which takes a moment after the signal; its parent may not have noticed yet."""
    status = Path(f"/proc/{process}/stat")
    with suppress(FileNotFoundError, ProcessLookupError):
        while ") Z " not in status.read_text():
            time.sleep(0.01)


def test_the_log_grows_by_command_and_output(tmp_path):
    log = tmp_path / "log"
    run_logged(shell("echo one; echo two >&2"), log, title="building")
    run_logged(shell("echo three"), log, title="building")
    assert [line for line in log.read_text().splitlines() if not line.startswith("$")] == ["one", "two", "three"]


def test_a_failure_shows_only_lines_of_its_own(tmp_path):
    log = tmp_path / "log"
    run_logged(shell("echo former"), log, title="building")
    with pytest.raises(FirmwareError) as caught:
        run_logged(shell("printf '\\377 bad byte\\n'; exit 3"), log, title="building")
    assert str(caught.value) == f"sh ended with exit code 3 (all of it in {log}):\n\N{REPLACEMENT CHARACTER} bad byte"


def test_what_a_command_leaves_running_ends_with_it(tmp_path):
    left = tmp_path / "left"
    run_logged(shell(f"(sleep 100000 & echo $! > {left})"), tmp_path / "log", title="building")
    wait_for_end(int(left.read_text()))


def test_a_terminal_shows_title_and_last_line(tmp_path, monkeypatch):
    terminal, end = pty.openpty()
    with os.fdopen(end, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        run_logged(shell("echo '[bold]50 %'; sleep 1"), tmp_path / "log", title="building")
        shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "building" in shown
    assert "[bold]50 %" in shown


def test_threads_run_too(tmp_path):
    def run():
        with cleaning_up():
            run_logged(shell("echo done"), tmp_path / "log", title="building")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert (tmp_path / "log").read_text().endswith("done\n")


def test_a_temporary_folder_that_is_at_fault_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for error, told in (
        # what ctypes raises in the child process that runs the firmware
        (FirmwareError("OSError: /x/libjets.so: failed to map segment from shared object"), "mounted noexec"),
        (FirmwareError("/x/ccQ.s: No space left on device"), "it is full"),
        (OSError(28, "No space left on device"), "it is full"),
        (OSError(122, "Disk quota exceeded"), "it is full"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/x']"), "it cannot be written"),
    ):
        with pytest.raises(InputError, match=f"TMPDIR={tmp_path}: .*{told}.*; give TMPDIR= "), temporary_folder():
            raise error
    for other in (FirmwareError("x.cpp: no such file"), OSError("9 requested and 1 written"), ValueError("x")):
        with pytest.raises(type(other)) as raised, temporary_folder():
            raise other
        assert raised.value is other


def test_a_numpy_array_that_does_not_fit_into_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tools.shutil, "disk_usage", lambda folder: SimpleNamespace(free=100))
    with pytest.raises(InputError, match="it is full"), temporary_folder():
        raise OSError("1024 requested and 0 written")
