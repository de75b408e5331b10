"""The events on which firmware is judged: the checkpoint's own test split if its data are at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from nanotrigger.data.particles import read_particles
from nanotrigger.data.split import random_split
from nanotrigger.errors import InputError
from nanotrigger.files import sha256
from nanotrigger.tasks import AnomalyDetection, task_named
from nanotrigger.tasks.anomaly.data import BACKGROUND, describe_events, event_sets, events_path, joined
from nanotrigger.tasks.jets.sample import read_jets, source_path
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
    """Return a split of the data that `trained` was trained on, or else all events of another file.

    Without those data the shipped sample serves, scaled by the checkpoint's own standardization; `description`
    says so.

    Args:
        trained: of a checkpoint; for anomaly detection all signals are added to the background.
        data: source to use instead; all of its events are taken, unless it is the file of the training.
        split: which part of the training's file.

    Raises:
        InputError: the data cannot be read or have other features or classes than the network.
    """
    return (
        _collisions(trained, data, split)
        if task_named(trained.task) is AnomalyDetection
        else _jets(trained, data, split)
    )


def _jets(trained: TrainedNetwork, data: str | None, split: Part) -> Events:
    source, remark = _find(trained, data, source_path)
    sample = read_jets(source)
    for key in ("feature_names", "class_names"):
        has, wants = list(getattr(sample, key)), trained.data[key]
        if has != wants:
            raise InputError(
                f"{sample.source} has the {key} {', '.join(has)}, the checkpoint {', '.join(wants)}; "
                f"give data= a file with these{remark}"
            )
    rows, part = _rows(trained, len(sample.labels), sample.sha256, split)
    features = trained.standardization.apply(torch.from_numpy(sample.features)[rows])
    return Events(
        features=features.double().numpy(),
        labels=sample.labels[rows],
        class_names=sample.class_names,
        description=f"{sample.description}, {part} jets{remark}",
        sha256=sample.sha256,
    )


def _collisions(trained: TrainedNetwork, data: str | None, split: Part) -> Events:
    source, remark = _find(trained, data, events_path)
    own = data is None and not remark
    sets = event_sets(source, trained.data["signals"] if own else None)
    digest = sha256(sets[BACKGROUND].path)
    background = torch.from_numpy(read_particles(*sets[BACKGROUND]))
    rows, part = _rows(trained, len(background), digest, split)
    features, labels = joined(trained.standardization.apply(background[rows]), sets, trained.standardization)
    signals = ", ".join(list(sets)[1:]) or "no signals"
    return Events(
        features=features.double().numpy(),
        labels=labels.numpy(),
        class_names=tuple(sets),
        description=f"{describe_events(source)}, {part} background events and {signals}{remark}",
        sha256=digest,
    )


def _rows(trained: TrainedNetwork, count: int, digest: str, split: Part) -> tuple[torch.Tensor, str]:
    """Return which of `count` events to take: the split if they are the training's file, else all; and in words."""
    if digest != trained.data["sha256"]:
        return torch.arange(count), f"all {count:,}"
    shares = {key: trained.data[key] for key in ("test", "validation")}
    rows = getattr(random_split(count, **shares, seed=trained.data["split_seed"]), split)
    return rows, f"{split} split, {len(rows):,}"


def _find(trained: TrainedNetwork, data: str | None, path_of: Callable[[str], Path]) -> tuple[str, str]:
    """Return the source to read: the one that is given, or the training's; the shipped one if that is gone."""
    if data is not None:
        return data, ""
    source = trained.data["source"]
    path = path_of(source)
    if path.is_file() and sha256(path) == trained.data["sha256"]:
        return source, ""
    reason = "changed since the training" if path.is_file() else "not at hand"
    remark = f"; the training data ({trained.data['description']}) are {reason}, the scaling is the checkpoint's own"
    return "simulated", remark
