"""Random splits, standardization fitted on the training rows alone, and the events by which a network is judged."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanotrigger.errors import InputError

JudgedSplit = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Events:
    """Standardized events with their labels.

    Attributes:
        features: shape (events, features), float64 copies of the float32 values that training used.
        labels: shape (events,).
        class_names: one for each label.
        description: which events these are, in one line.
        sha256: hash of the file that they come from.
        feature_names: one for each column of the features.
    """

    features: NDArray[np.float64]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    description: str
    sha256: str
    feature_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, each of shape (rows of the part,), int64; disjoint, covering all."""

    train: Tensor
    validation: Tensor
    test: Tensor


def random_split(rows: int, *, test: float, validation: float, seed: int) -> Split:
    """Split `rows` at random: the share `test` first, then the share `validation` of the rest.

    Raises:
        InputError: a share outside (0, 1), a negative seed, or a part that would be empty.

    >>> split = random_split(100, test=0.2, validation=0.25, seed=0)
    >>> len(split.train), len(split.validation), len(split.test)
    (60, 20, 20)
    """
    for name, share in (("test", test), ("validation", validation)):
        if not 0 < share < 1:
            raise InputError(f"data.{name}={share}: the share must lie between 0 and 1")
    if not 0 <= seed < 2**63:
        raise InputError(f"data.split_seed={seed}: must be at least 0 and below 2^63")
    tests = round(rows * test)
    validations = round((rows - tests) * validation)
    parts = [rows - tests - validations, validations, tests]
    if min(parts) < 1:
        raise InputError(f"{rows} rows split into {parts} training, validation and test rows; use more data")
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    train, validation_rows, test_rows = order.split(parts)
    return Split(train, validation_rows, test_rows)


@dataclass(frozen=True)
class Standardization:
    """Mean and width of every feature, each of shape (features,), float64; of particles and cells flattened."""

    mean: Tensor
    scale: Tensor

    @classmethod
    def fit(cls, features: Tensor) -> "Standardization":
        """Fit on `features`, shape (events, features); a constant feature keeps scale 1.

        >>> Standardization.fit(torch.tensor([[1.0, 7.0], [3.0, 7.0]])).scale
        tensor([1., 1.], dtype=torch.float64)
        """
        features = features.double()
        scale = features.std(dim=0, correction=0)
        return cls(features.mean(dim=0), torch.where(scale > 0, scale, torch.ones_like(scale)))

    @classmethod
    def fit_places(cls, features: Tensor, shape: tuple[int, ...]) -> "Standardization":
        """Fit on particles or cells, which share one scale for each of their features; their mean stays.

        So those that are not there, whose features are all zero, are zero for the network as well. The scale is the
        power of two that is nearest to the root mean square over those that are there: a shift in hardware, exact in
        float32. A feature that is always zero has scale 1.

        Args:
            features: shape (events, values), each event flattened in C order.
            shape: of an event, features last.

        >>> Standardization.fit_places(torch.tensor([[0.25, 8.0, 0.0, 0.0], [0.125, 7.0, 0.25, 9.0]]), (2, 2)).scale
        tensor([0.2500, 8.0000, 0.2500, 8.0000], dtype=torch.float64)
        """
        places = features.double().reshape(-1, shape[-1])
        there = places[(places != 0).any(dim=1)]
        squares = (there.square().sum(dim=0) / max(len(there), 1)).tolist()
        scale = torch.tensor([2.0 ** round(math.log2(square) / 2) if square else 1.0 for square in squares])
        scale = scale.double().repeat(math.prod(shape[:-1]))
        return cls(torch.zeros_like(scale), scale)

    def apply(self, features: Tensor) -> Tensor:
        """Return standardized features as float32, shape unchanged."""
        return ((features.double() - self.mean) / self.scale).float()

    def state(self) -> dict[str, Tensor]:
        """Return the tensors for a checkpoint; `Standardization(**state)` restores it."""
        return {"mean": self.mean, "scale": self.scale}
