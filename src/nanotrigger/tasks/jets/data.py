"""Jets: 16 substructure features and a class label each, read from HDF5; and JetData, which splits them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanotrigger.data.download import OPENML_FILE, checksum_path, data_folder, recorded_sha256, samples_folder
from nanotrigger.data.hdf5 import check_readable
from nanotrigger.data.split import Events, JudgedSplit, Split, Standardization, random_split
from nanotrigger.data.split_data import Origin, SplitData, rows_of_split
from nanotrigger.errors import InputError
from nanotrigger.files import sha256
from nanotrigger.tasks.jets.labels import class_numbers
from nanotrigger.tasks.jets.table import read_table

SHIPPED_SAMPLE = samples_folder() / "jets.h5"
_DESCRIPTIONS = {
    "openml": "hls4ml LHC jets (OpenML 42468)",
    "simulated": "Simulated jets (Pythia 8, shipped sample)",
}


@dataclass(frozen=True)
class JetSample:
    """Jets of one file.

    Attributes:
        features: shape (jets, features), float32, as measured (not standardized), all finite.
        labels: class numbers, shape (jets,), int64, 0 to classes - 1.
        feature_names: one per column.
        class_names: one per label.
        source: `openml`, `simulated`, or the path of the file.
        description: where the jets come from, as figures and tables say it.
        sha256: hash of the file.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    source: str
    description: str
    sha256: str


class JetData(SplitData):
    """Standardized jets in batches, split at random; standardization is fitted on the training split.

    Args:
        source: `openml`, `simulated`, `auto` (the fetched file if it is there, else the shipped sample) or
            the path of an HDF5 file of the same layout, or of a `.npz` of NumPy with `X` and `y`.
        batch_size: jets per optimizer step, over all devices.
        test: share of the test split.
        validation: share of the validation split in what is not test.
        split_seed: seed of the split. It is not the training's seed, so that a warm start never sees the
            test split.
    """

    stand_in = "simulated"

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

    @staticmethod
    def path_of(source: str) -> Path:
        """Return the file of a source."""
        return source_path(source)

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

    def rows(self, split: str) -> tuple[Tensor, Tensor]:
        """Return standardized features, shape (jets, features), and labels, shape (jets,), of a split.

        Args:
            split: `train`, `validation` or `test`.
        """
        rows = getattr(self.split, split)
        return self.features[rows], self.labels[rows]

    def check_network(self, shape: tuple[int, ...], outputs: int) -> None:
        """Check that a network's inputs and outputs are those of the data.

        Raises:
            InputError: they are not.
        """
        if self.sample is None:
            raise RuntimeError("the network is checked after setup()")
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
        sample = read_jets(origin.source)
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
            description=f"{sample.description}, {which} jets{origin.remark}",
            sha256=sample.sha256,
            feature_names=sample.feature_names,
        )


def resolve_source(source: str) -> str:
    """Return what `auto` stands for: `openml` if it was fetched, else `simulated`; others as they are."""
    if source != "auto":
        return source
    return "openml" if (data_folder() / OPENML_FILE).exists() else "simulated"


def source_path(source: str) -> Path:
    """Return the file of a source: `openml`, `simulated`, `auto` or a path."""
    source = resolve_source(source)
    if source == "openml":
        return data_folder() / OPENML_FILE
    return SHIPPED_SAMPLE if source == "simulated" else Path(source)


def read_jets(source: str) -> JetSample:
    """Read all jets of `source`: `auto`, `openml`, `simulated` or the path of an HDF5 or a `.npz` file.

    The file holds `X` (jets, features) and `y` (jets,), numbers or names of classes, or `y` (jets, classes), and the
    attributes `feature_names` and `class_names`; a `.npz` file may have these as arrays.

    Raises:
        InputError: the file is missing, truncated, of another layout, or holds a value that is not finite
            or a label without a class.
    """
    source = resolve_source(source)
    path = source_path(source)
    if not path.exists():
        remedy = (
            "run python -m nanotrigger.data.fetch jets"
            if source == "openml"
            else "give auto, openml, simulated or the path of an HDF5 file"
        )
        raise InputError(f"data.source={source}: no file {path}; {remedy}")
    check_readable(path)
    digest = sha256(path)
    if source == "openml" and recorded_sha256(path) not in (None, digest):
        recorded = checksum_path(path).name
        raise InputError(f"{path} does not match {recorded}; run python -m nanotrigger.data.fetch jets again")
    table = read_table(path)
    sample = JetSample(
        features=table.features,
        labels=class_numbers(path, table.labels, table.class_names),
        feature_names=table.feature_names,
        class_names=table.class_names,
        source=source,
        description=_DESCRIPTIONS.get(source, f"{path.name}: {table.origin}" if table.origin else path.name),
        sha256=digest,
    )
    _check(path, sample)
    return replace(sample, labels=sample.labels.astype(np.int64))


def _check(path: Path, sample: JetSample) -> None:
    features, labels, names = sample.features, sample.labels, sample.class_names
    if features.ndim != 2 or labels.shape != features.shape[:1] or not len(labels):
        raise InputError(
            f"{path}: X has shape {features.shape} and y {labels.shape}; expected (jets, features) and (jets,)"
        )
    if len(sample.feature_names) != features.shape[1]:
        raise InputError(f"{path}: {len(sample.feature_names)} feature_names for {features.shape[1]} columns of X")
    if len(set(names)) < max(2, len(names)):
        raise InputError(f"{path}: class_names {', '.join(names)}; give at least two classes, all different")
    finite = np.isfinite(features)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise InputError(
            f"{path}: X[{row}, {column}] ({sample.feature_names[column]}) is {features[row, column]}, and "
            f"{np.count_nonzero(~finite)} values in all are not finite; remove those jets"
        )
    unknown = ~np.isin(labels, np.arange(len(names)))
    if unknown.any():
        row = int(np.argmax(unknown))
        raise InputError(
            f"{path}: y[{row}] = {labels[row]} is no class; labels are 0 to {len(names) - 1} ({', '.join(names)})"
        )
