"""The points of a scan in its storage: each is claimed by one process, and taken over if that process dies."""

import contextlib
import platform
import random
import time
from pathlib import Path
from typing import Any

import optuna
import psutil
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from nanotrigger.scan.plan import Plan
from nanotrigger.scan.quality import lower_end
from nanotrigger.scan.storage import choices

ROW, ERROR = "row", "error"  # attributes of a trial
_WORKER, _ALIVE, _DIED = "worker", "alive", "died"
_FORGIVEN = "forgiven"  # attribute of the study: numbers of failed trials whose points run again
_GRID_ID, _SEARCH_SPACE = "grid_id", "search_space"  # GridSampler's: which point a trial is, of which grid

ALIVE_EVERY = 60  # seconds between two signs of life
SILENCE = 5 * ALIVE_EVERY  # seconds without one after which a process on another machine counts as dead
_CLOCK = 5  # seconds by which the start of a process may seem to move when the clock is set


class Points:
    """The points of a scan, as the storage knows them at each call.

    The storage hands out trial numbers once each; GridSampler maps the first numbers to the points of the grid. In a
    contest every trial is a point of its own.

    Args:
        study: that keeps them.
        plan: of the scan.
    """

    def __init__(self, study: optuna.Study, plan: Plan) -> None:
        self.study = study
        self.plan = plan

    def claim(self, worker: dict[str, Any]) -> optuna.Trial | None:
        """Return a trial whose point no other process has or had; None if there is none left.

        When two processes ask at once, a trial may be one too many, or of a point that was given: it is closed again.

        Args:
            worker: `identity` of this process.
        """
        while self.unclaimed():
            started = optuna.trial.create_trial(
                state=TrialState.RUNNING, user_attrs={_WORKER: worker}, system_attrs=self._begun_before()
            )
            self.study.add_trial(started)  # at once with its worker, who may be killed at any moment
            trial = self._writable(self.running_of([worker])[-1])
            if self._is_first(trial.number):
                return trial
            self._tell(trial.number, TrialState.PRUNED)
        return None

    def unclaimed(self) -> int:
        """Return how many points no process has taken."""
        return self.plan.size - len({self._point(trial) for trial in self._holding(self._trials())})

    def running(self) -> list[FrozenTrial]:
        """Return the trials that a process has begun and not finished."""
        return [trial for trial in self._trials() if trial.state == TrialState.RUNNING]

    def finished(self) -> list[FrozenTrial]:
        """Return one trial for each point that has a result or an error, by trial number."""
        firsts: dict[int, FrozenTrial] = {}
        for trial in self._settled(self._trials()):
            firsts.setdefault(self._point(trial), trial)
        return list(firsts.values())

    def complete(self, trial: optuna.Trial, row: dict[str, Any], values: list[float]) -> None:
        """Record a point's result, unless the point was given to another process meanwhile."""
        with contextlib.suppress(UpdateFinishedTrialError):
            trial.set_user_attr(ROW, row)
            if self.plan.contest:
                trial.set_constraint("quality", self.plan.contest.threshold - (lower_end(row) or 0.0))
        self._tell(trial.number, TrialState.COMPLETE, values)

    def fail(self, trial: optuna.Trial, error: str) -> None:
        """Record why a point has no result, unless the point was given to another process meanwhile."""
        with contextlib.suppress(UpdateFinishedTrialError):
            trial.set_user_attr(ERROR, error)
        self._tell(trial.number, TrialState.FAIL)

    def release_dead(self) -> None:
        """Give the points of dead processes to whoever asks next."""
        for trial in self.running():
            if not self._lives(trial):
                self._tell(trial.number, TrialState.FAIL)

    def retry_failed(self) -> None:
        """Let the points that failed run again."""
        failed = [trial.number for trial in self.finished() if trial.state == TrialState.FAIL]
        forgiven = self.study.user_attrs.get(_FORGIVEN, [])
        self.study.set_user_attr(_FORGIVEN, sorted({*forgiven, *failed}))

    def bury(self, worker: dict[str, Any], cause: str) -> None:
        """Note that a process of this machine died at its point; at the second time the point has failed."""
        trials = self._trials()
        for trial in self.running_of([worker]):
            self._writable(trial).set_user_attr(_DIED, True)
            same = [other for other in trials if self._point(other) == self._point(trial)]
            if any(other.user_attrs.get(_DIED) for other in same):
                self._writable(trial).set_user_attr(ERROR, f"the process {cause}, twice; perhaps for lack of memory")
            self._tell(trial.number, TrialState.FAIL)

    def running_of(self, workers: list[dict[str, Any]]) -> list[FrozenTrial]:
        """Return the trials that these processes have begun and not finished."""
        return [trial for trial in self.running() if trial.user_attrs.get(_WORKER) in workers]

    def show_alive(self, workers: list[dict[str, Any]]) -> None:
        """Leave a sign of life of these processes for other machines."""
        for trial in self.running_of(workers):
            with contextlib.suppress(UpdateFinishedTrialError):
                self._writable(trial).set_user_attr(_ALIVE, time.time())

    def _writable(self, trial: FrozenTrial) -> optuna.Trial:
        return optuna.Trial(self.study, trial._trial_id)

    def _trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def _point(self, trial: FrozenTrial) -> int:
        """Return the number of a trial's point: GridSampler's, or the trial's own, as it would give."""
        return int(trial.system_attrs.get(_GRID_ID, trial.number))

    def _settled(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """Return those that have a result, or an error that stands."""
        forgiven = self.study.user_attrs.get(_FORGIVEN, [])
        return [
            trial
            for trial in trials
            if trial.state == TrialState.COMPLETE or (ERROR in trial.user_attrs and trial.number not in forgiven)
        ]

    def _holding(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """Return those that have their point or have finished it."""
        return [trial for trial in trials if trial.state == TrialState.RUNNING] + self._settled(
            [trial for trial in trials if trial.state.is_finished()]
        )

    def _is_first(self, number: int) -> bool:
        """Return whether a trial is within the scan, and no earlier one has its point."""
        points = {trial.number: self._point(trial) for trial in self._holding(self._trials()) if trial.number <= number}
        if self.plan.contest:
            return len(points) <= self.plan.size
        own = points.pop(number)
        return own < self.plan.size and own not in points.values()

    def _begun_before(self) -> dict[str, Any]:
        """Return the attributes of a point of the grid that was begun, and that nobody has or has finished, if any."""
        if self.plan.contest:
            return {}
        trials = self._trials()
        begun = {self._point(trial) for trial in trials if trial.state == TrialState.FAIL}
        held = {self._point(trial) for trial in self._holding(trials)}
        free = [point for point in begun - held if point < self.plan.size]
        if not free:
            return {}
        space = {axis.name: choices(axis) for axis in self.plan.axes}
        return {_GRID_ID: random.choice(free), _SEARCH_SPACE: dict(sorted(space.items()))}

    def _lives(self, trial: FrozenTrial) -> bool:
        worker = trial.user_attrs[_WORKER]
        if is_here(worker):
            return lives(worker)
        began = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
        return time.time() - max(began, trial.user_attrs.get(_ALIVE, 0.0)) < SILENCE

    def _tell(self, number: int, state: TrialState, values: list[float] | None = None) -> None:
        """Finish a trial, unless another process has done so."""
        try:
            self.study.tell(number, values, state=state)
        except (ValueError, UpdateFinishedTrialError):
            if not self.study.trials[number].state.is_finished():
                raise


def identity(pid: int) -> dict[str, Any]:
    """Return what tells a process of this machine from all others, here and elsewhere."""
    return {"place": _place(), "pid": pid, "started": psutil.Process(pid).create_time()}


def is_here(worker: dict[str, Any]) -> bool:
    """Return whether a process ran where this one runs, so that `lives` can tell at once."""
    return bool(worker["place"] == _place())


def lives(worker: dict[str, Any]) -> bool:
    """Return whether a process of this machine still runs, and is not a later one with the same number."""
    try:
        process = psutil.Process(worker["pid"])
        is_same = abs(process.create_time() - worker["started"]) < _CLOCK
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _place() -> str:
    """Return where process numbers are unique: on the machine since its start, or in the container on it."""
    parts = [platform.node()]
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists():
        parts.append(boot.read_text().strip())
    if namespace.exists():
        parts.append(str(namespace.readlink()))
    return " ".join(parts)
