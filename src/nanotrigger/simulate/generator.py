"""Proton-proton collisions from Pythia 8 (arXiv:2203.11601), as particles in flat arrays, in chunks over processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nanotrigger.errors import InputError
from nanotrigger.tools import terminal

BEAM_ENERGY = 6500.0  # GeV, of each of two protons
FAILURES = 100  # in a row; Pythia gives up on an event now and then, and that one is skipped
_COMMON_SETTINGS = ("Print:quiet = on", f"Beams:eCM = {2 * BEAM_ENERGY}")  # else Pythia's defaults, the Monash tune
_GIVEN_EVENTS = "Beams:frameType = 5"  # from an object of Python


def start_pythia(settings: Sequence[str], *, seed: int, events: Any = None) -> Any:
    """Return a fresh Pythia of proton-proton collisions at 13 TeV.

    A fresh one for every chunk: reseeding a used one would not forget its earlier events.

    Args:
        settings: lines as `HardQCD:gg2gg = on`.
        seed: 1 to 900,000,000.
        events: of `hard_process`, for Pythia to go on with; by default it makes its own.

    Raises:
        RuntimeError: Pythia refuses the settings.
    """
    import pythia8mc  # late: only simulation needs it, and it is an optional dependency

    pythia = pythia8mc.Pythia("", False)
    given = () if events is None else (_GIVEN_EVENTS,)
    for setting in (*_COMMON_SETTINGS, *given, *settings, "Random:setSeed = on", f"Random:seed = {seed}"):
        if not pythia.readString(setting):
            raise RuntimeError(f"Pythia does not know the setting {setting!r}")
    if events is not None:
        pythia.setLHAupPtr(events)
    if not pythia.init():
        raise RuntimeError(f"Pythia cannot start with {', '.join(settings)}")
    return pythia


def generator_versions() -> dict[str, str]:
    """Return the versions of Pythia's and FastJet's Python packages.

    Raises:
        InputError: one of them is missing.
    """
    try:
        import fastjet  # late: only simulation needs them, and they are optional dependencies
        import pythia8mc
    except ImportError as error:
        raise InputError(
            f'simulation needs {error.name}: pip install "nanotrigger[simulate]" '
            '(from a clone: pip install -e ".[simulate]")'
        ) from error
    pythia = pythia8mc.Pythia("", False)
    return {"pythia": f"{pythia.parm('Pythia:versionNumber'):.3f}", "fastjet": str(fastjet.__version__)}


@dataclass(frozen=True)
class Particles:
    """Particles of a batch of events, one entry each.

    Attributes:
        event: place of the particle's event in the batch, shape (particles,), ascending.
        code: number of the particle's kind in the scheme of the Particle Data Group, without sign.
        pt: transverse momentum in GeV.
        eta: pseudorapidity.
        phi: azimuth, -π to π.
    """

    event: NDArray[np.int64]
    code: NDArray[np.int64]
    pt: NDArray[np.float64]
    eta: NDArray[np.float64]
    phi: NDArray[np.float64]

    def take(self, chosen: NDArray[Any] | slice) -> "Particles":
        """Return the particles of a mask, of places or of a slice."""
        return Particles(self.event[chosen], self.code[chosen], self.pt[chosen], self.eta[chosen], self.phi[chosen])

    @property
    def energy(self) -> NDArray[np.float64]:
        """Energy in GeV of massless particles; a calorimeter does not see the mass."""
        return self.pt * np.cosh(self.eta)

    @property
    def momenta(self) -> NDArray[np.float64]:
        """px, py, pz, E in GeV of massless particles, shape (particles, 4)."""
        px, py, pz = self.pt * np.cos(self.phi), self.pt * np.sin(self.phi), self.pt * np.sinh(self.eta)
        return np.stack([px, py, pz, self.energy], axis=1)


def joined(parts: Sequence[Particles]) -> Particles:
    """Return the particles of several collections, one after the other."""
    if not parts:
        return Particles(*(np.zeros(0, kind) for kind in (np.int64, np.int64, float, float, float)))
    columns = ([part.event, part.code, part.pt, part.eta, part.phi] for part in parts)
    return Particles(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def collisions(pythia: Any, wanted: Callable[[Any], bool] = lambda event: True) -> Iterator[Particles]:
    """Yield the final particles of collision after collision, each as of event 0.

    Args:
        pythia: of `start_pythia`.
        wanted: whether an event of Pythia's is; others are left out at once, which takes the least time.

    Raises:
        InputError: Pythia gives up on a hundred collisions in a row.
    """
    while any(pythia.next() for _ in range(FAILURES)):
        if wanted(pythia.event):
            yield final_particles(pythia.event)
    raise failed(FAILURES)


def final_particles(event: Any) -> Particles:
    """Return the final particles of an event of Pythia's, as of event 0."""
    final = [(entry.idAbs(), entry.pT(), entry.eta(), entry.phi()) for entry in event if entry.isFinal()]
    code, pt, eta, phi = np.reshape(final, (-1, 4)).T
    return Particles(np.zeros(len(final), np.int64), code.astype(np.int64), pt, eta, phi)


