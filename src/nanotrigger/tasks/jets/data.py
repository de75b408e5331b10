"""JetData: the LightningDataModule of jet tagging."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nanotrigger.data.split import Split, Standardization, random_split
from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.tasks.jets.sample import JetSample, read_jets, resolve_source


class JetData(SplitData):
    """Standardized jets in batches, split at random; standardization is fitted on the training split.

    Args:
        source: `openml`, `simulated`, `auto` (the fetched file if it is there, else the shipped sample) or
            the path of an HDF5 file of the same layout.
        batch_size: jets per optimizer step, over all devices.
        test: share of the test split.
        validation: share of the validation split in what is not test.
        split_seed: seed of the split. It is not the training's seed, so that a warm start never sees the
            test split.
    """

    def __init__(
        self,
        source: str = "auto",
        *,
        batch_size: int = 512,
        test: float = 0.2,
        validation: float = 0.25,
        split_seed: int = 0,
    ) -> None:
        super().__init__(source, batch_size=batch_size, test=test, validation=validation, split_seed=split_seed)
        self.sample: JetSample | None = None

    @staticmethod
    def resolve(source: str) -> str:
        """Return what `auto` stands for: `openml` or `simulated`; others as they are."""
        return resolve_source(source)

    def setup(self, stage: str | None = None) -> None:
        """Read the file, split it and fit the standardization; once, whatever the stage."""
        if self.sample is not None:
            return
        self.sample = read_jets(self.source)
        self.split: Split = random_split(
            len(self.sample.labels), test=self.test, validation=self.validation, seed=self.split_seed
        )
        features = torch.from_numpy(self.sample.features)
        self.standardization = Standardization.fit(features[self.split.train])
        self.features = self.standardization.apply(features)
        self.labels = torch.from_numpy(self.sample.labels)

    def __str__(self) -> str:
        if self.sample is None:
            return f"data: {self.source}, not read yet"
        train, validation, test = (len(rows) for rows in vars(self.split).values())
        return (
            f"data: {self.sample.description}, {len(self.sample.labels):,} jets: {train:,} training, "
            f"{validation:,} validation, {test:,} test"
        )

    def record(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the data: source, hash, split, names and standardization."""
        if self.sample is None:
            raise RuntimeError("the data are recorded after setup()")
        return {
            "source": self.sample.source,
            "description": self.sample.description,
            "sha256": self.sample.sha256,
            "jets": len(self.sample.labels),
            "test": self.test,
            "validation": self.validation,
            "split_seed": self.split_seed,
            "feature_names": list(self.sample.feature_names),
            "class_names": list(self.sample.class_names),
            "standardization": self.standardization.state(),
        }

    def rows(self, part: str) -> tuple[Tensor, Tensor]:
        """Return standardized features, shape (jets, features), and labels, shape (jets,), of a part.

        Args:
            part: `train`, `validation` or `test`.
        """
        rows = getattr(self.split, part)
        return self.features[rows], self.labels[rows]

    def check_network(self, configuration: Mapping[str, Any]) -> None:
        """Check that a network's inputs and outputs are those of the data.

        Raises:
            InputError: they are not.
        """
        if self.sample is None:
            raise RuntimeError("the network is checked after setup()")
        for name, wants in (
            ("features", len(self.sample.feature_names)),
            ("classes", len(self.sample.class_names)),
        ):
            has = configuration.get(name)
            if has != wants:
                raise InputError(
                    f"network.{name}={has}: {self.sample.source} has {wants} {name}; set network.{name}={wants}"
                )
