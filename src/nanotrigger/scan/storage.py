"""The Optuna study in which a scan keeps its points, and the values that Optuna gives them."""

import json
import os
import time
import warnings
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GridSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import StudyDirection
from sqlalchemy.exc import SQLAlchemyError

from nanotrigger.errors import InputError
from nanotrigger.scan.plan import Axis, Plan, Range, Value

_PIECE = 65_536  # bytes
_ATTEMPTS = 5  # at a database whose tables are being created
PLAN = "plan"  # the study's attribute that holds its plan
_OBJECTIVES = {
    "quality": StudyDirection.MAXIMIZE,
    "ALUTs": StudyDirection.MINIMIZE,
    "FFs": StudyDirection.MINIMIZE,
}

Choice = bool | int | float | str | None  # what Optuna stores


def open_study(plan: Plan, storage: str, *, seed: int = 0) -> optuna.Study:
    """Return the plan's study; it is created if the storage has none of its name.

    Args:
        plan: of the scan.
        storage: path of a journal file, for all processes that see this path; or a URL such as
            `postgresql://user:password@host/database`.
        seed: of a contest's sampler.

    Raises:
        InputError: the storage cannot be reached, or holds another scan under this name.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if not _is_address(storage):
        _check_journal(Path(storage))
    try:
        study = _study(plan, _storage(storage), seed)
        recorded = study.user_attrs.get(PLAN)
        if recorded is None:
            study.set_user_attr(PLAN, _identity(plan))
            recorded = study.user_attrs[PLAN]
    except InputError:
        raise
    except (SQLAlchemyError, OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"storage={storage} cannot be used: {reason}; check the address and that its server runs"
        ) from None
    difference = _difference(recorded, _identity(plan))
    if difference:
        raise InputError(f"storage={storage} has another scan named {plan.name}, with {difference}; give name=OTHER")
    return study


def _storage(storage: str) -> BaseStorage:
    if not _is_address(storage):
        Path(storage).parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(storage, lock_obj=_Lock(storage)))
    try:
        return _database(storage)
    except ImportError as error:
        reason = error.__cause__ or error.__context__ or error  # such as: no module named psycopg
        raise InputError(f"storage={storage} needs a driver: {reason}; pip install it") from None


def _is_address(storage: str) -> bool:
    """Return whether a storage is a database's address; else it is the path of a journal."""
    return "://" in storage


def _check_journal(path: Path) -> None:
    """Check that every line of a journal is a record; the last one may be unfinished, which `_Lock` removes.

    Raises:
        InputError: a line is none; says which.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n") and not _is_record(line):
                kept = f"keep what is before it, head -n {number - 1} {path} > NEW, and " if number > 1 else ""
                raise InputError(f"storage={path}: line {number} is no record of a scan; {kept}give storage=NEW")


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and "op_code" in record


class _Lock(JournalFileOpenLock):
    """A lock that the system releases when its owner is killed; Optuna's own stays behind as a file.

    Who gets it removes the half line that a killed process, or a power cut, left at the end: the next record would be
    glued to it. Its point runs again.
    """

    def __init__(self, journal: str) -> None:
        self.journal = Path(journal)
        self.lock = FileLock(f"{journal}.filelock")

    def acquire(self) -> bool:
        self.lock.acquire()
        _remove_half_line(self.journal)
        return True

    def release(self) -> None:
        self.lock.release()


def _remove_half_line(journal: Path) -> None:
    with journal.open("r+b") as file:
        end = size = file.seek(0, os.SEEK_END)
        while end:  # piece by piece from the end, which nearly always has the end of a line
            start = max(end - _PIECE, 0)
            file.seek(start)
            place = file.read(end - start).rfind(b"\n")
            if place >= 0:
                end = start + place + 1
                break
            end = start
        if end < size:
            file.truncate(end)


def _database(url: str) -> RDBStorage:
    """Return a database's storage; wait if another process is creating its tables."""
    for _ in range(_ATTEMPTS):
        try:
            return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
        except SQLAlchemyError as error:
            if "already exists" not in str(error):
                raise
            time.sleep(1)
    return RDBStorage(url)


def _study(plan: Plan, storage: BaseStorage, seed: int) -> optuna.Study:
    """Return the study; nothing is written if it exists."""
    sampler = _sampler(plan, seed)
    if plan.name in optuna.study.get_all_study_names(storage):
        return optuna.load_study(study_name=plan.name, storage=storage, sampler=sampler)
    objectives = {"ALUT % + FF %": StudyDirection.MINIMIZE} if plan.contest else _OBJECTIVES
    study = optuna.create_study(  # another process may have made it since
        study_name=plan.name, storage=storage, sampler=sampler, directions=[*objectives.values()], load_if_exists=True
    )
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        study.set_metric_names([*objectives])
    return study


class _Grid(GridSampler):
    """GridSampler for points that are asked for one by one, where nothing has to be stopped at the end."""

    def after_trial(self, study: object, trial: object, state: object, values: object) -> None: ...


def _sampler(plan: Plan, seed: int) -> BaseSampler:
    if plan.contest is None:
        return _Grid({axis.name: choices(axis) for axis in plan.axes})
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        return TPESampler(seed=seed, multivariate=True)


def _identity(plan: Plan) -> dict:
    """Return what makes two scans the same: a contest may go on with more points."""
    record = plan.to_json()
    if plan.contest:
        record["contest"].pop("points")
    record.pop("description")
    return record


def _difference(recorded: dict, wanted: dict) -> str:
    """Return in words how a recorded plan differs; empty if it does not."""
    for key in sorted(recorded.keys() | wanted.keys()):
        has, wants = recorded.get(key), wanted.get(key)
        if has != wants:
            return f"{key} {_short(has)} instead of {_short(wants)}"
    return ""


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def choices(axis: Axis | Range) -> list[Choice]:
    """Return an axis' values as Optuna stores them: lists and tables as JSON."""
    return [_choice(value) for value in axis.values]


def suggest(plan: Plan, trial: optuna.Trial) -> tuple[Value, ...]:
    """Return a trial's value of each axis."""
    return tuple(_suggest(axis, trial) for axis in plan.axes)


def values_of(plan: Plan, trial: optuna.trial.FrozenTrial) -> tuple[Value, ...] | None:
    """Return a recorded trial's value of each axis; None if it was stopped before they were chosen."""
    if any(axis.name not in trial.params for axis in plan.axes):
        return None
    return tuple(_value(axis, trial.params[axis.name]) for axis in plan.axes)


def point_number(plan: Plan, values: tuple[Value, ...], trial: int) -> int:
    """Return the place of a point in the grid, or in a contest the number of its trial."""
    return trial if plan.contest else plan.points.index(values)


def _suggest(axis: Axis | Range, trial: optuna.Trial) -> Value:
    if isinstance(axis, Axis):
        return _value(axis, trial.suggest_categorical(axis.name, choices(axis)))
    if axis.is_whole:
        return trial.suggest_int(axis.name, int(axis.low), int(axis.high), step=int(axis.step), log=axis.log)
    return trial.suggest_float(axis.name, axis.low, axis.high, step=axis.step or None, log=axis.log)


def _value(axis: Axis | Range, choice: Choice) -> Value:
    if isinstance(axis, Range):
        assert choice is not None
        return choice
    return axis.values[choices(axis).index(choice)]


def _choice(value: Value) -> Choice:
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)
