"""Small seeded samples, and every figure drawn from one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nanotrigger.evaluation.figures import (
    DetectorCurve,
    Sample,
    ScanCurve,
    TradeoffPoints,
    confusion_figure,
    detection_roc,
    detector_comparison,
    efficiency_over_rate,
    feature_distributions,
    input_distributions,
    latent_scatter,
    mean_images,
    momentum_distributions,
    pairwise_roc_curves,
    probability_histograms,
    quantized_inputs,
    quantizer_staircases,
    reconstructed_momenta,
    roc_curves,
    scan_curves,
    score_histograms,
    staircase_family,
    tradeoff_figure,
    training_history,
)
from nanotrigger.evaluation.working_point import WorkingPoint
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
        return Sample("Simulated jets (Pythia 8)", size=len(self.labels), split="test", unit="jets")


def make_jets(events: int, *, missing: int | None = None) -> Jets:
    random = np.random.default_rng(events)
    labels = np.arange(events) % 5
    labels[labels == missing] = 0
    features = random.normal(size=(events, 4)) + labels[:, None]
    features[:, 2] = random.poisson(50, events)
    features[:, 3] = 0.25
    return Jets(features, random.normal(size=(events, 5)) + 2 * np.eye(5)[labels], labels.astype(np.int8))


PANELS = {"loss": "Cross-entropy [nats]", "accuracy": "Accuracy"}
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

SCANNED = [FixedPoint(1, 1), FixedPoint(2, 2, narrow=True), FixedPoint(16, 6)] * 2
QUANTITIES = {
    "quality": [0.65, 0.70, 0.75, 0.66, 0.69, np.nan],
    "aluts": [1_000, 2_000, 30_000, 1_100, 1_900, np.nan],
    "ffs": [3_000, 4_000, 20_000, 3_100, 4_100, np.nan],
    "rams": [0] * 6,
    "dsps": [0, 0, 100, 0, 0, 110],
}
CURVES = [ScanCurve("pruned", SCANNED, QUANTITIES), ScanCurve("dense", SCANNED[:3], {"quality": [0.67, 0.7, 0.76]})]
POINTS = TradeoffPoints(
    "pruned",
    QUANTITIES["quality"],
    {name: QUANTITIES[name] for name in ("aluts", "ffs")},
    "oneAPI early estimate",
    np.add.outer(QUANTITIES["quality"], [-0.01, 0.01]),
)
REFERENCE = TradeoffPoints("published", [0.755], {"aluts": [5_000], "ffs": [np.nan]}, "Quartus fit")
DETECTORS = {
    "q": [
        DetectorCurve("float", [1e-4, 0.01, 1.0], [0.0, 0.3, 1.0], [WorkingPoint(1e-3, 2.0, 1, 0.2, (0.1, 0.35))]),
        DetectorCurve("4 bits", [0.001, 0.01, 1.0], [0.1, 0.2, 1.0]),
    ],
    "t": [DetectorCurve("principal components", [0.001, 1.0], [0.002, 1.0])],
}


def draw_features(jets: Jets) -> Figure:
    return feature_distributions(
        jets.features,
        jets.labels,
        feature_names=jets.feature_names,
        class_names=jets.class_names,
        sample=jets.sample,
    )


def draw_inputs(jets: Jets) -> Figure:
    """Take the features for pT, eta and phi of an object that is sometimes absent, and always has the same phi."""
    columns = np.column_stack([np.maximum(jets.features[:, 0], 0), np.tanh(jets.features[:, [1, 3]])])
    return input_distributions(
        columns,
        jets.labels,
        feature_names=["jet_1_pt", "jet_1_eta", "jet_1_phi"],
        class_names=jets.class_names,
        sample=jets.sample,
        objects={"jet_1": "leading jet"},
    )


def draw_latent(jets: Jets) -> Figure:
    names = {"axis_names": ["first", "second", "third"], "class_names": jets.class_names}
    return latent_scatter(jets.logits[:, :3], jets.labels, sample=jets.sample, **names)


def draw_images(jets: Jets) -> Figure:
    images = np.abs(jets.features[:, :, None, None]) * np.array([[[0.0], [0.5], [1.0]]])
    return mean_images(images, jets.labels, class_names=jets.class_names, sample=jets.sample, half_width=0.4)


def draw_quantized(jets: Jets) -> Figure:
    number = FixedPoint(4, 2)
    before, names = jets.features[:, :2], jets.feature_names[:2]
    after = number.quantize(before)
    return quantized_inputs(before, after, number=number, feature_names=names, sample=jets.sample)


def of_scores(draw: Callable[..., Figure]) -> Callable[[Jets], Figure]:
    def draw_scores(jets: Jets) -> Figure:
        scores = {"distance": np.exp(3 * jets.logits[:, 0]), "reconstruction error": jets.logits[:, 1]}
        return draw(scores, jets.labels.clip(max=2), class_names=jets.class_names[:3], sample=jets.sample)

    return draw_scores


def draw_rate(jets: Jets) -> Figure:
    return efficiency_over_rate(
        jets.logits[:, 0], jets.labels, class_names=jets.class_names, score_name="distance", sample=jets.sample
    )


def draw_momenta(jets: Jets, draw: Callable[..., Figure] = reconstructed_momenta) -> Figure:
    truth = np.maximum(jets.features[:, :2], 0)
    return draw(truth, jets.logits[:, :2], object_names=["leading muon", "leading jet"], sample=jets.sample)


def notes_of(jets: Jets) -> list[str]:
    return [jets.sample.source, jets.sample.extent]


def of_predictions(draw: Callable[..., Figure]) -> Callable[[Jets], Figure]:
    return lambda jets: draw(jets.logits, jets.labels, class_names=jets.class_names, sample=jets.sample)


DRAWINGS: dict[str, Callable[[Jets], Figure]] = {
    "features": draw_features,
    "images": draw_images,
    "history": lambda jets: training_history({"": HISTORY}, notes=notes_of(jets), panels=PANELS),
    "probabilities": of_predictions(probability_histograms),
    "roc": of_predictions(roc_curves),
    "pairwise": of_predictions(pairwise_roc_curves),
    "confusion": of_predictions(confusion_figure),
    "detection": of_scores(detection_roc),
    "detectors": lambda jets: detector_comparison(DETECTORS, notes=notes_of(jets)),
    "rate": draw_rate,
    "scores": of_scores(score_histograms),
    "inputs": draw_inputs,
    "momenta": draw_momenta,
    "latent": draw_latent,
    "quantized inputs": draw_quantized,
    "scan": lambda jets: scan_curves(CURVES, key="weights", notes=notes_of(jets)),
    "tradeoff": lambda jets: tradeoff_figure([POINTS], notes=notes_of(jets), reference=[REFERENCE]),
    "staircases": lambda jets: quantizer_staircases(FORMATS),
    "family": lambda jets: staircase_family(),
    "distributions": lambda jets: draw_momenta(jets, momentum_distributions),
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
