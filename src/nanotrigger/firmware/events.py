"""The events on which firmware is judged: the checkpoint's own test split if its data are at hand."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from nanotrigger.data.jets import JetSample, read_jets, source_path
from nanotrigger.data.split import random_split
from nanotrigger.errors import InputError
from nanotrigger.training.checkpoint import TrainedNetwork

Part = Literal["validation", "test"]


@dataclass(frozen=True)
class Events:
    """Standardized events with their labels.

    Attributes:
        features: shape (events, features), float64 copies of the float32 values that training used.
        labels: shape (events,).
        class_names: one for each label.
        description: which events these are, in one line.
        sha256: hash of the file that they come from.
    """

    features: NDArray[np.float64]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    description: str
    sha256: str


def judged_events(trained: TrainedNetwork, data: str | None = None, *, split: Part = "test") -> Events:
    """Return a split of the data that `trained` was trained on, or else all jets of another file.

    Without those data the shipped sample serves, scaled by the checkpoint's own standardization; `description`
    says so.

    Args:
        trained: of a jet-tagging checkpoint.
        data: source to use instead; all of its jets are taken, unless it is the file of the training.
        split: which part of the training's file.

    Raises:
        InputError: the data cannot be read or have other features or classes than the network.
    """
    sample, remark = _find(trained, data)
    for key in ("feature_names", "class_names"):
        has, wants = list(getattr(sample, key)), trained.data[key]
        if has != wants:
            raise InputError(
                f"{sample.source} has the {key} {', '.join(has)}, the checkpoint {', '.join(wants)}; "
                f"give data= a file with these{remark}"
            )
    rows = torch.arange(len(sample.labels))
    part = f"all {len(rows):,} jets"
    if sample.sha256 == trained.data["sha256"]:
        shares = {key: trained.data[key] for key in ("test", "validation")}
        rows = getattr(random_split(len(rows), **shares, seed=trained.data["split_seed"]), split)
        part = f"{split} split, {len(rows):,} jets"
    features = trained.standardization.apply(torch.from_numpy(sample.features)[rows])
    return Events(
        features=features.double().numpy(),
        labels=sample.labels[rows],
        class_names=sample.class_names,
        description=f"{sample.description}, {part}{remark}",
        sha256=sample.sha256,
    )


def _find(trained: TrainedNetwork, data: str | None) -> tuple[JetSample, str]:
    source = data or trained.data["source"]
    if data is not None or source_path(source).is_file():
        sample = read_jets(source)
        if data is not None or sample.sha256 == trained.data["sha256"]:
            return sample, ""
        reason = "changed since the training"
    else:
        reason = "not at hand"
    remark = f"; the training data ({trained.data['description']}) are {reason}, the scaling is the checkpoint's own"
    return read_jets("simulated"), remark
