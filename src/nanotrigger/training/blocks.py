"""Blocks of steps: when a training is compiled, and how Lightning's counters follow.

Lightning's loop takes longer for one step than a compiled step does. A compiled training therefore hands Lightning a
block of batches at a time. Of its hooks only those of single batches are left out.
"""

import math
import os
import shutil
import sys
from collections.abc import Iterable
from typing import Any

import lightning
from lightning.pytorch.accelerators import CPUAccelerator, CUDAAccelerator
from lightning.pytorch.callbacks import ModelCheckpoint, ProgressBar
from lightning.pytorch.profilers import PassThroughProfiler
from torch.optim.lr_scheduler import LambdaLR
from torch.utils._triton import has_triton

STEPS_PER_BLOCK = 500
_WORTH_COMPILING = 10.0  # seconds saved; about as long as compiling takes when nothing is cached
_SAVED = {CPUAccelerator: (2e-3, 1e-6), CUDAAccelerator: (15e-3, 0.0)}  # roughly, seconds per step and per sample
_BATCH_HOOKS = (
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_zero_grad",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
    "on_validation_batch_start",
    "on_validation_batch_end",
)
_STEP_METHODS = (
    *("training_step", "validation_step", "configure_optimizers", "optimizer_step", "optimizer_zero_grad", "backward"),
    *("configure_gradient_clipping", "lr_scheduler_step"),
)
_LOADERS = ("train_dataloader", "val_dataloader")
_TRANSFERS = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")


class AfterStep(lightning.Callback):
    """A callback that acts after single optimizer steps, also within a block."""

    def is_due(self, step: int) -> bool:
        """Return whether there is something to do after so many steps of the training."""
        return True

    def after_step(self, step: int) -> None:
        """Do what is due after so many steps of the training."""

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any, **__: Any
    ) -> None:
        """Act after a step that was made alone; in a block it was done already."""
        if pl_module.automatic_optimization:
            self.after_step(trainer.global_step)


def learning_rate(optimizer: Any, schedule: Any, step: int) -> float:
    """Return the learning rate of a step: of a schedule over steps, else the one that the optimizer has."""
    if isinstance(schedule, LambdaLR):
        return float(schedule.base_lrs[0] * schedule.lr_lambdas[0](step))
    return float(optimizer.param_groups[0]["lr"])


def catch_up(optimizer: Any, schedule: Any, steps: int) -> None:
    """Move a schedule over steps on to where the training is, after so many steps."""
    if isinstance(schedule, LambdaLR):
        optimizer.step()  # without gradients it does nothing, but the schedule looks for it
        schedule.last_epoch = steps - 1
        schedule.step()


def pays_off(trainer: lightning.Trainer, *, samples: int, batch_size: int) -> bool:
    """Return whether a training is compiled: long enough, in one process, and with nothing that looks at batches.

    The answer depends on the settings alone, so that the same command always calculates the same.

    Args:
        trainer: with its callbacks.
        samples: in an epoch.
        batch_size: samples of a step.
    """
    if type(trainer.accelerator) not in _SAVED:
        return False
    per_step, per_sample = _SAVED[type(trainer.accelerator)]
    epochs = math.inf if trainer.max_epochs in (-1, None) else trainer.max_epochs
    steps = samples / max(batch_size, 1)  # batch_size=0 is refused later
    saved = epochs * (steps * per_step + samples * per_sample)
    return saved >= _WORTH_COMPILING and _is_plain(trainer) and _has_compiler(trainer)


def has_own_steps(task: type, of_tasks: type, data: type, of_data: type) -> bool:
    """Return whether a subclass makes its steps or its batches itself, of which a compiled training would know nothing.

    Args:
        task: class of the training module.
        of_tasks: the base of all of them.
        data: class of the data module.
        of_data: the base of all of them.
    """
    methods, loaders = (*_STEP_METHODS, *_BATCH_HOOKS, *_TRANSFERS), (*_LOADERS, *_TRANSFERS)
    return _overrides(task, of_tasks, methods) or _overrides(data, of_data, loaders)


def _overrides(kind: type, base: type, methods: Iterable[str]) -> bool:
    return any(getattr(kind, name) is not getattr(base, name) for name in methods)


def count_steps(trainer: lightning.Trainer, steps: int) -> None:
    """Add to the optimizer steps that Lightning knows of."""
    progress = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    for _ in range(steps):
        progress.increment_ready()
        progress.increment_completed()


def restore_steps(checkpoint: dict[str, Any], *, in_blocks: bool) -> None:
    """Tell a resumed run how many steps were made; Lightning counts those of blocks apart from single ones."""
    loops = checkpoint.get("loops", {}).get("fit_loop", {})
    if not loops:
        return
    single, in_block = (0, checkpoint["global_step"]) if in_blocks else (checkpoint["global_step"], 0)
    automatic = loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]["step"]["total"]
    manual = loops["epoch_loop.manual_optimization.optim_step_progress"]["total"]
    automatic.update(ready=single, completed=single)
    manual.update(ready=in_block, completed=in_block)


def _is_plain(trainer: lightning.Trainer) -> bool:
    return (
        trainer.world_size == 1
        and trainer.precision == "32-true"
        and trainer.accumulate_grad_batches == 1
        and not trainer.gradient_clip_val
        and trainer.limit_train_batches == trainer.limit_val_batches == 1.0
        and not trainer.num_sanity_val_steps
        and trainer.val_check_interval == 1.0
        and not trainer.overfit_batches
        and not trainer.fast_dev_run
        and trainer.max_steps == -1
        and isinstance(trainer.profiler, PassThroughProfiler)
        and not trainer._detect_anomaly
        and not any(_looks_at_batches(callback) for callback in trainer.callbacks)
    )


def _looks_at_batches(callback: lightning.Callback) -> bool:
    if isinstance(callback, AfterStep | ProgressBar):
        return False
    if isinstance(callback, ModelCheckpoint):
        return bool(callback._every_n_train_steps or callback._train_time_interval)
    return _overrides(type(callback), lightning.Callback, _BATCH_HOOKS)


def _has_compiler(trainer: lightning.Trainer) -> bool:
    """Return whether there are the compilers that torch would call; TORCH_COMPILE_DISABLE=1 is torch's own switch."""
    default = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    return (
        os.environ.get("TORCH_COMPILE_DISABLE") != "1"
        and shutil.which(os.environ.get("CXX", default)) is not None
        and (isinstance(trainer.accelerator, CPUAccelerator) or has_triton())
    )