def failed(events: int) -> InputError:
    """Return the error that Pythia failed on so many events in a row."""
    return InputError(f"Pythia failed on {events} events in a row; another --seed may not meet them")


Result = TypeVar("Result")

_PYTHIA_SEEDS = 900_000_000  # Pythia accepts 1 to this
_MOST_KILLED = 3  # times in a row


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
        Chunk(label, min(size, count - start), pythia_seed(seed, place, start // size))
        for place, (label, count) in enumerate(counts.items())
        for start in range(0, count, size)
    ]


def run(task: Callable[[Chunk], Result], chunks: Sequence[Chunk], *, processes: int) -> list[Result]:
    """Return `task(chunk)` of every chunk, in order, showing a progress bar on stderr.

    The processes start afresh (spawn): `task` is a function of a module, and a script that calls this needs
    `if __name__ == "__main__":`. An error or an interruption ends them all. If one of them is killed, the chunks that
    are not done start anew.

    Raises:
        InputError: processes are killed again and again.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    results: list[Result] = []
    killed = 0  # times in a row without a chunk in between
    with Progress(*columns, console=terminal()) as progress:
        bar = progress.add_task("simulating", total=sum(chunk.size for chunk in chunks))

        def keep(result: Result) -> None:
            progress.advance(bar, chunks[len(results)].size)
            results.append(result)

        while len(results) < len(chunks):
            done = len(results)
            try:
                _run_once(task, chunks[done:], keep, processes=processes)
            except BrokenProcessPool as error:
                killed = 1 if len(results) > done else killed + 1
                if killed == _MOST_KILLED:
                    reason = f"processes were killed {killed} times in a row, perhaps for want of memory"
                    raise InputError(f"{reason}; try fewer --processes than {processes}") from error
                progress.console.print("a process was killed: what it did starts anew")
    return results


def _run_once(
    task: Callable[[Chunk], Result], chunks: Sequence[Chunk], keep: Callable[[Result], None], *, processes: int
) -> None:
    """Hand `task(chunk)` of every chunk, in order, to `keep`."""
    spawn = multiprocessing.get_context("spawn")
    strangers = set(multiprocessing.active_children())
    with ProcessPoolExecutor(min(processes, len(chunks)), spawn, initializer=_start_worker) as executor:
        try:
            for result in executor.map(task, chunks):
                keep(result)
        except BaseException:  # without its workers the executor gives up the chunks that still wait
            for worker in set(multiprocessing.active_children()) - strangers:
                worker.terminate()
            raise


def pythia_seed(seed: int, *place: int) -> int:
    """Return a seed that Pythia accepts; it depends on a seed and on the place of what it is for."""
    state = np.random.SeedSequence(seed, spawn_key=place).generate_state(1, np.uint64)
    return 1 + int(state[0]) % _PYTHIA_SEEDS


def _start_worker() -> None:
    """Let Ctrl-C end the worker without a traceback, send FastJet's banner nowhere, and end with the command."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    """End this process as soon as another one has ended, even if that was killed."""
    parent.join()
    os._exit(1)


def check_limits(limits: Mapping[str, tuple[int, int, int]]) -> None:
    """Check numbers of a command line: by name, each with the least and the most that it may be.

    Raises:
        InputError: a number is out of range.
    """
    for name, (value, least, most) in limits.items():
        if not least <= value <= most:
            raise InputError(f"{name} = {value}: must be {least} to {most}")
