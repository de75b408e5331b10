"""Recorded: what a run folder says is what the training did, read from what trained and not from the settings."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lightning
import yaml
from torch.optim.lr_scheduler import ReduceLROnPlateau

from nanotrigger.command import ALIASES
from nanotrigger.errors import TrainingError
from nanotrigger.training.module import TrainingModule
from nanotrigger.training.requirement import Requirement

_OF_TRAINER = (
    *("max_epochs", "max_steps", "min_epochs", "accumulate_grad_batches", "gradient_clip_val", "overfit_batches"),
    *("limit_train_batches", "limit_val_batches", "check_val_every_n_epoch"),
)


def check_recorded(folder: Path, trainer: lightning.Trainer, *, has_begun: bool = True) -> None:
    """Check the records of a training that has ended; say if it ended early.

    Args:
        folder: of the run.
        trainer: that trained.
        has_begun: whether there was anything left to train; else the records are of an earlier training.

    Raises:
        TrainingError: config.yaml has a number that the training did not have, or best.ckpt is missing, or is not what
            was required of it.
    """
    if 0 < trainer.current_epoch < (trainer.max_epochs or 0):
        print(f"the training ended after {trainer.current_epoch} of trainer.max_epochs={trainer.max_epochs}")
    differences = _differences(folder / "config.yaml", trainer) if has_begun else ()
    lines = [*differences, *_unmet(folder, trainer)]
    if lines:
        raise TrainingError("; ".join(lines))


def check_point(keys: Mapping[str, Any], file: Path) -> None:
    """Check that a point of a scan was trained with the numbers that its row in results.csv says.

    Args:
        keys: what the point sets.
        file: config.yaml of its run.

    Raises:
        TrainingError: a number differs.
    """
    if not file.is_file():  # nothing was trained, and there is no best.ckpt either, which says so
        return
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    for key, value in keys.items():
        done = _at(config, ALIASES.get(key, key))
        if not _is_same(value, done):
            raise TrainingError(f"the scan sets {key}={value}, and {file} says {done}")


def _at(config: Any, key: str) -> Any:
    """Return the value of a key in a configuration, None if it has none."""
    for part in key.split("."):
        inside = config.get("init_args") if isinstance(config, dict) and part not in config else config
        config = inside.get(part) if isinstance(inside, dict) else None
    return config


def _differences(file: Path, trainer: lightning.Trainer) -> Iterator[str]:
    """Yield each number of config.yaml that is not that of the training."""
    if not file.is_file():  # the folder was removed meanwhile, or nothing was trained
        return
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    for group, done in _done(trainer).items():
        said = config[group].get("init_args", config[group])
        for key, value in done.items():
            if key in said and not _is_same(said[key], value):
                yield f"config.yaml says {group}.{key}={said[key]}, and the training had {value}"


def _done(trainer: lightning.Trainer) -> dict[str, dict[str, Any]]:
    """Return the numbers with which a training really ran, by group and key."""
    loader, task = trainer.train_dataloader, trainer.lightning_module
    is_ours = type(task).configure_optimizers is TrainingModule.configure_optimizers
    return {
        "trainer": {name: getattr(trainer, name) for name in _OF_TRAINER},
        "model": {"learning_rate": first_rate(trainer)} if trainer.optimizers and is_ours else {},
        "data": {} if loader is None else {"batch_size": loader.batch_size},
        "network": dict(task.network.configuration),
    }


def first_rate(trainer: lightning.Trainer) -> float:
    """Return the learning rate with which the optimizer began, whatever a schedule has made of it since."""
    group = trainer.optimizers[0].param_groups[0]
    schedule: Any = next((config.scheduler for config in trainer.lr_scheduler_configs), None)
    if not isinstance(schedule, ReduceLROnPlateau):
        return float(group.get("initial_lr", group["lr"]))
    begun = trainer.lightning_module.learning_rate  # the schedule keeps no first rate; it has halved it some times
    times = math.log(begun / group["lr"], 1 / schedule.factor)
    return float(begun if abs(times - round(times)) < 1e-6 and times > -0.5 else group["lr"])


def _is_same(said: Any, done: Any) -> bool:
    """Whether two values are equal, as far as both are numbers or lists of them; others are compared by `verify`."""
    if isinstance(said, list) and isinstance(done, list | tuple):
        return len(said) == len(done) and all(map(_is_same, said, done))
    if isinstance(said, Mapping) or not isinstance(said, int | float) or not isinstance(done, int | float):
        return True
    return math.isclose(said, done, rel_tol=1e-9)


def _unmet(folder: Path, trainer: lightning.Trainer) -> Iterator[str]:
    """Yield what was required of the best network and is not there."""
    requirements = [callback for callback in trainer.callbacks if isinstance(callback, Requirement)]
    best, wanted = folder / "best.ckpt", "".join(requirement.shortfall for requirement in requirements)
    if not best.exists() and wanted:
        yield f"no epoch was trained and validated{wanted}: {folder} has no best.ckpt and no test.json"
    if best.exists():
        yield from filter(None, (requirement.failure(best) for requirement in requirements))
