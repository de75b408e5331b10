"""When the machine fails, nothing that was written is lost, and one line says what happened."""

import os
import resource
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from filelock import FileLock

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
    done = train(*words, "evaluate=false", "ckpt_path=last", "trainer.max_epochs=1000", "trainer.max_steps=1")
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


def test_trainings_that_start_in_the_same_second_have_a_folder_each(tmp_path):
    """As those of a job array do, or when a clock goes back; `last` is the newest, by time and by number."""
    runs = tmp_path / "checkpoints" / "jets_qat"
    first = runs / "2026-01-01_12-00-00"
    done = forked(at_a_fixed_time, *RUN, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    before = content(first)
    with ThreadPoolExecutor(2) as pool:
        others = list(pool.map(lambda seed: forked(at_a_fixed_time, *RUN, f"seed={seed}", cwd=tmp_path), (2, 3)))
    assert [done.returncode for done in others] == [0, 0], others
    assert content(first) == before
    assert sorted(path.name for path in runs.iterdir()) == [first.name, f"{first.name}.2", f"{first.name}.3"]
    seeds = {(path / "config.yaml").read_text().partition("seed_everything: ")[2][0] for path in runs.iterdir()}
    assert seeds == {"1", "2", "3"}
    shutil.copytree(runs / f"{first.name}.3", runs / f"{first.name}.10")
    (runs / f"{first.name}.10" / "metrics.csv").unlink()
    seed = (runs / f"{first.name}.10" / "config.yaml").read_text().partition("seed_everything: ")[2][0]
    words = ("ckpt_path=last", "trainer.max_epochs=2", f"seed={seed}")
    done = forked(at_a_fixed_time, *RUN, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (runs / f"{first.name}.10" / "metrics.csv").read_text().count("\n") == 3


def test_what_is_refused_leaves_no_folder(tmp_path):
    done = train("experiment=jets_qat", "data.source=none.h5", cwd=tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "checkpoints").exists()


def into_a_closed_pipe(descriptor: str, script: str, *arguments: str) -> None:
    """Be the script whose output nobody reads any longer."""
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, int(descriptor))
    run_script(script, *arguments)


@pytest.mark.parametrize("descriptor", ["1", "2"])
def test_a_closed_pipe_does_not_stop_the_work(tmp_path, descriptor):
    """As in `train.py … | head -1`."""
    run = tmp_path / "run"
    words = ("experiment=jets_qat", "data.source=simulated", "trainer.limit_train_batches=1", "trainer.max_epochs=1")
    done = forked(into_a_closed_pipe, descriptor, "train.py", *words, f"output={run}")
    assert done.returncode == 0, done.stderr
    assert {"test.json", CHECKSUMS} <= {path.name for path in run.iterdir()}
    done = forked(into_a_closed_pipe, descriptor, "export.py", f"ckpt={run / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    assert {"parity.json", "datasheet.html", CHECKSUMS} <= {path.name for path in (run / "export").iterdir()}
    done = forked(into_a_closed_pipe, descriptor, "train.py", f"ckpt_path={run / 'last.ckpt'}", "seed=7")
    assert done.returncode == 2


def test_a_second_export_keeps_out_of_the_folder(run):
    with FileLock(run / ".export.lock"):
        done = command("export.py", f"ckpt={run / 'best.ckpt'}")
    assert done.returncode == 2
    assert f"output={run / 'export'}: another export is writing there" in done.stderr
    assert not (run / "export").exists()
