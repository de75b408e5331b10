"""Run train.py, and share a few small runs."""

import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from tests.command import command
from tests.made_events import make_events, write_events

settings.register_profile("everywhere", deadline=None, derandomize=True)  # slow machines pass, and see the same inputs
settings.load_profile("everywhere")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background, and what it starts, would ignore it

QUIET = ("trainer.enable_progress_bar=false", "trainer.enable_model_summary=false")


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
