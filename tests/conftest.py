"""Run the two commands as a user does, in a child process or in this one, and share one small run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.made_events import make_events, write_events

ROOT = Path(__file__).parents[1]
QUIET = ("trainer.enable_progress_bar=false", "trainer.enable_model_summary=false")


def command(script: str, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run `python SCRIPT ARGUMENTS` and return what it printed and its exit code."""
    words = [sys.executable, str(ROOT / script), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, **options)


def train(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run train.py without its progress bar."""
    return command("train.py", *arguments, *QUIET, **options)


@pytest.fixture(scope="session")
def quantized_run(tmp_path_factory) -> Path:
    """A run folder of jets_qat, two epochs on the shipped sample."""
    return _short_run("jets_qat", tmp_path_factory)


@pytest.fixture(scope="session")
def float_run(tmp_path_factory) -> Path:
    """A run folder of jets_float, two epochs on the shipped sample."""
    return _short_run("jets_float", tmp_path_factory)


@pytest.fixture(scope="session")
def events_file(tmp_path_factory) -> Path:
    """A file of 3,000 background events and two signals of larger momenta, `hTo4l` and `leptoquark`."""
    signals = {"hTo4l": make_events(400, seed=1, momentum=90), "leptoquark": make_events(300, seed=2, momentum=180)}
    return write_events(tmp_path_factory.mktemp("events") / "events.h5", background=make_events(3000), **signals)


def _short_run(experiment: str, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / experiment / "run"
    done = train(f"experiment={experiment}", "data.source=simulated", "trainer.max_epochs=2", f"output={folder}")
    assert done.returncode == 0, done.stderr
    return folder
