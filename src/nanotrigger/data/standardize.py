"""Standardization: zero mean and unit width per feature, fitted on the training split only."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Standardization:
    """Mean and width of every feature, each of shape (features,), float64."""

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

    def apply(self, features: Tensor) -> Tensor:
        """Return standardized features as float32, shape unchanged."""
        return ((features.double() - self.mean) / self.scale).float()

    def state(self) -> dict[str, Tensor]:
        """Return the tensors for a checkpoint; `Standardization(**state)` restores it."""
        return {"mean": self.mean, "scale": self.scale}
