"""Compose the datasheet of an export from the files that lie in its folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.cost.report import ResourceReport
from nanotrigger.data.split import Events
from nanotrigger.datasheet.provenance import read_provenance
from nanotrigger.datasheet.sheet import Datasheet, Feature, JudgedBy, file_commands, rebuild_commands, tool_versions
from nanotrigger.evaluation.figures.illustration import Illustration
from nanotrigger.evaluation.figures.weights import weight_histograms
from nanotrigger.firmware.approximate import Approximation
from nanotrigger.firmware.audit import QuantizerAudit, audit, audit_quantizer
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.export import flat_of
from nanotrigger.firmware.file_export import FileExport
from nanotrigger.firmware.inputs import by_input
from nanotrigger.firmware.post_training import audit_types
from nanotrigger.firmware.record import Firmware, read_record
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.vectors import MAXIMUM_EVENTS
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Node
from nanotrigger.graph.onnx_file import load_model
from nanotrigger.graph.quantize import Quantize
from nanotrigger.networks.weights import LayerWeights, layer_weights, weight_formats
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import task_of
from nanotrigger.tasks.task import Task
from nanotrigger.training.checkpoint import TrainedNetwork
from nanotrigger.verilog.record import read_module

Array = NDArray[np.float64]


def compose_datasheet(
    export: Path,
    trained: TrainedNetwork,
    events: Events,
    outputs: Array,
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
        outputs: what the firmware computed for these events, before a softmax, shape (events, outputs).
        reports: what the firmware costs.
        checkpoint: file of `trained`, as the commands should name it.
        data: source of `events`, if it was given.
    """
    parity = json.loads((export / "parity.json").read_text(encoding="utf-8"))
    target = Target(**parity["target"])
    backend = backend_named(target.backend)
    firmware = read_record(export / backend.folder)
    graph = read_graph(export / "model.onnx") if trained.network.is_quantized else None
    flat = flat_of(trained.network, graph, target)
    weights = _weights_of(graph) if graph is not None and trained.network.is_own else layer_weights(trained.network)
    task = task_of(trained)
    found = task.performance(trained, events, outputs)
    figures = {} if found is None else task.illustrations(trained, events, outputs, source="Firmware, emulated")
    return Datasheet(
        experiment=firmware.name,
        task=task.title,
        performance=found,
        judged_by=JudgedBy(len(events.labels), events.description),
        firmware=firmware,
        nodes=_drawn(graph, None if flat is None else flat.tensors),
        features=_features(trained),
        outputs=task.output_names(trained, target.ending),
        meaning=task.meaning(trained, target.ending),
        parity=parity,
        reports=tuple(reports),
        audits=_audits_of_checkpoint(trained, firmware, graph, export, events),
        weights=weights,
        weight_figure=_weight_figure(weights),
        performance_figures=tuple(figures.values()),
        vectors=_vectors(parity),
        training=_training(trained, task),
        commands=rebuild_commands(checkpoint, target, data=data),
        versions=tool_versions(backend),
        module=read_module(export / "rtl"),
        provenance=read_provenance(export),
    )


def compose_file_datasheet(
    export: FileExport | Approximation,
    reports: Sequence[ResourceReport],
    *,
    data: str | None = None,
    number: FixedPoint | None = None,
) -> Datasheet:
    """Return the datasheet of the export of a QONNX file.

    Args:
        export: of the file.
        reports: what the firmware costs.
        data: source of the events, if it was given.
        number: format of the inputs, likewise.
    """
    backend = backend_named(export.target.backend)
    if isinstance(export, FileExport):
        weights = _weights_of(export.graph)
    else:
        weights = tuple(LayerWeights(name, values) for name, values in export.constants.items())
    return Datasheet(
        experiment=export.file.stem,
        task="network of a QONNX file",
        performance=export.judgement.performance,
        judged_by=JudgedBy(export.inputs.events, export.inputs.description),
        firmware=read_record(export.project),
        nodes=_drawn(export.graph, export.vectors) if isinstance(export, FileExport) else (),
        features=tuple(Feature(place, 0.0, 1.0) for name, shape in export.starts for place in _places(name, shape)),
        outputs=tuple(place for name, shape in export.ends for place in _places(name, shape)),
        meaning=f"what {export.file.name} computes",
        parity=export.judgement.parity,
        reports=tuple(reports),
        audits=_audits_of(export.graph, export.inputs.values[: export.inputs.events])
        if isinstance(export, FileExport)
        else (),
        weights=weights,
        weight_figure=_weight_figure(weights),
        performance_figures=(),
        vectors=_vectors(export.judgement.parity),
        training={"File": export.file.name, "SHA-256 of the file": export.judgement.parity["sha256"]["file"]},
        commands=file_commands(
            export.file, export.target, data=data, number=number, approximate=isinstance(export, Approximation)
        ),
        versions=tool_versions(backend),
        module=read_module(export.folder / "rtl"),
        provenance=read_provenance(export.folder),
    )


