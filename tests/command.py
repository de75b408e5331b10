"""Run a command as a user does, in a process of its own.

Processes are forked from one that has imported what the commands import, which takes longer than most of them.
"""

import multiprocessing
import os
import resource
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]

CONTEXT = multiprocessing.get_context("forkserver")
# what the commands themselves import once their arguments are right
_WORK = ("cli.training", "cli.exporting", "cli.scanning", "firmware.backends.oneapi.convert")
CONTEXT.set_forkserver_preload([*(f"nanotrigger.{name}" for name in _WORK), __name__])


def command(
    script: str, *arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Run `python SCRIPT ARGUMENTS` and return what it printed and its exit code; with `env`, from nothing."""
    if env is None:
        return forked(run_script, script, *arguments, cwd=cwd)
    words = [sys.executable, str(ROOT / script), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, env=env)


def run_script(script: str, *arguments: str) -> None:
    """Be `python SCRIPT ARGUMENTS`."""
    sys.argv = [str(ROOT / script), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")


def limit_memory(more: int) -> None:
    """Give this process so many bytes beyond those that it has, and no more."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more,) * 2)


def forked(function: Callable[..., None], *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Call a function in a process of its own; return what it printed and its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        process = CONTEXT.Process(
            target=_call, args=(function, arguments, outputs, cwd or Path.cwd(), dict(os.environ))
        )
        process.start()
        process.join()
        texts = [path.read_text() for path in outputs]
    return subprocess.CompletedProcess(arguments, process.exitcode, *texts)


def _call(
    function: Callable[..., None], arguments: tuple, outputs: list[Path], cwd: Path, environment: dict[str, str]
) -> None:
    for descriptor, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    function(*arguments)


def start(script: str, *arguments: str) -> subprocess.Popen:
    """Begin `python SCRIPT ARGUMENTS`, from nothing."""
    words = [sys.executable, str(ROOT / script), *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, process: subprocess.Popen) -> None:
    """Return once a file is there, which a process is to write."""
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
