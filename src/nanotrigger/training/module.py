"""TrainingModule: how any network learns, whatever its task; it knows nothing of judging."""

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Literal, cast

import lightning
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from nanotrigger.data.loader import Block
from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.networks import Network
from nanotrigger.training.blocks import (
    STEPS_PER_BLOCK,
    AfterStep,
    catch_up,
    count_steps,
    has_own_steps,
    learning_rate,
    pays_off,
    restore_steps,
)
from nanotrigger.training.compiled_step import CompiledStep
from nanotrigger.training.steps import Batch

RECORD = "nanotrigger"  # the key of our own part of a Lightning checkpoint
RECORD_VERSION = 1
Schedule = Literal["cosine", "constant", "plateau"]

_PATIENCE = 3  # epochs without improvement that are let pass; after the next one half the learning rate


class TrainingModule(lightning.LightningModule, ABC):
    """Train a network with Adam, and keep in checkpoints what rebuilds it.

    Args:
        network: to train.
        learning_rate: of Adam, at the start.
        schedule: `cosine` lets the learning rate fall to zero over the training; `plateau` halves it when the
            validation loss has not fallen for more than 3 epochs; `constant` keeps it.
    """

    def __init__(self, network: Network, *, learning_rate: float, schedule: Schedule) -> None:
        super().__init__()
        if learning_rate <= 0:
            raise InputError(f"model.learning_rate={learning_rate}: must be positive")
        self.network: Any = network
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.is_validated = False  # the present epoch
        self._compiled: CompiledStep | None = None
        self._random_states: list[Tensor] = []  # of a checkpoint, until the training goes on

    shown = "loss"  # the metric in the progress bar

    @property
    def settings(self) -> Mapping[str, Any]:
        """What of the module its evaluation needs; kept in the checkpoint."""
        return {}

    def forward(self, features: Tensor) -> Tensor:
        """Return the network's outputs, shape (batch, outputs), for standardized features, shape (batch, features)."""
        outputs: Tensor = self.network(features)
        return outputs

    @abstractmethod
    def objective(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return what is minimized, a scalar, and the metrics of a batch, scalars by name; a pure function.

        Args:
            network: in training mode for what is minimized.
            batch: tensors as the loader gives them.
        """

    @abstractmethod
    def criterion(self, batch: Batch, outputs: Tensor) -> Callable[[Tensor], float]:
        """Return a function that maps outputs, shape (batch, outputs), to a loss, the lower the better.

        Args:
            batch: as of `objective`.
            outputs: of the network at present, same shape.
        """

    def with_price(self, network: nn.Module, value: Tensor) -> Tensor:
        """Return what is minimized: while a network of learned precision is trained, a value plus its price."""
        price = getattr(network, "price", None)
        if price is None or not network.training:
            return value
        return value + price.rate * price(network.layers)

    def setup(self, stage: str) -> None:
        """Check that the network fits the data before anything is trained; settle how it is trained."""
        data = self.trainer.datamodule
        data.check_network(self.network.shape, self.network.outputs)
        if stage != "fit":
            return
        samples = len(data.rows("train")[0])
        has_own = has_own_steps(type(self), TrainingModule, type(data), SplitData)
        if (
            not has_own
            and not self.network.is_own
            and pays_off(self.trainer, samples=samples, batch_size=data.batch_size)
        ):
            self._compiled = CompiledStep(self.network, self.objective)
        data.steps_per_block = 1 if self._compiled is None else STEPS_PER_BLOCK
        self.automatic_optimization = self._compiled is None

    @property
    def total_steps(self) -> float:
        """Optimizer steps of the whole training; may be infinite."""
        blocks_or_steps = self.trainer.estimated_stepping_batches
        if self._compiled is None or blocks_or_steps == math.inf:
            return blocks_or_steps
        return self.trainer.max_epochs * self.trainer.train_dataloader.steps

    def training_step(self, batch: Batch | Block, batch_index: int) -> Tensor | None:
        """Return what is minimized for a batch; or train with a block of batches, and return None."""
        if isinstance(batch, Block):
            self._train_block(batch)
            return None
        objective, metrics = self.objective(self.network, batch)
        self._log_metrics("train", metrics, len(batch[0]))
        return objective

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log the metrics of the validation split, or of a block of it."""
        if self._compiled is None:
            metrics = self.objective(self.network, batch)[1]
        else:
            metrics = self._compiled.evaluate(_batches(batch, self.trainer.val_dataloaders.batch_size))
        self._log_metrics("val", metrics, len(batch[0]))

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """Log the metrics of the test split."""
        self._log_metrics("test", self.objective(self.network, batch)[1], len(batch[0]))

    def predict_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the network's outputs, shape (batch, outputs)."""
        outputs: Tensor = self(batch[0])
        return outputs

    def _log_metrics(self, part: str, metrics: Mapping[str, Tensor], size: int) -> None:
        for name, value in metrics.items():
            self.log(
                f"{part}_{name}",
                value,
                prog_bar=name == self.shown,
                on_step=False,
                on_epoch=True,
                sync_dist=True,
                batch_size=size,
            )

    def _train_block(self, block: Block) -> None:
        """Train with one batch of the block after the other, as Lightning would."""
        step, optimizer = self._compiled, cast(Any, self.optimizers(use_pl_optimizer=False))
        assert step is not None
        if not step.is_ready:
            step.prepare(optimizer, block)
        callbacks = [callback for callback in self.trainer.callbacks if isinstance(callback, AfterStep)]
        schedule, done = self.lr_schedulers(), self.trainer.global_step
        stops = [number for number in range(1, block.steps) if any(call.is_due(done + number) for call in callbacks)]
        for begin, end in pairwise([0, *stops, block.steps]):
            rates = [learning_rate(optimizer, schedule, done + number) for number in range(begin, end)]
            step.train(block.part(begin, end), rates)
            for callback in callbacks:
                callback.after_step(done + end)
        count_steps(self.trainer, step.steps)
        catch_up(optimizer, schedule, self.trainer.global_step)
        self._log_metrics("train", step.take_metrics(), len(block))

    def configure_optimizers(self) -> Any:
        """Return Adam and its schedule: cosine over all steps, or plateau over epochs."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=self.learning_rate)
        if self.schedule == "constant":
            return optimizer
        if self.schedule == "plateau":
            plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=_PATIENCE)
            never = {"monitor": "val_loss", "frequency": sys.maxsize}  # Lightning's turn: on_train_epoch_end does it
            turn = never if self.automatic_optimization else {}
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, **turn}}
        steps = self.total_steps
        if steps == math.inf:
            raise InputError("trainer.max_epochs=-1: the cosine schedule needs an end; model.schedule=constant")
        total = max(int(steps), 1)
        scheduler = LambdaLR(optimizer, lambda step: cosine(step, total))
        turn = {"interval": "step"} if self.automatic_optimization else {}
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, **turn}}

    def on_train_start(self) -> None:
        """Draw on where the checkpoint left off."""
        for generator, state in zip(_generators(self.device), self._random_states, strict=False):
            generator.set_state(state)

    def on_validation_model_eval(self) -> None:
        """Change the network's mode; a compiled step has its own, and a GPU would wait for the hundreds of modules."""
        if self._compiled is None:
            super().on_validation_model_eval()

    def on_validation_model_train(self) -> None:
        """Change it back."""
        if self._compiled is None:
            self.train()

    def on_validation_model_zero_grad(self) -> None:
        """Remove gradients; a compiled step leaves none."""
        if self._compiled is None:
            super().on_validation_model_zero_grad()

    def on_validation_end(self) -> None:
        """Remember that there is a new loss; Lightning keeps that of an earlier epoch as well."""
        self.is_validated = not self.trainer.sanity_checking

    def on_train_epoch_end(self) -> None:
        """Show the plateau schedule the epoch's loss; Lightning would, after the checkpoint was written without it."""
        schedule = self.lr_schedulers()
        if self.is_validated and isinstance(schedule, ReduceLROnPlateau):
            schedule.step(float(self.trainer.callback_metrics["val_loss"]))
        self.is_validated = False

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what rebuilds module, network and data scaling: plain tensors and primitives only."""
        checkpoint[RECORD] = {
            "version": RECORD_VERSION,
            "task": type(self).__name__,
            "settings": dict(self.settings),
            "network": self.network.configuration,
            "data": self.trainer.datamodule.record(),
            "random_states": [generator.get_state() for generator in _generators(self.device)],
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on, or to test, on other data or with another network than the checkpoint's.

        Raises:
            InputError: the data file, its split, the network or the module's settings differ.
        """
        restore_steps(checkpoint, in_blocks=self._compiled is not None)
        record = checkpoint.get(RECORD, {})
        self._random_states = record.get("random_states", [])
        self.check_same(record)
        _check_same(record, "data", self.trainer.datamodule.record())

    def check_same(self, record: Mapping[str, Any]) -> None:
        """Refuse another network, or other settings, than those of a checkpoint's record.

        Raises:
            InputError: they differ.
        """
        _check_same(record, "network", self.network.configuration)
        _check_same(record, "settings", self.settings)


def _generators(device: torch.device) -> list[torch.Generator]:
    """Return torch's random generators that a training on this device draws from."""
    on_device = [torch.cuda.default_generators[device.index or 0]] if device.type == "cuda" else []
    return [torch.default_generator, *on_device]


def cosine(step: int, total: int) -> float:
    """Return the factor of the learning rate at a step: half a cosine from 1 to 0 (arXiv 1608.03983, eq. 5).

    >>> cosine(0, 100), cosine(50, 100), cosine(100, 100)
    (1.0, 0.5, 0.0)
    """
    return round((1 + math.cos(math.pi * min(step, total) / total)) / 2, 15)


def _batches(block: Batch, size: int) -> list[Batch]:
    return list(zip(*(rows.split(size) for rows in block), strict=True))


def _check_same(record: Mapping[str, Any], part: str, now: Mapping[str, Any]) -> None:
    difference = _difference(record.get(part, {}), now)
    if difference:
        raise InputError(f"the checkpoint was trained with {part}.{difference}; use the run's own config.yaml")


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Name the first key whose value differs; empty if none does. The file's hash decides, not where it lies."""
    keys = (before.keys() | now.keys()) - {"source", "signals", "description", "standardization"}
    for key in sorted(keys):
        if before.get(key) != now.get(key):
            return f"{key}={before.get(key)}, and this run has {now.get(key)}"
    return ""
