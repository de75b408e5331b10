"""Lightning modules: how a network learns a task."""

import math
from typing import Any, Literal

import lightning
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nanotrigger.errors import InputError
from nanotrigger.networks import MLP

RECORD = "nanotrigger"  # the key of our own part of a Lightning checkpoint
RECORD_VERSION = 1


class JetTagging(lightning.LightningModule):
    """Classify jets: cross-entropy on logits, L1 on weights, Adam.

    Args:
        network: maps standardized features, shape (batch, features), to logits, shape (batch, classes).
        learning_rate: of Adam, at the start.
        schedule: `cosine` lets the learning rate fall to zero over the training; `constant` keeps it.
        l1: factor of the sum of all absolute weights (not biases) in the loss.
    """

    def __init__(
        self,
        network: MLP,
        *,
        learning_rate: float = 3e-3,
        schedule: Literal["cosine", "constant"] = "cosine",
        l1: float = 1e-4,
    ) -> None:
        super().__init__()
        if learning_rate <= 0:
            raise InputError(f"model.learning_rate={learning_rate}: must be positive")
        if l1 < 0:
            raise InputError(f"model.l1={l1}: must not be negative")
        self.network = network
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l1 = l1

    def setup(self, stage: str) -> None:
        """Check that the network fits the data before anything is trained."""
        configuration = self.network.configuration
        self.trainer.datamodule.check_network(configuration["features"], configuration["classes"])

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        """Return the loss of a batch, L1 included; log the cross-entropy and the accuracy."""
        loss = self._log_step("train", batch)
        return loss + self.l1 * l1_norm(self.network) if self.l1 else loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> None:
        """Log the validation split's cross-entropy and accuracy."""
        self._log_step("val", batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> None:
        """Log the test split's cross-entropy and accuracy."""
        self._log_step("test", batch)

    def configure_optimizers(self) -> Any:
        """Return Adam, with the cosine schedule over all steps if it is asked for."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.learning_rate)
        if self.schedule == "constant":
            return optimizer
        steps = self.trainer.estimated_stepping_batches
        if steps == float("inf"):
            raise InputError("trainer.max_epochs=-1: the cosine schedule needs an end; model.schedule=constant")
        total = max(int(steps), 1)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine(step, total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what rebuilds task, network and data scaling: plain tensors and primitives only."""
        checkpoint[RECORD] = {
            "version": RECORD_VERSION,
            "task": type(self).__name__,
            "network": self.network.configuration,
            "data": self.trainer.datamodule.record(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on, or to test, on other data or with another network than the checkpoint's.

        Raises:
            InputError: the data file, its split or the network differ.
        """
        record = checkpoint.get(RECORD, {})
        for name, now in (
            ("network", self.network.configuration),
            ("data", self.trainer.datamodule.record()),
        ):
            difference = _difference(record.get(name, {}), now)
            if difference:
                raise InputError(f"the checkpoint was trained with {name}.{difference}; use the run's own config.yaml")

    def _log_step(self, part: str, batch: tuple[Tensor, Tensor]) -> Tensor:
        features, labels = batch
        logits = self.network(features)
        loss = cross_entropy(logits, labels)
        accuracy = (logits.argmax(dim=1) == labels).float().mean()
        options = {"on_step": False, "on_epoch": True, "sync_dist": True, "batch_size": len(labels)}
        self.log(f"{part}_loss", loss, **options)
        self.log(f"{part}_accuracy", accuracy, prog_bar=True, **options)
        return loss


def cosine(step: int, total: int) -> float:
    """Return the factor of the learning rate at a step: half a cosine from 1 to 0 (arXiv 1608.03983, eq. 5).

    >>> cosine(0, 100), cosine(50, 100), cosine(100, 100)
    (1.0, 0.5, 0.0)
    """
    return round((1 + math.cos(math.pi * min(step, total) / total)) / 2, 15)


TASKS = (JetTagging.__name__,)


def l1_norm(network: nn.Module) -> Tensor:
    """Return the sum of the absolute float weights of all linear layers, biases left out; a scalar."""
    norms = [layer.weight.abs().sum() for layer in network.modules() if isinstance(layer, nn.Linear)]
    return torch.stack(norms).sum()


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Name the first key whose value differs; empty if none does. The file's hash decides, not where it lies."""
    keys = (before.keys() | now.keys()) - {"source", "description", "standardization"}
    for key in sorted(keys):
        if before.get(key) != now.get(key):
            return f"{key}={before.get(key)}, and this run has {now.get(key)}"
    return ""
