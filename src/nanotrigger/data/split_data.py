"""SplitData: a LightningDataModule whose events lie on the device, split at random."""

from abc import ABC, abstractmethod
from typing import Any

import lightning
import torch
from torch import Tensor

from nanotrigger.data.loader import TensorBatches

_ROWS_IN_ORDER = 4096  # at least; what is only judged need not come in small batches


class SplitData(lightning.LightningDataModule, ABC):
    """Batches of events that are read whole and split into training, validation and test.

    Args:
        source: where the events come from.
        batch_size: events per optimizer step, over all devices.
        test: share of the test split.
        validation: share of the validation split in what is not test.
        split_seed: seed of the split. It is not the training's seed, so that a warm start never sees the
            test split.
    """

    def __init__(self, source: str, *, batch_size: int, test: float, validation: float, split_seed: int) -> None:
        super().__init__()
        self.source = source
        self.batch_size = batch_size
        self.test = test
        self.validation = validation
        self.split_seed = split_seed
        self.steps_per_block = 1  # of training and validation; the task changes it

    @staticmethod
    @abstractmethod
    def resolve(source: str) -> str:
        """Return what the source `auto` stands for; others as they are."""

    @abstractmethod
    def rows(self, part: str) -> tuple[Tensor, ...]:
        """Return the tensors of a part, `train`, `validation` or `test`, with the events along their first dimension.

        The first one holds the standardized features.
        """

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the data: source, hash, split, names and standardization."""

    def train_dataloader(self) -> TensorBatches:
        """Return shuffled batches of the training split."""
        return self._batches("train", shuffle=True, steps_per_block=self.steps_per_block)

    def val_dataloader(self) -> TensorBatches:
        """Return the validation split in order."""
        return self._batches("validation", steps_per_block=self.steps_per_block)

    def test_dataloader(self) -> TensorBatches:
        """Return the test split in order."""
        return self._batches("test")

    def _batches(self, part: str, *, shuffle: bool = False, steps_per_block: int = 1) -> TensorBatches:
        trainer = self.trainer
        device = trainer.strategy.root_device if trainer else torch.device("cpu")
        return TensorBatches(
            *(tensor.to(device) for tensor in self.rows(part)),
            batch_size=self.batch_size if shuffle else max(self.batch_size, _ROWS_IN_ORDER),
            steps_per_block=steps_per_block,
            shuffle=shuffle,
            seed=torch.initial_seed(),
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
        )
