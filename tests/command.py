"""Run a command as a user does, in a process of its own.

Processes are forked from one that has imported what the commands import, which takes longer than most of them.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["nanotrigger.cli.train", "nanotrigger.cli.export", "nanotrigger.cli.scan", __name__])


def command(
    script: str, *arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Run `python SCRIPT ARGUMENTS` and return what it printed and its exit code; with `env`, from nothing."""
    words = [str(ROOT / script), *arguments]
    if env is not None:
        return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, cwd=cwd, env=env)
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        process = CONTEXT.Process(target=_run, args=(words, outputs, cwd or Path.cwd(), dict(os.environ)))
        process.start()
        process.join()
        texts = [path.read_text() for path in outputs]
    return subprocess.CompletedProcess(words, process.exitcode, *texts)


def _run(words: list[str], outputs: list[Path], cwd: Path, environment: dict[str, str]) -> None:
    for descriptor, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = words
    runpy.run_path(words[0], run_name="__main__")
