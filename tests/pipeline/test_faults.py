"""When the machine fails, nothing that was written is lost, and one line says what happened."""

import os
import resource
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from nanotrigger.cli import run_folder
from nanotrigger.files import CHECKSUMS
from tests.command import command, forked, run_script, start, wait_for
from tests.conftest import QUIET, train

STEP = ("data.source=simulated", "trainer.limit_train_batches=1", "evaluate=false", *QUIET)
RUN = ("experiment=jets_qat", "trainer.max_epochs=1", *STEP)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_full_disk(kilobytes: str, script: str, *arguments: str) -> None:
    """Be the script where no file can grow beyond so much."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(kilobytes) * 1000,) * 2)
    run_script(script, *arguments)


@pytest.fixture
def run(tmp_path):
    """A run of one epoch."""
    assert train(*RUN, f"output={tmp_path / 'run'}").returncode == 0
    return tmp_path / "run"


@pytest.mark.parametrize("kilobytes", ["10", "90"])
def test_a_full_disk_ends_a_training_and_loses_nothing(run, kilobytes):
    before = content(run)
    more = ("trainer.max_epochs=3", *STEP)
    done = forked(with_full_disk, kilobytes, "train.py", f"ckpt_path={run / 'last.ckpt'}", *more)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "File too large" in done.stderr
    after = content(run)
    for name in ("best.ckpt", "last.ckpt"):
        assert after[name] == before[name]
    assert after.keys() == before.keys()
    assert train(f"ckpt_path={run / 'last.ckpt'}", *more).returncode == 0


@pytest.mark.parametrize(("kilobytes", "told"), [("10", "is the disk full?"), ("90", "File size limit exceeded")])
def test_a_full_disk_leaves_the_former_export(run, kilobytes, told):
    assert command("export.py", f"ckpt={run / 'best.ckpt'}").returncode == 0
    before = content(run)
    done = forked(with_full_disk, kilobytes, "export.py", f"ckpt={run / 'best.ckpt'}")
    assert done.returncode in (1, 2)
    assert told in done.stderr and "Traceback" not in done.stderr
    assert content(run) == before


def test_a_run_folder_that_is_removed_while_it_trains(tmp_path):
    run = tmp_path / "run"
    words = ("experiment=jets_qat", "data.source=simulated", "evaluate=false", *QUIET)
    with start("train.py", *words, "trainer.max_epochs=12", f"output={run}") as process:
        wait_for(run / "best.ckpt", process)
        run.rename(tmp_path / "elsewhere")  # at once, where removing file by file would meet new ones
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert {"last.ckpt", "metrics.csv", CHECKSUMS} <= {path.name for path in run.iterdir()}


def test_data_that_are_removed_while_it_trains(tmp_path, events_file):
    source = shutil.copy(events_file, tmp_path / "events.h5")
    words = ("experiment=ad_ae", f"data.source={source}", "data.batch_size=32", "evaluate=false", *QUIET)
    with start("train.py", *words, "trainer.max_epochs=5", f"output={tmp_path / 'run'}") as process:
        wait_for(tmp_path / "run" / "last.ckpt", process)
        source.unlink()
        _, errors = process.communicate()
    assert process.returncode == 0, errors


def test_a_second_training_keeps_out_of_the_folder(tmp_path):
    run = tmp_path / "run"
    words = ("experiment=jets_qat", "data.source=simulated", *QUIET, f"output={run}")
    with start("train.py", *words, "trainer.max_epochs=1000") as process:
        wait_for(run / "metrics.csv", process)
        second = train(*words)
        third = train(*words, "ckpt_path=last", "trainer.max_epochs=1000")
        process.kill()
        process.communicate()
    assert second.returncode == third.returncode == 2
    assert "already holds a run" in second.stderr
    assert f"output={run}: another training is writing there" in third.stderr
    done = train(*RUN, f"output={run}", "ckpt_path=last", "trainer.max_epochs=1000", "trainer.max_steps=1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("death", "told"),
    [
        ("kill -9 $$", "SIGKILL"),
        ("echo 'virtual memory exhausted: Cannot allocate memory' >&2; exit 1", "virtual memory"),
    ],
)
def test_a_compiler_that_dies_leaves_the_former_export(run, tmp_path, monkeypatch, death, told):
    assert command("export.py", f"ckpt={run / 'best.ckpt'}").returncode == 0
    before = content(run)
    compiler = tmp_path / "bin" / "g++"
    compiler.parent.mkdir()
    compiler.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec {shutil.which("g++")} --version\n{death}\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{compiler.parent}{os.pathsep}{os.environ['PATH']}")
    done = command("export.py", f"ckpt={run / 'best.ckpt'}")
    assert done.returncode == 1
    assert told in done.stderr and "Traceback" not in done.stderr
    assert content(run) == before


def at_a_fixed_time(*arguments: str) -> None:
    """Train at noon of the first of January 2026, whatever the time."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None) -> datetime:
            return datetime(2026, 1, 1, 12)

    run_folder.datetime = Clock
    run_script("train.py", *arguments)


def test_a_clock_that_goes_back_overwrites_nothing(tmp_path):
    """The folder's name is a time: one that comes twice is refused, and the newest run is still found by name."""
    assert forked(at_a_fixed_time, *RUN, cwd=tmp_path).returncode == 0
    run = tmp_path / "checkpoints" / "jets_qat" / "2026-01-01_12-00-00"
    before = content(run)
    done = forked(at_a_fixed_time, *RUN, cwd=tmp_path)
    assert done.returncode == 2
    assert "already holds a run" in done.stderr
    assert content(run) == before
    done = forked(at_a_fixed_time, *RUN, "ckpt_path=last", "trainer.max_epochs=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (run / "metrics.csv").read_text().count("\n") == 3
