"""Chunks: seeded pieces of a simulation that give the same events whatever number of processes runs them."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nanotrigger.errors import InputError

Result = TypeVar("Result")

_PYTHIA_SEEDS = 900_000_000  # Pythia accepts 1 to this


@dataclass(frozen=True)
class Chunk:
    """`size` jets or events of the class `label`, simulated in one go from Pythia's random `seed`."""

    label: str
    size: int
    seed: int


def split(counts: Mapping[str, int], *, size: int, seed: int) -> list[Chunk]:
    """Divide `counts[label]` items of each label into chunks of `size`; the last of a label may be smaller.

    A chunk's seed depends on `seed`, on its label's place in `counts` and on its own place in the label.

    >>> [(chunk.label, chunk.size) for chunk in split({"g": 5, "q": 2}, size=4, seed=1)]
    [('g', 4), ('g', 1), ('q', 2)]
    """
    return [
        Chunk(label, min(size, count - start), _pythia_seed(seed, place, start // size))
        for place, (label, count) in enumerate(counts.items())
        for start in range(0, count, size)
    ]


def run(task: Callable[[Chunk], Result], chunks: Sequence[Chunk], *, processes: int) -> list[Result]:
    """Return `task(chunk)` of every chunk, in order, showing a progress bar on stderr.

    The processes start afresh (spawn): `task` is a function of a module, and a script that calls this needs
    `if __name__ == "__main__":`. An error or an interruption ends them all.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    spawn = multiprocessing.get_context("spawn")
    strangers = set(multiprocessing.active_children())
    results: list[Result] = []
    with (
        Progress(*columns, console=Console(stderr=True)) as progress,
        ProcessPoolExecutor(min(processes, len(chunks)), spawn, initializer=_start_worker) as executor,
    ):
        bar = progress.add_task("simulating", total=sum(chunk.size for chunk in chunks))
        try:
            for chunk, result in zip(chunks, executor.map(task, chunks), strict=True):
                results.append(result)
                progress.advance(bar, chunk.size)
        except BaseException:  # without its workers the executor gives up the chunks that still wait
            for worker in set(multiprocessing.active_children()) - strangers:
                worker.terminate()
            raise
    return results


def _pythia_seed(seed: int, *place: int) -> int:
    state = np.random.SeedSequence(seed, spawn_key=place).generate_state(1, np.uint64)
    return 1 + int(state[0]) % _PYTHIA_SEEDS


def _start_worker() -> None:
    """Let Ctrl-C end the worker without a traceback, and send FastJet's banner nowhere."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def check_limits(limits: Mapping[str, tuple[int, int, int]]) -> None:
    """Check numbers of a command line: by name, each with the least and the most that it may be.

    Raises:
        InputError: a number is out of range.
    """
    for name, (value, least, most) in limits.items():
        if not least <= value <= most:
            raise InputError(f"{name} = {value}: must be {least} to {most}")
