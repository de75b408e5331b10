"""SplitData: a LightningDataModule whose events lie on the device, split at random."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import lightning
import torch
from torch import Tensor

from nanotrigger.data.loader import TensorBatches
from nanotrigger.data.split import Events, JudgedSplit, Standardization, random_split
from nanotrigger.errors import InputError
from nanotrigger.files import sha256_of_files

_ROWS_IN_ORDER = {"cpu": 4096, "cuda": 2**18}  # at least; what is only judged need not come in small batches


Source = str | list[str]
"""Of data: a name such as `simulated`, or the path of a file, or those of several."""


class Origin(NamedTuple):
    """Where the events come from by which a network is judged.

    Attributes:
        source: as of the data module.
        is_own: whether the checkpoint names it and its file is unchanged.
        remark: what `Events.description` must say of it; may be empty.
    """

    source: Any  # a Source
    is_own: bool
    remark: str


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

    stand_in: str | None = None  # the source that serves if the training's own data are gone

    def __init__(self, source: Source, *, batch_size: int, test: float, validation: float, split_seed: int) -> None:
        super().__init__()
        self.source: Any = source
        self.batch_size = batch_size
        self.test = test
        self.validation = validation
        self.split_seed = split_seed
        self.steps_per_block = 1  # of training and validation; the training module changes it
        self.standardization: Standardization  # from setup() on

    def __str__(self) -> str:
        if not hasattr(self, "standardization"):
            return f"data: {self.source}, not read yet"
        train, validation, test = (len(self.rows(split)[0]) for split in ("train", "validation", "test"))
        return f"data: {self.source}, {train:,} events for training, {validation:,} validation, {test:,} test"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an event, from which its values are flattened in C order; known from `setup` on."""
        return tuple(self.standardization.mean.shape)

    @staticmethod
    def resolve(source: Any, settings: Mapping[str, Any]) -> Any:
        """Return what a source stands for, such as `auto`; others as they are.

        Args:
            source: of the data.
            settings: further arguments of the data module.
        """
        return source

    @staticmethod
    @abstractmethod
    def path_of(source: str) -> Path:
        """Return the file whose hash the record of a source holds."""

    @classmethod
    def missing_file(cls, source: Source) -> Path | None:
        """Return the first file of a source that is not there; None if all are."""
        return next((path for path in cls._paths_of(source) if not path.is_file()), None)

    @classmethod
    def sha256_of(cls, source: Source) -> str | None:
        """Return the hash that the record of a source holds; None if a file is missing."""
        return None if cls.missing_file(source) else sha256_of_files(cls._paths_of(source))

    @classmethod
    def _paths_of(cls, source: Source) -> list[Path]:
        return [cls.path_of(name) for name in ([source] if isinstance(source, str) else source)]

    @abstractmethod
    def rows(self, split: str) -> tuple[Tensor, ...]:
        """Return the tensors of a split, `train`, `validation` or `test`, with the events along their first dimension.

        The first one holds the standardized features, shape (events, values).
        """

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the data, tensors and primitives only.

        Needed are `source`, `description`, `sha256`, `test`, `validation`, `split_seed`, `feature_names` and
        `standardization`, as of `Standardization.state`, and how many events there are, by the task's unit. `shape` is
        added where an event is not (features,).
        """

    @abstractmethod
    def check_network(self, shape: tuple[int, ...], outputs: int) -> None:
        """Check that a network's inputs and outputs are those of the data.

        Args:
            shape: of the events that it takes; (features,) if it takes all values of any event one after the other.
            outputs: how many it has.

        Raises:
            InputError: they are not.
        """

    @classmethod
    @abstractmethod
    def read_judged(
        cls, origin: Origin, record: Mapping[str, Any], standardization: Standardization, split: JudgedSplit
    ) -> Events:
        """Return the events of `judged`; `rows_of_split` says which rows they are.

        Raises:
            InputError: the data cannot be read or have other features or classes than the network.
        """

    @classmethod
    def judged(
        cls,
        record: Mapping[str, Any],
        standardization: Standardization,
        *,
        source: Source | None = None,
        split: JudgedSplit = "test",
    ) -> Events:
        """Return a split of the data of a checkpoint, or else all events of another file.

        Without the checkpoint's data the stand-in serves, scaled by the checkpoint's own standardization;
        `description` says so.

        Args:
            record: of the data, as the checkpoint has it.
            standardization: likewise.
            source: to use instead; all of its events are taken, unless it is the file of the training.
            split: which split of the training's file.

        Raises:
            InputError: the data cannot be read or have other features or classes than the network.
        """
        return cls.read_judged(cls._origin(record, source), record, standardization, split)

    @classmethod
    def _origin(cls, record: Mapping[str, Any], source: Source | None) -> Origin:
        """Return the source to read: the one that is given, or the training's; the stand-in if that is gone."""
        if source is not None:
            return Origin(source, is_own=False, remark="")
        found = cls.sha256_of(record["source"])
        if found == record["sha256"]:
            return Origin(record["source"], is_own=True, remark="")
        reason = "changed since the training" if found else "not at hand"
        trained_on = f"the training data ({record['description']}) are {reason}"
        if cls.stand_in is None:
            raise InputError(f"{trained_on}; give data= other events")
        remark = f"; {trained_on}, the scaling is the checkpoint's own"
        return Origin(cls.stand_in, is_own=False, remark=remark)

    def train_dataloader(self) -> TensorBatches:
        """Return shuffled batches of the training split."""
        return self._batches("train", shuffle=True, steps_per_block=self.steps_per_block)

    def val_dataloader(self) -> TensorBatches:
        """Return the validation split in order."""
        return self._batches("validation", steps_per_block=self.steps_per_block)

    def test_dataloader(self) -> TensorBatches:
        """Return the test split in order."""
        return self._batches("test")

    def predict_dataloader(self) -> TensorBatches:
        """Return the test split in order."""
        return self._batches("test")

    def _batches(self, split: str, *, shuffle: bool = False, steps_per_block: int = 1) -> TensorBatches:
        trainer = self.trainer
        device = trainer.strategy.root_device if trainer else torch.device("cpu")
        return TensorBatches(
            *(tensor.to(device) for tensor in self.rows(split)),
            batch_size=self.batch_size if shuffle else max(self.batch_size, _ROWS_IN_ORDER.get(device.type, 4096)),
            steps_per_block=steps_per_block,
            shuffle=shuffle,
            seed=torch.initial_seed(),
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
        )


def rows_of_split(record: Mapping[str, Any], count: int, digest: str, split: JudgedSplit) -> tuple[Tensor, str]:
    """Return which of `count` events to take, and in words: the split of the training's file, all of another one.

    Args:
        record: of the data, as a checkpoint has it.
        count: number of events in the file.
        digest: SHA-256 of the file.
        split: which split of the training's file.
    """
    if digest != record["sha256"]:
        return torch.arange(count), f"all {count:,}"
    shares = {key: record[key] for key in ("test", "validation")}
    rows = getattr(random_split(count, **shares, seed=record["split_seed"]), split)
    return rows, f"{split} split, {len(rows):,}"
