"""Task: what all Lightning modules share, whatever the network learns."""

import math
import sys
from collections.abc import Mapping
from typing import Any, Literal

import lightning
import torch
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from nanotrigger.errors import InputError
from nanotrigger.networks import DenseNetwork

RECORD = "nanotrigger"  # the key of our own part of a Lightning checkpoint
RECORD_VERSION = 1
Schedule = Literal["cosine", "constant", "plateau"]

_PATIENCE = 3  # epochs without improvement that are let pass; behind the next one half the learning rate


class Task(lightning.LightningModule):
    """Train a network with Adam, and keep in checkpoints what rebuilds it.

    Args:
        network: to train.
        learning_rate: of Adam, at the start.
        schedule: `cosine` lets the learning rate fall to zero over the training; `plateau` halves it when the
            validation loss has not fallen for more than 3 epochs; `constant` keeps it.
    """

    def __init__(self, network: DenseNetwork, *, learning_rate: float, schedule: Schedule) -> None:
        super().__init__()
        if learning_rate <= 0:
            raise InputError(f"model.learning_rate={learning_rate}: must be positive")
        self.network: Any = network
        self.learning_rate = learning_rate
        self.schedule = schedule
        self._is_validated = False  # since the plateau schedule last saw a loss

    @property
    def settings(self) -> Mapping[str, Any]:
        """What of the task its evaluation needs; kept in the checkpoint."""
        return {}

    def setup(self, stage: str) -> None:
        """Check that the network fits the data before anything is trained."""
        self.trainer.datamodule.check_network(self.network.configuration)

    def configure_optimizers(self) -> Any:
        """Return Adam and its schedule: cosine over all steps, or plateau over epochs."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.learning_rate)
        if self.schedule == "constant":
            return optimizer
        if self.schedule == "plateau":
            plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=_PATIENCE)
            never = {"monitor": "val_loss", "frequency": sys.maxsize}  # Lightning's turn: on_train_epoch_end does it
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, **never}}
        steps = self.trainer.estimated_stepping_batches
        if steps == float("inf"):
            raise InputError("trainer.max_epochs=-1: the cosine schedule needs an end; model.schedule=constant")
        total = max(int(steps), 1)
        scheduler = LambdaLR(optimizer, lambda step: cosine(step, total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_validation_end(self) -> None:
        """Remember that there is a new loss; Lightning keeps that of an earlier epoch as well."""
        self._is_validated = not self.trainer.sanity_checking

    def on_train_epoch_end(self) -> None:
        """Show the plateau schedule the epoch's loss; Lightning would, after the checkpoint was written without it."""
        schedule = self.lr_schedulers()
        if self._is_validated and isinstance(schedule, ReduceLROnPlateau):
            schedule.step(float(self.trainer.callback_metrics["val_loss"]))
        self._is_validated = False

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what rebuilds task, network and data scaling: plain tensors and primitives only."""
        checkpoint[RECORD] = {
            "version": RECORD_VERSION,
            "task": type(self).__name__,
            "settings": dict(self.settings),
            "network": self.network.configuration,
            "data": self.trainer.datamodule.record(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on, or to test, on other data or with another network than the checkpoint's.

        Raises:
            InputError: the data file, its split, the network or the task's settings differ.
        """
        record = checkpoint.get(RECORD, {})
        present: dict[str, Mapping[str, Any]] = {
            "network": self.network.configuration,
            "data": self.trainer.datamodule.record(),
            "settings": self.settings,
        }
        for name, now in present.items():
            difference = _difference(record.get(name, {}), now)
            if difference:
                raise InputError(f"the checkpoint was trained with {name}.{difference}; use the run's own config.yaml")


def cosine(step: int, total: int) -> float:
    """Return the factor of the learning rate at a step: half a cosine from 1 to 0 (arXiv 1608.03983, eq. 5).

    >>> cosine(0, 100), cosine(50, 100), cosine(100, 100)
    (1.0, 0.5, 0.0)
    """
    return round((1 + math.cos(math.pi * min(step, total) / total)) / 2, 15)


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Name the first key whose value differs; empty if none does. The file's hash decides, not where it lies."""
    keys = (before.keys() | now.keys()) - {"source", "signals", "description", "standardization"}
    for key in sorted(keys):
        if before.get(key) != now.get(key):
            return f"{key}={before.get(key)}, and this run has {now.get(key)}"
    return ""
