"""JetData: jets of a file, split at random, standardized and in batches."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nanotrigger.data.split import Events, JudgedSplit, Split, Standardization, random_split
from nanotrigger.data.split_data import Origin, Source, SplitData, rows_of_split
from nanotrigger.errors import InputError
from nanotrigger.tasks.jets.sample import CONSTITUENTS, Inputs, JetSample, read_jets, resolve_source, source_path
from nanotrigger.tasks.jets.table import Choice, chosen_as


class JetData(SplitData):
    """Standardized jets in batches, split at random; standardization is fitted on the training split.

    Args:
        source: `openml`, `simulated`, `auto` (the fetched file if it is there, else the shipped sample) or
            the path of an HDF5 file of the same layout, of a `.npz` of NumPy with `X` and `y`, or of a table in
            either of them, in Parquet or in ROOT; or the paths of several such files.
        features: names of the columns of a table that the network sees.
        label: the column with classes, as numbers or names, or one for each class, of which one is 1 and the others 0.
        table: which tree of a ROOT file, or which data set or group of an HDF5 file, where there are several.
        class_names: of labels that are numbers, in their order.
        inputs: what the network sees of a jet: its `features`; its hardest `constituents`, shape (constituents, 3); or
            an `image` of these, shape (16, 16, 1).
        constituents: how many, for constituents and images.
        batch_size: jets per optimizer step, over all devices.
        test: share of the test split.
        validation: share of the validation split in what is not test.
        split_seed: seed of the split. It is not the training's seed, so that a warm start never sees the
            test split.
    """

    stand_in = "simulated"

    def __init__(
        self,
        source: str | list[str] = "auto",
        *,
        features: Sequence[str] | None = None,
        label: str | Sequence[str] | None = None,
        table: str | None = None,
        class_names: Sequence[str] | None = None,
        inputs: Inputs = "features",
        constituents: int = CONSTITUENTS,
        batch_size: int = 512,
        test: float = 0.2,
        validation: float = 0.25,
        split_seed: int = 0,
    ) -> None:
        if constituents < 1:
            raise InputError(f"data.constituents={constituents}: a jet has at least 1")
        super().__init__(source, batch_size=batch_size, test=test, validation=validation, split_seed=split_seed)
        self.choice = Choice(
            features=_names("features", features),
            label=label if isinstance(label, str) else _names("label", label),
            table=table,
            class_names=_names("class_names", class_names),
        )
        self.inputs = inputs
        self.constituents = constituents
        self.sample: JetSample | None = None

    @staticmethod
    def resolve(source: Source, settings: Mapping[str, Any]) -> Source:
        """Return what `auto` stands for, and `simulated` where constituents are seen; others as they are."""
        return resolve_source(source, settings.get("inputs", "features")) if isinstance(source, str) else source

    @staticmethod
    def path_of(source: str) -> Path:
        """Return the file of a source."""
        return source_path(source)

    def setup(self, stage: str | None = None) -> None:
        """Read the file, split it and fit the standardization; once, whatever the stage."""
        if self.sample is not None:
            return
        self.sample = read_jets(self.source, self.inputs, constituents=self.constituents, choice=self.choice)
        self.split: Split = random_split(
            len(self.sample.labels), test=self.test, validation=self.validation, seed=self.split_seed
        )
        features = torch.from_numpy(self.sample.features)
        fitted, shape = features[self.split.train], self.sample.shape
        is_flat = len(shape) == 1
        self.standardization = Standardization.fit(fitted) if is_flat else Standardization.fit_places(fitted, shape)
        self.features = self.standardization.apply(features)
        self.labels = torch.from_numpy(self.sample.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a jet: (features,), (particles, features) or (height, width, channels), flattened in C order elsewhere."""
        if self.sample is None:
            raise RuntimeError("the shape is known after setup()")
        return self.sample.shape

    def __str__(self) -> str:
        if self.sample is None:
            return f"data: {self.source}, not read yet"
        train, validation, test = (len(rows) for rows in vars(self.split).values())
        shape = "" if len(self.shape) == 1 else f" of {' x '.join(map(str, self.shape))} values"
        return (
            f"data: {self.sample.description}, {len(self.sample.labels):,} {self.sample.unit}{shape}: "
            f"{train:,} training, {validation:,} validation, {test:,} test"
        )

    def record(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the data: source, hash, split, names and standardization.

        `shape` is there if a jet is not (features,), `inputs` and `constituents` if it is not given by its features,
        `columns` if they were chosen by name.
        """
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
            **({} if len(self.shape) == 1 else {"shape": list(self.shape)}),
            **({} if self.choice == Choice() else {"columns": self.choice._asdict()}),
            **({} if self.inputs == "features" else {"inputs": self.inputs, "constituents": self.constituents}),
        }

    def rows(self, split: str) -> tuple[Tensor, Tensor]:
        """Return standardized features, shape (jets, values), and labels, shape (jets,), of a split.

        Args:
            split: `train`, `validation` or `test`.
        """
        rows = getattr(self.split, split)
        return self.features[rows], self.labels[rows]

    def check_network(self, shape: tuple[int, ...], outputs: int) -> None:
        """Check that a network's inputs and outputs are those of the data.

        One that takes events of one axis may have the values of a jet one after the other.

        Raises:
            InputError: they are not.
        """
        if self.sample is None:
            raise RuntimeError("the network is checked after setup()")
        if len(shape) > 1 and shape != self.shape:
            raise InputError(
                f"the network takes jets of shape {list(shape)}, and {self.sample.source} has {list(self.shape)}; give "
                "it that shape, or data.inputs=constituents or image"
            )
        sizes = {"features": (math.prod(shape), len(self.sample.feature_names))}
        for name, (has, wants) in (sizes | {"classes": (outputs, len(self.sample.class_names))}).items():
            if has != wants:
                raise InputError(
                    f"network.{name}={has}: {self.sample.source} has {wants} {name}; set network.{name}={wants}"
                )

    @classmethod
    def read_judged(
        cls, origin: Origin, record: Mapping[str, Any], standardization: Standardization, split: JudgedSplit
    ) -> Events:
        """Return a split of the training's jets, or all jets of another file."""
        inputs, constituents = record.get("inputs", "features"), record.get("constituents", CONSTITUENTS)
        is_named = isinstance(origin.source, str) and source_path(origin.source) != Path(origin.source)
        choice = Choice() if is_named else chosen_as(record)
        sample = read_jets(origin.source, inputs, constituents=constituents, choice=choice)
        shape = tuple(record.get("shape", (len(record["feature_names"]),)))
        if shape != sample.shape and len(shape) + len(sample.shape) > 2:
            raise InputError(
                f"{sample.source} has jets of shape {list(sample.shape)}, the checkpoint {list(shape)}; give data= a "
                f"file with these{origin.remark}"
            )
        for key in ("feature_names", "class_names"):
            has, wants = list(getattr(sample, key)), record[key]
            if has != wants:
                raise InputError(
                    f"{sample.source} has the {key} {', '.join(has)}, the checkpoint {', '.join(wants)}; "
                    f"give data= a file with these{origin.remark}"
                )
        rows, which = rows_of_split(record, len(sample.labels), sample.sha256, split)
        features = standardization.apply(torch.from_numpy(sample.features)[rows])
        return Events(
            features=features.double().numpy(),
            labels=sample.labels[rows],
            class_names=sample.class_names,
            description=f"{sample.description}, {which} {sample.unit}{origin.remark}",
            sha256=sample.sha256,
            feature_names=sample.feature_names,
        )


def _names(key: str, names: Sequence[str] | None) -> tuple[str, ...] | None:
    if names is not None and not len(set(names)) == len(names) > 0:
        raise InputError(f"data.{key}=[{','.join(names)}]: give at least one name, and each once")
    return None if names is None else tuple(names)
