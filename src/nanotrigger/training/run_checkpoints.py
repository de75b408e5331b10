"""What a training writes: best.ckpt whenever it is better, last.ckpt and metrics.csv after an epoch.

These two are written at most once a second: on a GPU an epoch may take less time than they do.
"""

import csv
import io
import math
import os
import pickle
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from nanotrigger.errors import InputError
from nanotrigger.files import write_bytes, write_text
from nanotrigger.training.module import RECORD
from nanotrigger.training.requirement import Requirement

_SECONDS_BETWEEN = 1.0
_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")


class WholeCheckpoints(TorchCheckpointIO):
    """Write a checkpoint whole or not at all, synced to the disk, and equal states as equal bytes.

    Lightning's own way does not sync: after a power cut the file may be empty. A checkpoint that could not be read
    again does not take the place of one that can.
    """

    def __init__(self) -> None:
        super().__init__()
        self._readable: set[type] = set()  # what was read back

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """Write the checkpoint in the place of the former one."""
        content, kinds = _bytes(checkpoint), set(_kinds(checkpoint))
        if not kinds <= self._readable:
            check_readable(content)
            self._readable |= kinds
        write_bytes(Path(path), content.getbuffer())


class BestCheckpoint(ModelCheckpoint):
    """ModelCheckpoint that keeps its best score when a run is resumed in a folder that was moved, or in another one.

    Lightning forgets the score there, and the first epoch after the resume would replace a better checkpoint.
    A network is not considered, however good it is, while it does not meet a `Requirement`: before it has its final
    sparsity, or when it costs more than its budget.
    """

    @classmethod
    def of(cls, trainer: lightning.Trainer) -> "BestCheckpoint":
        """Return the one among a trainer's callbacks."""
        return next(callback for callback in trainer.callbacks if isinstance(callback, cls))

    @property
    def sign(self) -> int:
        """Factor by which a score becomes the higher the better."""
        return 1 if self.mode == "max" else -1

    def replaced(self, state: dict[str, Any], score: Tensor) -> dict[str, Any]:
        """Return a state of this callback that knows of a best.ckpt, and its score, which somebody else wrote."""
        scores = {"best_model_score": score, "kth_value": score, "best_k_models": {"best.ckpt": score}}
        return {**state, **scores, "best_model_path": "best.ckpt", "kth_best_model_path": "best.ckpt"}

    def state_dict(self) -> dict[str, Any]:
        """Return scores and names of files, without the folder, which may change."""
        state = super().state_dict()
        paths = {key: Path(state[key]).name for key in _PATHS}
        best = {Path(path).name: score for path, score in state["best_k_models"].items()}
        return {**state, **paths, "best_k_models": best, "dirpath": ""}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the score, for this folder."""
        paths = {key: self._rebased(state_dict[key]) for key in _PATHS}
        best = {self._rebased(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **paths, "best_k_models": best, "dirpath": self.dirpath})
        self.current_score = state_dict["current_score"]  # which Lightning leaves out

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Bring best.ckpt along if a run goes on in another folder."""
        best = Path(self.best_model_path)
        former = Path(trainer.ckpt_path or "").with_name(best.name) if self.best_model_path else best
        if trainer.is_global_zero and former.is_file() and not best.exists():
            best.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(former, best)

    def _save_topk_checkpoint(self, trainer: lightning.Trainer, monitor_candidates: dict[str, Tensor]) -> None:
        requirements = [callback for callback in trainer.callbacks if isinstance(callback, Requirement)]
        if all(requirement.is_complete for requirement in requirements):
            super()._save_topk_checkpoint(trainer, monitor_candidates)

    def _rebased(self, path: str) -> str:
        return str(Path(self.dirpath) / Path(path).name) if path else path


class _Pace:
    """Says whether it is time to write: at most once a second."""

    def __init__(self) -> None:
        self._last = -math.inf

    def is_due(self) -> bool:
        """Return whether a second has passed since it last was due."""
        if time.monotonic() - self._last < _SECONDS_BETWEEN:
            return False
        self._last = time.monotonic()
        return True


