"""What the test of an anomaly-detection run finds."""

import csv
import io
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from nanotrigger.evaluation.detection import detection_summary, detection_table
from nanotrigger.evaluation.menu import menu_summary, menu_table
from nanotrigger.evaluation.pca import PrincipalComponents
from nanotrigger.evaluation.roc import roc_points
from nanotrigger.networks import Autoencoder, VariationalAutoencoder
from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.tasks.anomaly.figures import anomaly_figures
from nanotrigger.tasks.anomaly.scores import RADIUS, kl_divergence, output_scores, rz
from nanotrigger.tasks.task import Evaluation
from nanotrigger.training.checkpoint import TrainedNetwork, predict

Array = NDArray[np.float64]
Scores = dict[str, Array]

ROC = "roc.csv"


def evaluate_events(trained: TrainedNetwork, data: EventData, *, history: Figure) -> Evaluation:
    """Return what a test on the background's test split and all signals finds.

    Principal components, as many as the network has latent values, are the baseline.

    Args:
        trained: best checkpoint of a run.
        data: of the run, set up.
        history: the figure of its training.
    """
    features, labels = data.with_signals("test")
    network = trained.network
    if not isinstance(network, Autoencoder):
        raise TypeError(f"{type(network).__name__} is no autoencoder")
    outputs = predict(network, features)
    baseline = PrincipalComponents.fit(data.splits["train"].numpy(), network.latent_size)
    scores = _scores(trained, features, outputs) | _baseline_scores(baseline, features.double().numpy())
    summary = _summary(scores, labels.numpy(), data)
    figures = anomaly_figures(data, network, features, outputs, labels, scores, baseline)
    return Evaluation(
        summary=summary,
        line=f"test split    {len(data.splits['test']):,} background events, best epoch {trained.epoch}",
        figures={"history": history, **figures},
        tables=(
            *((detection_table(summary),) if summary["signals"] else ()),
            *((menu_table(summary["trigger"]),) if "trigger" in summary else ()),
        ),
        texts={ROC: _roc(scores, labels.numpy(), data.class_names)},
    )


def _summary(scores: Scores, labels: NDArray[np.int64], data: EventData) -> dict[str, Any]:
    """Return the summary of all signals; without any, there is nothing to detect."""
    names: dict[str, Any] = {"class_names": data.class_names, "crossings": data.crossings}
    if len(data.class_names) < 2:
        return {"events": {data.class_names[0]: len(labels)}, "signals": {}}
    summary = detection_summary(scores, labels, **names)
    accepted = data.accepted("test")
    if accepted is not None:
        summary["trigger"] = menu_summary(scores, labels, accepted.numpy(), **names)
    return summary


def _scores(trained: TrainedNetwork, features: Tensor, outputs: Tensor) -> Scores:
    """Return the network's scores by name, the one that it was trained for first."""
    inputs, reconstructed = features.double().numpy(), outputs.double().numpy()
    scores = output_scores(inputs, reconstructed, trained.standardization, trained.settings)
    network = trained.network
    if isinstance(network, VariationalAutoencoder):
        both = predict(lambda rows: torch.cat(network.distribution(rows), dim=1), features)
        means, log_variances = np.split(both.double().numpy(), 2, axis=1)
        scores |= {"KL divergence": kl_divergence(means, log_variances), RADIUS: rz(means)}
    return scores


def _baseline_scores(baseline: PrincipalComponents, features: Array) -> Scores:
    return {
        "PCA reconstruction error": baseline.reconstruction_error(features),
        "PCA Mahalanobis distance": baseline.mahalanobis(features),
    }


def _roc(scores: Scores, labels: NDArray[np.int64], class_names: tuple[str, ...]) -> str:
    """Return the ROC curves of every signal and score, from which runs can be compared, as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("signal", "score", "false_positive_rate", "true_positive_rate"))
    for place, signal in enumerate(class_names[1:], start=1):
        for name, score in scores.items():
            curve = roc_points(score[labels == 0], score[labels == place])
            writer.writerows((signal, name, *point) for point in np.column_stack(curve).tolist())
    return text.getvalue()
