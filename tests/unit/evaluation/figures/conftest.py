"""Small seeded samples, and every figure drawn from one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nanotrigger.evaluation.figures import (
    Sample,
    confusion_figure,
    feature_distributions,
    pairwise_roc_curves,
    probability_histograms,
    quantizer_staircases,
    roc_curves,
    training_history,
)
from nanotrigger.numbers import FixedPoint


@dataclass(frozen=True)
class Jets:
    """Four features, five classes."""

    features: NDArray
    logits: NDArray
    labels: NDArray

    class_names = ("g", "q", "t", "w", "z")
    feature_names = ("zlogz", "mass_mmdt", "multiplicity", "another")

    @property
    def sample(self) -> Sample:
        return Sample("Simulated jets (Pythia 8)", size=len(self.labels), split="test")


def make_jets(events: int, *, missing: int | None = None) -> Jets:
    random = np.random.default_rng(events)
    labels = np.arange(events) % 5
    labels[labels == missing] = 0
    features = random.normal(size=(events, 4)) + labels[:, None]
    features[:, 2] = random.poisson(50, events)
    features[:, 3] = 0.25
    return Jets(features, random.normal(size=(events, 5)) + 2 * np.eye(5)[labels], labels.astype(np.int8))


HISTORY = {
    "epoch": [0, 0, 1, 1],
    "train_loss": [np.nan, 1.2, np.nan, 0.9],
    "val_loss": [1.1, np.nan, 0.8, np.nan],
    "train_accuracy": [np.nan, 0.6, np.nan, 0.7],
    "val_accuracy": [0.65, np.nan, 0.72, np.nan],
    "learning_rate": [1e-3, 1e-3, 1e-3, 1e-3],
}
FORMATS = {
    "weight": FixedPoint(4, 2, narrow=True),
    "activation": FixedPoint(8, 0, signed=False),
    "binary weight": FixedPoint(1, 1),
    "output": FixedPoint(32, 16),
}


def draw_features(jets: Jets) -> Figure:
    return feature_distributions(
        jets.features,
        jets.labels,
        feature_names=jets.feature_names,
        class_names=jets.class_names,
        sample=jets.sample,
    )


def of_predictions(draw: Callable[..., Figure]) -> Callable[[Jets], Figure]:
    return lambda jets: draw(jets.logits, jets.labels, class_names=jets.class_names, sample=jets.sample)


DRAWINGS: dict[str, Callable[[Jets], Figure]] = {
    "features": draw_features,
    "history": lambda jets: training_history(HISTORY, sample=jets.sample),
    "probabilities": of_predictions(probability_histograms),
    "roc": of_predictions(roc_curves),
    "pairwise": of_predictions(pairwise_roc_curves),
    "confusion": of_predictions(confusion_figure),
    "staircases": lambda jets: quantizer_staircases(FORMATS),
}


@pytest.fixture(params=DRAWINGS)
def draw(request: pytest.FixtureRequest) -> Callable[[Jets], Figure]:
    return DRAWINGS[request.param]


@pytest.fixture(params=[(300, 1), (20, None), (1, None)], ids=["no q", "20", "1"])
def jets(request: pytest.FixtureRequest) -> Jets:
    events, missing = request.param
    return make_jets(events, missing=missing)


@pytest.fixture(scope="module")
def some_jets() -> Jets:
    return make_jets(50)


@pytest.fixture(scope="module", params=DRAWINGS)
def figure(request: pytest.FixtureRequest, some_jets: Jets) -> Figure:
    """Return one of each kind, drawn once from `some_jets`; not to be changed."""
    return DRAWINGS[request.param](some_jets)
