"""What the test of a jet-tagging run finds."""

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nanotrigger.evaluation.classification import classification_summary
from nanotrigger.evaluation.figures import (
    Sample,
    confusion_figure,
    feature_distributions,
    mean_images,
    pairwise_roc_curves,
    probability_histograms,
    roc_curves,
)
from nanotrigger.simulate.jets import CONSTITUENT_NAMES
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.tasks.jets.images import HALF_WIDTH
from nanotrigger.tasks.jets.sample import Inputs, JetSample
from nanotrigger.tasks.task import Evaluation
from nanotrigger.training.checkpoint import TrainedNetwork, predict


def evaluate_jets(trained: TrainedNetwork, data: JetData, *, history: Figure) -> Evaluation:
    """Return what a test on the test split finds.

    Args:
        trained: best checkpoint of a run.
        data: of the run, set up.
        history: the figure of its training.
    """
    features, labels = data.rows("test")
    logits = predict(trained.network, features).double().numpy()
    summary = classification_summary(logits, labels.numpy(), class_names=trained.data["class_names"])
    low, high = summary["accuracy_interval"]
    return Evaluation(
        summary=summary,
        line=f"test accuracy {summary['accuracy']:.4f} (68 % interval {low:.4f} to {high:.4f}) on "
        f"{summary['samples']:,} {_unit(data)}, best epoch {trained.epoch}",
        figures={"history": history, **_figures(data, logits)},
    )


def _figures(data: JetData, logits: NDArray[np.float64]) -> dict[str, Figure]:
    """Return figures of inputs and logits by file name."""
    jets = data.sample
    assert jets is not None
    rows = data.split.test
    labels = jets.labels[rows]
    sample = Sample(jets.description, len(rows), "test", unit=_unit(data))
    names: dict[str, Any] = {"class_names": jets.class_names, "sample": sample}
    return {
        **_inputs(jets, jets.features[rows], labels, data.inputs, **names),
        "probabilities": probability_histograms(logits, labels, **names),
        "roc": roc_curves(logits, labels, **names),
        "roc_pairwise": pairwise_roc_curves(logits, labels, **names),
        "confusion": confusion_figure(logits, labels, **names),
    }


def _unit(data: JetData) -> str:
    assert data.sample is not None
    return data.sample.unit


def _inputs(
    jets: JetSample,
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    inputs: Inputs,
    *,
    class_names: tuple[str, ...],
    sample: Sample,
) -> dict[str, Figure]:
    """Return the figure of what a network sees of jets: features of jets or of all their particles, or images."""
    if len(jets.shape) == 1:
        names = jets.feature_names
        figure = feature_distributions(features, labels, feature_names=names, class_names=class_names, sample=sample)
        return {"features": figure}
    if len(jets.shape) == 3:
        images = features.reshape(-1, *jets.shape)
        half_width = HALF_WIDTH if inputs == "image" else None
        figure = mean_images(images, labels, class_names=class_names, sample=sample, half_width=half_width)
        return {"images": figure}
    particles = features.reshape(-1, jets.shape[1])
    there = (particles != 0).any(axis=1)
    own = tuple(name.removeprefix("particle_1_") for name in jets.feature_names[: jets.shape[1]])
    figure = feature_distributions(
        particles[there],
        np.repeat(labels, jets.shape[0])[there],
        feature_names=CONSTITUENT_NAMES if inputs == "constituents" else own,
        class_names=class_names,
        sample=replace(sample, size=int(there.sum()), unit="particles"),
    )
    return {"particles": figure}
