"""Test the best checkpoint of a jet-tagging run: test.json, figures and a summary."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console

from nanotrigger.evaluation.figures import (
    Sample,
    confusion_figure,
    feature_distributions,
    pairwise_roc_curves,
    probability_histograms,
    quantizer_staircases,
    roc_curves,
    save_figure,
    training_history,
    weight_histograms,
)
from nanotrigger.evaluation.summary import classification_summary
from nanotrigger.files import write_json
from nanotrigger.networks.sparsity import sparsity_summary, sparsity_table
from nanotrigger.networks.weights import LayerWeights, layer_weights, weight_formats
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.training.checkpoint import TrainedNetwork, load_trained
from nanotrigger.training.history import read_history
from nanotrigger.training.predict import predict, provenance


def evaluate_jets(folder: Path, data: JetData) -> None:
    """Test `folder/best.ckpt` on the test split; write test.json and figures, print the result.

    Args:
        folder: a run folder with best.ckpt and metrics.csv.
        data: the run's data, set up.
    """
    trained = load_trained(folder / "best.ckpt")
    features, labels = data.rows("test")
    logits = predict(trained.network, features).double().numpy()
    weights = layer_weights(trained.network)
    sparsity = sparsity_summary(weights)
    summary = {
        **provenance(trained),
        **classification_summary(logits, labels.numpy(), class_names=trained.data["class_names"]),
        "sparsity": sparsity,
    }
    write_json(folder / "test.json", summary)
    for name, figure in _figures(folder, data, trained, logits, weights).items():
        save_figure(figure, folder / "figures" / name)
    if sparsity["total"]["zeros"]:
        Console().print(sparsity_table(sparsity))
    low, high = summary["accuracy_interval"]
    print(
        f"test accuracy {summary['accuracy']:.4f} (68 % interval {low:.4f} to {high:.4f}) on "
        f"{summary['samples']:,} jets, best epoch {trained.epoch}\n"
        f"run folder    {folder}\n"
        f"next          python export.py ckpt={folder / 'best.ckpt'}"
    )


def _figures(
    folder: Path, data: JetData, trained: TrainedNetwork, logits: NDArray, weights: Sequence[LayerWeights]
) -> dict[str, Figure]:
    """Return the figures of a run by file name."""
    jets = data.sample
    assert jets is not None
    names: dict[str, Any] = {"class_names": jets.class_names}
    rows = data.split.test
    labels = jets.labels[rows]
    test = Sample(jets.description, len(rows), "test")
    train = Sample(jets.description, len(data.split.train), "train")
    formats = trained.network.named_formats
    figures = {
        "features": feature_distributions(
            jets.features[rows], labels, feature_names=jets.feature_names, sample=test, **names
        ),
        "history": training_history(read_history(folder / "metrics.csv"), sample=train),
        "probabilities": probability_histograms(logits, labels, sample=test, **names),
        "roc": roc_curves(logits, labels, sample=test, **names),
        "roc_pairwise": pairwise_roc_curves(logits, labels, sample=test, **names),
        "confusion": confusion_figure(logits, labels, sample=test, **names),
        "weights": weight_histograms({layer.name: layer.values for layer in weights}, weight_formats(weights)),
    }
    return figures | ({"quantizers": quantizer_staircases(formats)} if formats else {})
