"""Compose the datasheet of an export from the files that lie in its folder."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.cost.audit import audit
from nanotrigger.cost.report import ResourceReport
from nanotrigger.datasheet.illustration import Illustration
from nanotrigger.datasheet.rebuild import rebuild_commands, tool_versions
from nanotrigger.datasheet.sheet import Datasheet, Feature, JudgedBy
from nanotrigger.evaluation.figures import Sample, confusion_figure, detection_roc, roc_curves, score_histograms
from nanotrigger.evaluation.figures.weights import weight_histograms
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.events import Events
from nanotrigger.firmware.record import read_record
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.vectors import MAXIMUM_EVENTS
from nanotrigger.graph.load import load_model
from nanotrigger.networks.weights import LayerWeights, layer_weights, weight_formats
from nanotrigger.tasks.anomaly.detector_scores import output_scores
from nanotrigger.tasks.performance import performance
from nanotrigger.training.checkpoint import TrainedNetwork

Array = NDArray[np.float64]

_RADIUS = "radius"
_MEANINGS = {
    "logits": "logits: the largest names the class",
    "reconstruction": "the reconstruction of the inputs: the larger its distance from them, the more unusual the event",
    "latent_values": "latent values of the autoencoder",
    _RADIUS: "the sum of the squares of the latent means: the larger, the more unusual",
    "latent_means": "latent means: the sum of their squares is the score, the larger the more unusual",
}


def compose_datasheet(
    export: Path,
    trained: TrainedNetwork,
    events: Events,
    logits: Array,
    *,
    reports: Sequence[ResourceReport],
    checkpoint: Path,
    data: str | None = None,
) -> Datasheet:
    """Return the datasheet of an export.

    Args:
        export: folder with parity.json, model.onnx and the back end's project.
        trained: the network that was exported.
        events: on which it was judged.
        logits: what the firmware computed for these events, before a softmax, shape (events, outputs).
        reports: what the firmware costs.
        checkpoint: file of `trained`, as the commands should name it.
        data: source of `events`, if it was given.
    """
    parity = json.loads((export / "parity.json").read_text(encoding="utf-8"))
    target = Target(**parity["target"])
    backend = backend_named(target.backend)
    firmware = read_record(export / backend.folder)
    weights = layer_weights(trained.network)
    quantized = bool(trained.network.formats)
    found = performance(trained, events.features, logits, events.labels, class_names=events.class_names)
    return Datasheet(
        experiment=firmware.name,
        task=spaced(trained.task),
        performance=found,
        judged_by=JudgedBy(len(events.labels), events.description),
        firmware=firmware,
        features=_features(trained),
        outputs=(_RADIUS,) if parity["target"].get("radius") else _output_names(trained),
        meaning=_MEANINGS[_RADIUS if parity["target"].get("radius") else trained.network.output_name],
        parity=parity,
        reports=tuple(reports),
        audits=audit(load_model(export / "model.onnx"), events.features) if quantized else (),
        weights=weights,
        weight_figure=_weight_figure(weights),
        performance_figures=() if found is None else _performance_figures(trained, events, logits),
        vectors=_vectors(parity),
        training=_training(trained),
        commands=rebuild_commands(checkpoint, target, data=data),
        versions=tool_versions(backend),
    )


def spaced(name: str) -> str:
    """Return the words of a class name.

    >>> spaced("JetTagging")
    'Jet tagging'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).capitalize()


def _output_names(trained: TrainedNetwork) -> tuple[str, ...]:
    name, outputs = trained.network.output_name, trained.network.widths[-1]
    known = {"logits": "class_names", "reconstruction": "feature_names"}
    if name in known:
        return tuple(trained.data[known[name]])
    return tuple(f"{name.removesuffix('s')}_{place}" for place in range(1, outputs + 1))


def _features(trained: TrainedNetwork) -> tuple[Feature, ...]:
    scaling = trained.standardization
    columns = zip(trained.data["feature_names"], scaling.mean.tolist(), scaling.scale.tolist(), strict=True)
    return tuple(Feature(name, mean, scale) for name, mean, scale in columns)


def _weight_figure(weights: Sequence[LayerWeights]) -> Illustration:
    return Illustration(
        weight_histograms({layer.name: layer.values for layer in weights}, weight_formats(weights)),
        "Weights of each layer by value. A weight that is zero needs no multiplier.",
        "Histograms of the weights, one panel a layer; the table below has their sparsity.",
    )


def _performance_figures(trained: TrainedNetwork, events: Events, outputs: Array) -> tuple[Illustration, ...]:
    sample = Sample("Firmware, emulated", size=len(events.labels), split="evaluation", unit="events")
    if trained.network.output_name == "logits":
        return _classification(events, outputs, sample)
    scores = output_scores(events.features, outputs, trained.standardization, trained.settings)
    return _detection(events, scores, sample)


def _classification(events: Events, logits: Array, sample: Sample) -> tuple[Illustration, ...]:
    names = ", ".join(events.class_names)
    roc = roc_curves(logits, events.labels, class_names=events.class_names, sample=sample)
    confusion = confusion_figure(logits, events.labels, class_names=events.class_names, sample=sample)
    return (
        Illustration(
            roc,
            "ROC curves of each class against all others: background efficiency over signal efficiency, and the area "
            "under the curve (AUC).",
            f"ROC curves of the classes {names}, with their areas in the legend.",
        ),
        Illustration(
            confusion,
            "Confusion matrix: the share of each true class that is put into each class, and the number of events.",
            f"Confusion matrix of the classes {names}, with numbers in the cells.",
        ),
    )


def _detection(events: Events, scores: dict[str, Array], sample: Sample) -> tuple[Illustration, ...]:
    names = ", ".join(events.class_names)
    roc = detection_roc(scores, events.labels, class_names=events.class_names, sample=sample)
    histograms = score_histograms(scores, events.labels, class_names=events.class_names, sample=sample)
    return (
        Illustration(
            roc,
            "True-positive rate of each signal over the false-positive rate, both logarithmic, and the area under the "
            "curve (AUC).",
            "ROC curves of the signals, one panel each, with their areas in the legend.",
        ),
        Illustration(
            histograms,
            "Scores of background and signals. The larger, the less an event looks like background.",
            f"Histograms of the scores of {names}.",
        ),
    )


def _training(trained: TrainedNetwork) -> dict[str, str]:
    data = trained.data
    unit = "jets" if "jets" in data else "events"
    count = data[unit]
    return {
        "Data": f"{data['description']}, {count:,} {unit}",
        "SHA-256 of the data": data["sha256"],
        "Split": f"test {data['test']}, validation {data['validation']}, seed {data['split_seed']}",
        "Checkpoint": f"after epoch {trained.epoch}",
    }


def _vectors(parity: dict[str, Any]) -> int:
    inputs = parity["inputs"]
    return min(inputs["events"]["samples"], MAXIMUM_EVENTS) + int(inputs["extremes"]["samples"])
