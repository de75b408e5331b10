"""The events by which a trained network is judged."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
