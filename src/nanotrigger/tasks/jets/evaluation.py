"""What the test of a jet-tagging run finds."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nanotrigger.evaluation.classification import classification_summary
from nanotrigger.evaluation.figures import (
    Sample,
    confusion_figure,
    feature_distributions,
    pairwise_roc_curves,
    probability_histograms,
    roc_curves,
)
from nanotrigger.tasks.jets.data import JetData
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
        f"{summary['samples']:,} jets, best epoch {trained.epoch}",
        figures={"history": history, **_figures(data, logits)},
    )


def _figures(data: JetData, logits: NDArray[np.float64]) -> dict[str, Figure]:
    """Return figures of features and logits by file name."""
    jets = data.sample
    assert jets is not None
    rows = data.split.test
    labels = jets.labels[rows]
    sample = Sample(jets.description, len(rows), "test", unit="jets")
    names: dict[str, Any] = {"class_names": jets.class_names, "sample": sample}
    return {
        "features": feature_distributions(jets.features[rows], labels, feature_names=jets.feature_names, **names),
        "probabilities": probability_histograms(logits, labels, **names),
        "roc": roc_curves(logits, labels, **names),
        "roc_pairwise": pairwise_roc_curves(logits, labels, **names),
        "confusion": confusion_figure(logits, labels, **names),
    }
