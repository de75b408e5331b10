"""The settings of a run: they stand in config.yaml and in its checkpoints, and a resumed run keeps them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import yaml
from torch.optim.lr_scheduler import LambdaLR

from nanotrigger.cli.configuration import from_folder
from nanotrigger.cli.run_folder import RunFolder
from nanotrigger.command import TYPED
from nanotrigger.errors import InputError
from nanotrigger.files import write_text
from nanotrigger.training.blocks import learning_rate

_LENGTH = ("max_epochs", "min_epochs", "max_steps", "min_steps", "max_time")
_PLACE = ("accelerator", "devices", "num_nodes", "strategy", "deterministic", "benchmark")
_SEEN = ("logger", "profiler", "log_every_n_steps", "enable_progress_bar", "enable_model_summary", "detect_anomaly")
_NOTED = {f"trainer.{key}" for key in (*_LENGTH, *_PLACE, "callbacks")}
MAY_CHANGE = {
    *_NOTED,
    *(f"trainer.{key}" for key in (*_SEEN, "default_root_dir", "fast_dev_run")),
    *("experiment", "output", "ckpt_path", "tensorboard", "evaluate"),
    *("data.source", "data.signals"),  # where the files lie; the checkpoint knows their hashes
}
"""What a resumed run may set anew: how long it trains, where, and what is seen of it. All of it takes effect.

The network is compared by `TrainingModule.on_load_checkpoint`, as the checkpoint has it and not as it was written.
"""


class RunSettings(lightning.Callback):
    """Write config.yaml when the first step is due, keep the same text in every checkpoint, and tell it to all loggers.

    What a resumed run sets anew is told, and noted in both, with the epoch since which it holds.

    Args:
        folder: of the run, which is held from then on.
        text: content of config.yaml.
        changes: what the run sets anew, as `changed_settings` returns it.
    """

    def __init__(self, folder: RunFolder, text: str, changes: Mapping[str, tuple[Any, Any]]) -> None:
        self._folder = folder
        self._text = text
        self._changes = changes
        self._notes: list[str] = []
        self.has_begun = False
        """Whether there was anything left to train."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write config.yaml: everything has been checked."""
        self.has_begun = True
        changes = {key: values for key, values in self._changes.items() if key in _NOTED}
        told = [f"{key}={_typed(now)} instead of {_typed(before)}" for key, (before, now) in changes.items()]
        if told:
            self._notes = [*self._notes, f"from epoch {trainer.current_epoch} on: {', '.join(told)}"]
        if not trainer.is_global_zero or trainer.fast_dev_run:
            return
        _tell_loggers(trainer, yaml.safe_load(self._text))
        self._folder.hold()
        notes = "".join(f"# {' '.join(note.split())}\n" for note in self._notes)
        write_text(self._folder.path / "config.yaml", notes + self._text)
        if told:
            print(self._notes[-1] + _rate_remark(trainer, pl_module), flush=True)

    def state_dict(self) -> dict[str, Any]:
        """Return config.yaml and what was set anew, for the checkpoint."""
        return {"config": self._text, "notes": self._notes}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep what was set anew earlier."""
        notes = state_dict.get("notes") if isinstance(state_dict, dict) else None
        self._notes = [str(note) for note in notes] if isinstance(notes, list) else []


def _tell_loggers(trainer: lightning.Trainer, settings: dict[str, Any]) -> None:
    """Record the settings wherever the training is logged.

    A logger that does not take them, as MLflow does if its run has others, ends no training.
    """
    for logger in trainer.loggers:
        try:
            logger.log_hyperparams(settings)
        except Exception as error:  # of third parties, and their servers
            reason = " ".join(str(error).split())[:200]
            print(f"warning: {type(logger).__name__} did not take the settings of the run ({reason})")


def changed_settings(checkpoint: Mapping[str, Any], path: Path, text: str) -> dict[str, tuple[Any, Any]]:
    """Return what a resumed run sets anew: key → what the run had, and what it has now.

    Args:
        checkpoint: content, from which the run goes on. Has it no settings, because an earlier version wrote it, those
            of the config.yaml beside it serve.
        path: of the checkpoint.
        text: config.yaml of the resumed run.

    Raises:
        InputError: something differs that is not in `MAY_CHANGE`.
    """
    before = _recorded(checkpoint, path)
    if before is None:
        print(f"{path} does not say with which settings it was trained, and no config.yaml beside it: give the same")
        return {}
    now = _flat(from_folder(yaml.safe_load(text), path.parent.absolute()))
    changes = {key: (before[key], value) for key, value in now.items() if before.get(key, value) != value}
    for key, (had, has) in changes.items():
        if key not in MAY_CHANGE:
            raise InputError(
                f"{key}={_typed(has)}: the run of {path} has {_typed(had)}, which a resume keeps; give that, as "
                f"ckpt_path={path} alone does, or start a new run with warm_start.ckpt={path}"
            )
    return changes


def _recorded(checkpoint: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
    states = checkpoint.get("callbacks")
    state = states.get(RunSettings.__qualname__) if isinstance(states, dict) else None
    text = state.get("config") if isinstance(state, dict) else None
    beside = path.with_name("config.yaml")
    try:
        if text is None:
            text = beside.read_text(encoding="utf-8") if beside.is_file() else None
        settings = None if text is None else yaml.safe_load(str(text))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"{path}: the settings of its run are damaged ({' '.join(str(error).split())})") from None
    return _flat(from_folder(settings, path.parent.absolute())) if isinstance(settings, dict) else None


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return `group.key` → value, as they are typed, without the network; of a class path the name."""
    flat = {TYPED.get(key, key): value for key, value in settings.items() if not isinstance(value, dict)}
    for group, inside in settings.items():
        if isinstance(inside, dict) and group != "network":
            keys = {**inside, **(inside.get("init_args") or {})}
            flat |= {f"{group}.{key}": value for key, value in keys.items() if key != "init_args"}
            if "class_path" in inside:
                flat[f"{group}.class_path"] = str(inside["class_path"]).rpartition(".")[2]
    return flat


def _typed(value: Any) -> str:
    """Return a value as the user would type it."""
    return value if isinstance(value, str) else json.dumps(value)


def _rate_remark(trainer: lightning.Trainer, task: lightning.LightningModule) -> str:
    """Return what becomes of a schedule over the whole training when its end moves."""
    schedule: Any = task.lr_schedulers()
    if not isinstance(schedule, LambdaLR) or task.schedule != "cosine":
        return ""
    rate = learning_rate(trainer.optimizers[0], schedule, trainer.global_step)
    return f"; the cosine schedule falls to zero at the new end, the learning rate goes on at {rate:.3g}"
