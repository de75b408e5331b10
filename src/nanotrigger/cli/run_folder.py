"""The folder that receives everything of a training."""

from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nanotrigger.errors import InputError
from nanotrigger.files import new_folder, remove_unfinished
from nanotrigger.precision.names import FRONT

_WRITTEN = ("best.ckpt", "last.ckpt", "metrics.csv", "config.yaml", f"{FRONT}/*.ckpt")


class RunFolder:
    """A run folder, which one training holds at a time.

    Args:
        path: of the folder, which need not exist.
        goes_on: whether the run in there goes on; else there must be none.
    """

    def __init__(self, path: Path, *, goes_on: bool) -> None:
        self.path = path
        self._goes_on = goes_on
        self._lock = FileLock(path / ".lock", timeout=0)

    def check(self) -> None:
        """Refuse a folder that holds a run.

        Raises:
            InputError: it does, and that one does not go on.
        """
        if not self._goes_on and (self.path / "config.yaml").exists():
            raise InputError(
                f"output={self.path} already holds a run; choose another folder or resume with "
                f"ckpt_path={self.path / 'last.ckpt'}"
            )

    def hold(self) -> None:
        """Keep other trainings out, and remove what one that was killed had begun to write; nothing if it is held.

        Raises:
            InputError: another training holds it.
        """
        if self._lock.is_locked:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise InputError(f"output={self.path}: another training is writing there; wait for it") from None
        self.check()
        for name in _WRITTEN:
            remove_unfinished(self.path / name)

    def release(self) -> None:
        """Let other trainings in; nothing if it is not held."""
        self._lock.release()


def settle_last(settings: Any) -> None:
    """Have `ckpt_path=last` mean the last.ckpt of the run folder, or of the experiment's newest, if there is one."""
    if settings.output is None:
        runs = [path.parent for path in _folder_of_runs(settings).glob("*/config.yaml")]
        settings.output = str(max(runs, key=_age)) if runs else None
    last = None if settings.output is None else Path(settings.output, "last.ckpt")
    settings.ckpt_path = str(last) if last is not None and last.exists() else None


def default_output(settings: Any, *, make: bool) -> Path:
    """Return the folder of the resumed checkpoint, or a new one named by experiment and time.

    Args:
        settings: of the run.
        make: make the new one, so that no other training gets its name, whichever computer it runs on.
    """
    if settings.ckpt_path is not None:
        return Path(settings.ckpt_path).parent
    path = _folder_of_runs(settings) / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    return new_folder(path) if make else path


def _folder_of_runs(settings: Any) -> Path:
    if settings.experiment is None:
        settings.experiment = Path(str(settings.config[-1])).stem if settings.config else "run"
    return Path("checkpoints") / settings.experiment


def _age(run: Path) -> tuple[str, int]:
    """Return what orders runs by age: the time in the name, and the number that `new_folder` gave."""
    time, _, number = run.name.partition(".")
    return time, int(number) if number.isdecimal() else 0
