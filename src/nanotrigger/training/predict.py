"""Run a network on many events, and say of which checkpoint and data a test tells."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nanotrigger.training.checkpoint import TrainedNetwork

_CHUNK = 65_536  # rows at once


def predict(network: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    """Return the network's outputs, shape (events, outputs), for features of shape (events, features)."""
    with torch.inference_mode():
        return torch.cat([network(rows) for rows in features.split(_CHUNK)])


def provenance(trained: TrainedNetwork) -> dict[str, Any]:
    """Return what test.json begins with: which checkpoint, and the test split of which data."""
    return {
        "checkpoint": {"file": "best.ckpt", "epoch": trained.epoch, "sha256": trained.sha256},
        "data": {"split": "test", **{key: trained.data[key] for key in ("source", "sha256", "split_seed")}},
    }
