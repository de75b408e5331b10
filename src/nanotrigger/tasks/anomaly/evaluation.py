"""Test the best checkpoint of an anomaly-detection run: test.json, roc.csv, figures and a table."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from nanotrigger.command import wide_console
from nanotrigger.evaluation.detection import detection_summary, detection_table
from nanotrigger.evaluation.figures import save_figure
from nanotrigger.evaluation.pca import PrincipalComponents
from nanotrigger.evaluation.roc import roc_points
from nanotrigger.files import whole_file, write_json
from nanotrigger.networks import Autoencoder, VariationalAutoencoder
from nanotrigger.networks.sparsity import sparsity_summary, sparsity_table
from nanotrigger.networks.weights import layer_weights
from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.tasks.anomaly.detector_scores import RADIUS, output_scores
from nanotrigger.tasks.anomaly.figures import anomaly_figures
from nanotrigger.tasks.anomaly.scores import kl_divergence, rz
from nanotrigger.training.checkpoint import TrainedNetwork, load_trained
from nanotrigger.training.predict import predict, provenance

Array = NDArray[np.float64]
Scores = dict[str, Array]

ROC = "roc.csv"


def evaluate_events(folder: Path, data: EventData) -> None:
    """Test `folder/best.ckpt` on the background's test split and all signals; write files, print a table.

    Principal components, as many as the network has latent values, are the baseline.

    Args:
        folder: a run folder with best.ckpt and metrics.csv.
        data: the run's data, set up.
    """
    trained = load_trained(folder / "best.ckpt")
    features, labels = data.with_signals("test")
    network = trained.network
    if not isinstance(network, Autoencoder):
        raise TypeError(f"{type(network).__name__} is no autoencoder")
    outputs = predict(network, features)
    baseline = PrincipalComponents.fit(data.parts["train"].numpy(), network.latent_size)
    scores = _scores(trained, features, outputs) | _baseline_scores(baseline, features.double().numpy())
    summary = _summary(scores, labels.numpy(), data.class_names)
    sparsity = sparsity_summary(layer_weights(trained.network))
    write_json(folder / "test.json", {**provenance(trained), **summary, "sparsity": sparsity})
    _write_roc(folder / ROC, scores, labels.numpy(), data.class_names)
    figures = anomaly_figures(folder, data, network, features, outputs, labels, scores, baseline)
    for name, figure in figures.items():
        save_figure(figure, folder / "figures" / name)
    if sparsity["total"]["zeros"]:
        Console().print(sparsity_table(sparsity))
    if summary["signals"]:
        wide_console().print(detection_table(summary))
    print(
        f"test split    {len(data.parts['test']):,} background events, best epoch {trained.epoch}\n"
        f"run folder    {folder}\n"
        f"next          python export.py ckpt={folder / 'best.ckpt'}"
    )


def _summary(scores: Scores, labels: NDArray[np.int64], class_names: tuple[str, ...]) -> dict[str, Any]:
    """Return the summary of all signals; without any, there is nothing to detect."""
    if len(class_names) < 2:
        return {"events": {class_names[0]: len(labels)}, "signals": {}}
    return detection_summary(scores, labels, class_names=class_names)


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


def _write_roc(path: Path, scores: Scores, labels: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    """Write the ROC curves of every signal and score, from which runs can be compared."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("signal", "score", "false_positive_rate", "true_positive_rate"))
        for place, signal in enumerate(class_names[1:], start=1):
            for name, score in scores.items():
                curve = roc_points(score[labels == 0], score[labels == place])
                writer.writerows((signal, name, *point) for point in np.column_stack(curve).tolist())
