"""A worker: a process that takes points until none is left."""

import contextlib
import math
import multiprocessing
import os
import shutil
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna

from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.scan.liveness import identity
from nanotrigger.scan.plan import Plan, Value
from nanotrigger.scan.points import Points
from nanotrigger.scan.quality import quality_of
from nanotrigger.scan.storage import open_study
from nanotrigger.scan.suggest import point_number, suggest

Row = dict[str, Any]
RunPoint = Callable[[Plan, dict[str, Value], Path], Row]  # plan, keys of the point, its folder → its results


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
    return text if isinstance(error, InputError | FirmwareError) else f"{type(error).__name__}: {text}"