def _drawn(graph: Graph | None, vectors: Mapping[str, str] | None) -> tuple[Node, ...]:
    """Return the nodes that computed a tensor of the firmware, under its name; none of a float network."""
    if graph is None or vectors is None:
        return () if graph is None else graph.nodes
    nodes: dict[str, Node] = {}
    for node in graph.nodes:
        nodes.setdefault(vectors[node.output], node)
    return tuple(replace(node, output=vector) for vector, node in nodes.items())


def _audits_of_checkpoint(
    trained: TrainedNetwork, firmware: Firmware, graph: Graph | None, export: Path, events: Events
) -> tuple[QuantizerAudit, ...]:
    """Return what the formats of the firmware, or of the network, make of the events.

    What a network with quantizers computes or learned saturates as it did in its training, but for negative values.
    """
    if graph is None:
        return audit_types(trained.network, firmware, events.features)
    if trained.network.is_own:
        audits = _audits_of(graph, events.features)
    else:
        audits = audit(load_model(export / "model.onnx"), graph, events.features)
    learned = ("weight", "bias", "activation")
    return tuple(replace(one, trained=one.role in learned and not one.lacks_sign) for one in audits)


def _audits_of(graph: Graph, features: Array) -> tuple[QuantizerAudit, ...]:
    """Return what the quantizers of activations make of events, shape (events, values of all inputs)."""
    words = graph.words(by_input(graph, features))
    audits = []
    for node in graph.nodes:
        if isinstance(node, Quantize):
            values = graph.values(node.inputs[0], words[node.inputs[0]])
            arriving = np.maximum(values, 0) if node.relu else values
            audits.append(audit_quantizer(node.name, "activation", node.conversion.number, arriving))
    return tuple(audits)


def _weights_of(graph: Graph) -> tuple[LayerWeights, ...]:
    """Return the constants of all layers, as values."""
    layers = (node for node in graph.nodes if isinstance(node, Dense))
    values = ((node.name, node.weights.astype(np.float64) * node.weight_step) for node in layers)
    return tuple(LayerWeights(name, weights, own=weights) for name, weights in values)


def _places(name: str, shape: tuple[int, ...]) -> list[str]:
    """Name the values of a tensor, such as `image[0, 3, 2]`."""
    return [f"{name}{list(place)}" for place in np.ndindex(shape)]


def _features(trained: TrainedNetwork) -> tuple[Feature, ...]:
    scaling = trained.standardization
    columns = zip(trained.data["feature_names"], scaling.mean.tolist(), scaling.scale.tolist(), strict=True)
    return tuple(Feature(name, mean, scale) for name, mean, scale in columns)


def _weight_figure(weights: Sequence[LayerWeights]) -> Illustration | None:
    if not weights:
        return None
    return Illustration(
        weight_histograms({layer.name: layer.values for layer in weights}, weight_formats(weights)),
        "Weights of each layer by value. A weight that is zero needs no multiplier.",
        "Histograms of the weights, one panel a layer; the table below has their sparsity.",
    )


def _training(trained: TrainedNetwork, task: type[Task]) -> dict[str, str]:
    data = trained.data
    return {
        "Data": f"{data['description']}, {data[task.unit]:,} {task.unit_of(data)}",
        "SHA-256 of the data": data["sha256"],
        "Split": f"test {data['test']}, validation {data['validation']}, seed {data['split_seed']}",
        "Checkpoint": f"after epoch {trained.epoch}",
    }


def _vectors(parity: dict[str, Any]) -> int:
    inputs = parity["inputs"]
    return min(inputs["events"]["samples"], MAXIMUM_EVENTS) + int(inputs["extremes"]["samples"])
