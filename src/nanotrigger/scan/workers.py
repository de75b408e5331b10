"""The processes that run a scan's points: each takes points until none is left, and one that dies is replaced."""

import contextlib
import math
import multiprocessing
import os
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import optuna

from nanotrigger.errors import FirmwareError, InputError, TrainingError
from nanotrigger.scan.plan import Plan, Value
from nanotrigger.scan.points import ALIVE_EVERY, Points, identity
from nanotrigger.scan.quality import quality_of
from nanotrigger.scan.storage import open_study, point_number, suggest

Row = dict[str, Any]
RunPoint = Callable[[Plan, dict[str, Value], Path], Row]  # plan, keys of the point, its folder → its results

_POLL = 1.0  # seconds between two looks at the storage
_FRUITLESS = 3  # workers that may die in a row before any point is finished


def work(plan: Plan, storage: str, folder: Path, run_point: RunPoint) -> None:
    """Take points from the storage and run them, one after the other; their output goes into log.txt.

    A point that raises is recorded with its error. The process ends with its parent.

    Args:
        plan: of the scan.
        storage: as `open_study` takes it.
        folder: of the scan.
        run_point: trains and exports a point and returns its results.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    points = Points(open_study(plan, storage, seed=os.getpid()), plan)
    me = identity(os.getpid())
    while (trial := points.claim(me)) is not None:
        _run(points, trial, folder / "points", run_point)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(points: Points, trial: optuna.Trial, folder: Path, run_point: RunPoint) -> None:
    """Run a point in `folder/NUMBER`, which is emptied first: an earlier process may have died there."""
    values = suggest(points.plan, trial)
    folder = folder / f"{point_number(points.plan, values, trial.number):04}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with (
        (folder / "log.txt").open("w", encoding="utf-8", buffering=1) as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        try:
            row = run_point(points.plan, points.plan.keys(values), folder)
            objectives = _objectives(points.plan, row)
        except (Exception, SystemExit) as error:
            traceback.print_exc(file=log)
            points.fail(trial, _reason(error))
        else:
            points.complete(trial, row, objectives)


def _objectives(plan: Plan, row: Row) -> list[float]:
    names = ["contest_figure"] if plan.contest else [quality_of(row), "aluts", "ffs"]
    if plan.contest and row["contest_figure"] is None:
        raise InputError("no structural count, so it cannot compete; log.txt says why")
    return [math.inf if row[name] is None else float(row[name]) for name in names]


def _reason(error: BaseException) -> str:
    """Return an error in one line, with its kind unless it speaks for itself."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, InputError | FirmwareError | TrainingError) else f"{type(error).__name__}: {text}"


def supervise(
    points: Points, storage: str, folder: Path, run_point: RunPoint, *, workers: int, show: Callable[[], None]
) -> None:
    """Run the points that are left, and wait for those that other processes have.

    Points of processes that died are run again. When this process is interrupted, its workers end at once and their
    points are free again.

    Args:
        points: of the scan.
        storage: as `open_study` takes it.
        folder: of the scan.
        run_point: as `work` takes it; a function that can be pickled.
        workers: number of processes.
        show: called at every look at the storage.

    Raises:
        FirmwareError: workers died without finishing a point.
    """
    crew = _Crew(points, storage, folder, run_point)
    shown = -math.inf
    try:
        while True:
            crew.bury_dead()
            points.release_dead()
            left = points.unclaimed()
            if not (left or crew.members or points.running()):
                return
            crew.check_finishing()
            if time.monotonic() - shown >= ALIVE_EVERY:
                points.show_alive(crew.workers)
                shown = time.monotonic()
            idle = len(crew.members) - len(points.running_of(crew.workers))
            crew.start(min(left - idle, workers - len(crew.members)))
            show()
            time.sleep(_POLL)
    finally:
        crew.end()


class _Crew:
    """The workers of this process, and how many died since the last point was finished."""

    def __init__(self, points: Points, storage: str, folder: Path, run_point: RunPoint) -> None:
        self.points = points
        self.arguments = (points.plan, storage, folder, run_point)
        self.context = multiprocessing.get_context("spawn")
        self.members: list[tuple[BaseProcess, dict[str, Any]]] = []
        self.deaths, self.finished, self.cause = 0, -1, ""

    @property
    def workers(self) -> list[dict[str, Any]]:
        """The `identity` of each."""
        return [worker for _, worker in self.members]

    def start(self, count: int) -> None:
        """Start so many more; none if `count` is negative."""
        for _ in range(count):
            process = self.context.Process(target=work, args=self.arguments)
            process.start()
            self.members.append((process, identity(process.pid or 0)))

    def bury_dead(self) -> None:
        """Leave out those that have ended, and note at its point that one died."""
        for process, worker in [member for member in self.members if not member[0].is_alive()]:
            self.members.remove((process, worker))
            if process.exitcode:
                self.cause = _cause(process.exitcode)
                self.points.bury(worker, self.cause)
                self.deaths += 1

    def check_finishing(self) -> None:
        """Raise FirmwareError if several in a row died before any point was finished."""
        finished = len(self.points.finished())
        if finished > self.finished:
            self.deaths, self.finished = 0, finished
        if self.deaths >= _FRUITLESS:
            raise FirmwareError(f"{self.deaths} worker processes died in a row, the last one {self.cause}")

    def end(self) -> None:
        """Kill all, and give their points back."""
        for process, _ in self.members:
            process.kill()
            process.join()
        if self.members:
            self.points.release_dead()


def _cause(exit_code: int) -> str:
    return f"was killed by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"ended with exit code {exit_code}"