class LastCheckpoint(ModelCheckpoint):
    """Write last.ckpt before the first step and after an epoch, the first and the last one at any rate.

    ModelCheckpoint's own `save_last` skips epochs that did not improve the monitored metric.

    Args:
        folder: where last.ckpt is written.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            dirpath=folder,
            filename="last",
            monitor=None,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
        self._pace = _Pace()

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: it is always the same file."""
        return {}

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Check that what callbacks and module put into checkpoints can be read again, before anything is written.

        Raises:
            InputError: it cannot, or the module's own part is missing.
        """
        checkpoint: dict[str, Any] = {callback.state_key: callback.state_dict() for callback in trainer.callbacks}
        pl_module.on_save_checkpoint(checkpoint)
        if RECORD not in checkpoint:
            raise InputError(f"{type(pl_module).__name__}.on_save_checkpoint: call super().on_save_checkpoint in it")
        check_readable(_bytes(checkpoint))

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the first one, so that a run interrupted in its first epoch can be resumed too."""
        super().on_train_start(trainer, pl_module)
        if trainer.ckpt_path is None and not trainer.fast_dev_run:
            self._save_checkpoint(trainer, self.format_checkpoint_name({}))

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write it, unless the last one is younger than a second and another epoch follows."""
        if self._pace.is_due() or _is_last_epoch(trainer):
            super().on_train_epoch_end(trainer, pl_module)


def _is_last_epoch(trainer: lightning.Trainer) -> bool:
    """Return whether the training may end after this epoch."""
    epochs, steps = trainer.fit_loop.max_epochs, trainer.max_steps
    return (
        trainer.should_stop
        or trainer.received_sigterm
        or 0 <= epochs <= trainer.current_epoch + 1
        or 0 <= steps <= trainer.global_step
    )


def check_readable(content: io.BytesIO) -> None:
    """Check that `weights_only=True` can read a checkpoint.

    Raises:
        InputError: it holds something else than tensors and primitives.
    """
    content.seek(0)
    try:
        torch.load(content, weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        raise _not_plain(named[1] if named else str(error)) from None


def _bytes(checkpoint: dict[str, Any]) -> io.BytesIO:
    content = io.BytesIO()  # without a name, which would be among the bytes
    try:
        torch.save(_canonical(checkpoint), content)
    except (pickle.PicklingError, AttributeError, TypeError) as error:  # any of them, on what cannot be pickled
        raise _not_plain(str(error)) from None
    return content


def _not_plain(what: str) -> InputError:
    return InputError(
        f"a callback or the module puts {' '.join(what.split())[:200]} into checkpoints, which hold tensors and "
        "primitives only; have its state_dict or on_save_checkpoint return numbers, texts, lists and dictionaries"
    )


def _kinds(value: Any) -> Iterator[type]:
    """Yield the types of which a value consists."""
    yield type(value)
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _kinds(key)
            yield from _kinds(entry)
    elif isinstance(value, list | tuple | set):
        for entry in value:
            yield from _kinds(entry)


def _canonical(value: Any) -> Any:
    """Return an equal value whose pickle does not show which equal strings and containers in it are one object."""
    if type(value) is str:
        return sys.intern(value)
    if type(value) is dict:
        return {_canonical(key): _canonical(entry) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_canonical(entry) for entry in value)
    return value


class History(lightning.Callback):
    """Keep the logged metrics of every epoch, in the checkpoint too, and write them as CSV.

    Lightning's CSVLogger deletes the file when a run is resumed and spreads an epoch over two rows.

    Args:
        path: the CSV file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self._pace = _Pace()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Append the epoch's row, and write the file; Lightning keeps the metrics of an earlier validation as well."""
        of_epoch = "" if pl_module.is_validated else "train_"
        metrics = {
            name: float(value) for name, value in sorted(trainer.callback_metrics.items()) if name.startswith(of_epoch)
        }
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.rows.append({"epoch": trainer.current_epoch, "learning_rate": float(rate), **metrics})
        if self._pace.is_due():
            self.on_train_end(trainer, pl_module)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the file."""
        if trainer.is_global_zero and not trainer.fast_dev_run:
            write_text(self.path, _to_csv(self.rows))

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far, for the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue after the rows of the checkpoint."""
        self.rows = list(state_dict["rows"])


def read_history(path: Path) -> dict[str, list[float]]:
    """Return the columns of a metrics.csv.

    Raises:
        InputError: it is damaged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in rows[0]} if rows else {}
    except (ValueError, TypeError, csv.Error) as error:
        raise InputError(
            f"{path}: damaged ({error}); one more epoch (ckpt_path=, trainer.max_epochs=) writes it anew from last.ckpt"
        ) from None


def _to_csv(rows: list[dict[str, float]]) -> str:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))  # an epoch without validation has fewer
    writer = csv.DictWriter(text, fieldnames=columns, restval="nan", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
