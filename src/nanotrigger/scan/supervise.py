"""Keep a scan's workers busy until every point is finished, here or elsewhere."""

import math
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from nanotrigger.errors import FirmwareError
from nanotrigger.scan.liveness import ALIVE_EVERY, identity
from nanotrigger.scan.points import Points
from nanotrigger.scan.worker import RunPoint, work

_POLL = 1.0  # seconds between two looks at the storage
_FRUITLESS = 3  # workers that may die in a row before any point is finished


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
    crew: list[tuple[BaseProcess, dict[str, Any]]] = []
    context = multiprocessing.get_context("spawn")
    deaths, done, cause, shown = 0, -1, "", -math.inf
    try:
        while True:
            for process, worker in [member for member in crew if not member[0].is_alive()]:
                crew.remove((process, worker))
                if process.exitcode:
                    cause = _cause(process.exitcode)
                    points.bury(worker, cause)
                    deaths += 1
            points.release_dead()
            left = points.unclaimed()
            if not (left or crew or points.running()):
                return
            finished = len(points.finished())
            if finished > done:
                deaths, done = 0, finished
            if deaths >= _FRUITLESS:
                raise FirmwareError(f"{deaths} worker processes died in a row, the last one {cause}")
            members = [worker for _, worker in crew]
            if time.monotonic() - shown >= ALIVE_EVERY:
                points.show_alive(members)
                shown = time.monotonic()
            idle = len(members) - len(points.running_of(members))
            for _ in range(min(left - idle, workers - len(crew))):
                process = context.Process(target=work, args=(points.plan, storage, folder, run_point))
                process.start()
                crew.append((process, identity(process.pid or 0)))
            show()
            time.sleep(_POLL)
    finally:
        for process, _ in crew:
            process.kill()
            process.join()
        if crew:
            points.release_dead()


def _cause(exit_code: int) -> str:
    return f"was killed by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"ended with exit code {exit_code}"
