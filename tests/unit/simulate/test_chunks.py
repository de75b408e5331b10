"""Splitting work into seeded chunks, and running them in several processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

from nanotrigger.errors import InputError
from nanotrigger.simulate.generator import Chunk, run, split


def test_chunks_add_up_and_keep_the_order_of_labels():
    chunks = split({"g": 1001, "q": 500, "t": 0}, size=500, seed=1)
    assert [(chunk.label, chunk.size) for chunk in chunks] == [("g", 500), ("g", 500), ("g", 1), ("q", 500)]


def test_seeds_differ_between_chunks_labels_and_runs_and_suit_pythia():
    chunks = [*split({"g": 9, "q": 9}, size=1, seed=0), *split({"g": 9, "q": 9}, size=1, seed=1)]
    seeds = {chunk.seed for chunk in chunks}
    assert len(seeds) == len(chunks)
    assert min(seeds) >= 1
    assert max(seeds) <= 900_000_000


def test_a_larger_sample_starts_with_the_chunks_of_a_smaller_one():
    assert split({"g": 40}, size=10, seed=3)[:2] == split({"g": 20}, size=10, seed=3)


def test_results_come_in_the_order_of_the_chunks():
    chunks = [Chunk(label, 1, 1) for label in "gqtwz"]
    assert run(attrgetter("label"), chunks, processes=2) == list("gqtwz")


def test_an_error_ends_the_workers():
    with pytest.raises(AttributeError):
        run(attrgetter("colour"), [Chunk("g", 1, 1)] * 3, processes=2)
    assert not multiprocessing.active_children()


@pytest.fixture
def workers_find_this_module(monkeypatch):
    """Let processes that start afresh import it: they get this one's path."""
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


def killed_once(chunk):
    """Kill this process where the file that the chunk is called by is missing."""
    if not Path(chunk.label).exists():
        Path(chunk.label).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk.size


def killed_always(chunk):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.usefixtures("workers_find_this_module")
def test_a_chunk_whose_process_is_killed_starts_anew(tmp_path, capfd):
    chunks = [Chunk(str(tmp_path / name), size, 1) for size, name in enumerate("abc", start=1)]
    Path(chunks[0].label).touch()
    assert run(killed_once, chunks, processes=1) == [1, 2, 3]
    assert capfd.readouterr().err.count("a process was killed: what it did starts anew") == 2


@pytest.mark.usefixtures("workers_find_this_module")
def test_processes_that_are_killed_again_and_again_are_an_error_of_one_line(capfd):
    with pytest.raises(InputError, match="killed 3 times in a row, perhaps for want of memory; try fewer --processes"):
        run(killed_always, [Chunk("g", 1, 1)], processes=2)
    assert not multiprocessing.active_children()


def say_and_wait(chunk):
    """Write the number of this process into the file that the chunk is called by, and go on for ever."""
    Path(chunk.label).write_text(str(os.getpid()))
    signal.pause()


def test_processes_end_with_a_command_that_is_killed(tmp_path):
    code = (
        "from nanotrigger.simulate.generator import Chunk, run\n"
        "from tests.unit.simulate.test_chunks import say_and_wait\n"
        f"if __name__ == '__main__': run(say_and_wait, [Chunk({str(tmp_path / 'number')!r}, 1, 1)], processes=1)\n"
    )
    (script := tmp_path / "script.py").write_text(code)
    paths = os.pathsep.join([str(Path(__file__).parents[3]), *filter(None, sys.path)])
    command = subprocess.Popen(
        [sys.executable, script], stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}
    )
    assert command.stderr is not None
    while not (tmp_path / "number").exists() or not (tmp_path / "number").read_text():
        assert command.poll() is None
    command.kill()
    command.stderr.read()  # ends when the last process has closed it
    command.wait()
    command.stderr.close()
