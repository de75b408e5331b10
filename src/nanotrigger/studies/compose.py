"""Compose the datasheet of an export from the files that lie in its folder."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from nanotrigger.evaluation.figures import Sample, confusion_figure, roc_curves
from nanotrigger.evaluation.figures.weights import weight_histograms
from nanotrigger.evaluation.metrics import accuracy, accuracy_interval
from nanotrigger.firmware.events import Events
from nanotrigger.firmware.record import read_record
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.vectors import MAXIMUM_EVENTS
from nanotrigger.networks.weights import LayerWeights, layer_weights, weight_formats
from nanotrigger.resources.audit import audit
from nanotrigger.resources.report import ResourceReport
from nanotrigger.studies.illustration import Illustration
from nanotrigger.studies.rebuild import rebuild_commands, tool_versions
from nanotrigger.studies.sheet import Accuracy, Datasheet, Feature
from nanotrigger.training.checkpoint import TrainedNetwork

Array = NDArray[np.float64]


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
        export: folder with parity.json, model.onnx and hls/.
        trained: the network that was exported.
        events: on which it was judged.
        logits: of the firmware for these events, shape (events, classes).
        reports: what the firmware costs.
        checkpoint: file of `trained`, as the commands should name it.
        data: source of `events`, if it was given.
    """
    parity = json.loads((export / "parity.json").read_text(encoding="utf-8"))
    firmware = read_record(export / "hls")
    weights = layer_weights(trained.network)
    quantized = bool(trained.network.formats)
    return Datasheet(
        experiment=firmware.name,
        task=spaced(trained.task),
        accuracy=_accuracy(events, logits),
        firmware=firmware,
        features=_features(trained),
        classes=tuple(trained.data["class_names"]),
        parity=parity,
        reports=tuple(reports),
        audits=audit(onnx.load(export / "model.onnx"), events.features) if quantized else (),
        weights=weights,
        weight_figure=_weight_figure(weights),
        performance_figures=_performance_figures(events, logits),
        vectors=_vectors(parity),
        training=_training(trained),
        commands=rebuild_commands(checkpoint, Target(**parity["target"]), data=data),
        versions=tool_versions(),
    )


def spaced(name: str) -> str:
    """Return the words of a class name.

    >>> spaced("JetTagging")
    'Jet tagging'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).capitalize()


def _accuracy(events: Events, logits: Array) -> Accuracy:
    return Accuracy(
        accuracy(logits, events.labels),
        accuracy_interval(logits, events.labels),
        len(events.labels),
        events.description,
    )


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


def _performance_figures(events: Events, logits: Array) -> tuple[Illustration, ...]:
    sample = Sample("Firmware, emulated", size=len(events.labels), split="evaluation")
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


def _training(trained: TrainedNetwork) -> dict[str, str]:
    data = trained.data
    return {
        "Data": f"{data['description']}, {data['jets']:,} jets",
        "SHA-256 of the data": data["sha256"],
        "Split": f"test {data['test']}, validation {data['validation']}, seed {data['split_seed']}",
        "Checkpoint": f"after epoch {trained.epoch}",
    }


def _vectors(parity: dict[str, Any]) -> int:
    inputs = parity["inputs"]
    return min(inputs["events"]["samples"], MAXIMUM_EVENTS) + int(inputs["extremes"]["samples"])
