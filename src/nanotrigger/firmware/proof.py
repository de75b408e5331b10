"""Proof: torch, QONNX, datapath and firmware, word for word against the integer graph on the same events."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from scipy import special

from nanotrigger.data.split import Events
from nanotrigger.evaluation.performance import Performance, described
from nanotrigger.files import sha256, sha256_of_folder, write_json
from nanotrigger.firmware.backends import Emulation, backend_named
from nanotrigger.firmware.record import RADIUS, Firmware
from nanotrigger.firmware.target import Target, input_format
from nanotrigger.firmware.vectors import MAXIMUM_EVENTS, extreme_inputs, write_vectors
from nanotrigger.firmware.witnesses import (
    EXACT_IN_FLOAT32,
    EXACT_IN_FLOAT64,
    Difference,
    datapath_nodes,
    datapath_outputs,
    differing_words,
    first_difference,
    graph_nodes,
    qonnx_nodes,
    qonnx_outputs,
    torch_graph,
    torch_nodes,
    torch_outputs,
)
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.onnx_file import load_model
from nanotrigger.networks import DenseNetwork
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import task_of
from nanotrigger.training.checkpoint import TrainedNetwork

Array = NDArray[np.float64]
EXTREME_SEED = 0


@dataclass(frozen=True, eq=False)
class Judgement:
    """What came of a comparison.

    Attributes:
        parity: the content of parity.json.
        difference: where the first difference lies, if there is one.
        outputs: of the firmware for the events, before a softmax or a sum of squares, shape (events, outputs).
        performance: how well the firmware does its task; None if its outputs do not tell.
    """

    parity: dict[str, Any]
    difference: Difference | None
    outputs: Array
    performance: Performance | None


def judge(
    trained: TrainedNetwork,
    events: Events,
    target: Target,
    firmware: Firmware,
    folder: Path,
    *,
    graph: Graph | None = None,
) -> Judgement:
    """Run every witness on all events; write emulation.json and tb_data/ into `folder`.

    Args:
        trained: network that was exported.
        events: on which it is judged, beside extreme inputs.
        target: how the firmware is built.
        firmware: record of its project.
        folder: with model.onnx and the project.
        graph: integer graph of model.onnx, if it was read already; a quantized network is compared with it.
    """
    backend = backend_named(target.backend)
    project = folder / backend.folder
    number = input_format(trained.network, target)
    extremes = extreme_inputs(number, trained.network.features, seed=EXTREME_SEED)
    inputs = np.concatenate([events.features, extremes])
    emulation = backend.emulate(project, inputs)
    outputs = _tapped_outputs(project, target, emulation, inputs, trained.network.output_name)
    figure = task_of(trained).performance(trained, events, outputs[: len(events.labels)])
    write_json(folder / "emulation.json", _emulation_record(emulation, events, figure))
    write_test_vectors(folder, target, (number, firmware.output_format), inputs, emulation.outputs, len(events.labels))
    record = {
        "samples": len(inputs),
        "words": int(outputs.size),
        "inputs": {
            "events": {"samples": len(events.labels), "description": events.description},
            "extremes": {"samples": len(extremes), "seed": EXTREME_SEED},
        },
        "compiler": emulation.compiler,
        "target": asdict(target),
        "sha256": {
            "checkpoint": trained.sha256,
            "data": events.sha256,
            "qonnx": sha256(folder / "model.onnx"),
            "firmware": sha256_of_folder(folder / backend.sources),
        },
    }
    if trained.network.formats:
        graph = graph or read_graph(folder / "model.onnx")
        proof, difference = _prove(trained.network, graph, inputs, outputs, firmware, folder, target)
    else:
        proof, difference = _agree(trained, events, outputs[: len(events.labels)]), None
    if target.softmax:
        proof["softmax"] = _softmax_record(outputs, emulation.outputs)
    if target.radius:
        wrong = np.flatnonzero(emulation.outputs[:, 0] != np.square(outputs).sum(axis=1))
        proof["radius"] = {"differing_words": len(wrong), "words": len(inputs)}
        proof["differing_words"] += len(wrong)
        if len(wrong) and difference is None:
            difference = Difference("firmware", int(wrong[0]), RADIUS)
            proof["first_difference"] = asdict(difference)
    return Judgement({**proof, **record}, difference, outputs[: len(events.labels)], figure)


def _prove(
    network: DenseNetwork,
    graph: Graph,
    inputs: Array,
    outputs: Array,
    firmware: Firmware,
    folder: Path,
    target: Target,
) -> tuple[dict[str, Any], Difference | None]:
    """Compare every witness with the integer graph, word for word."""
    model = load_model(folder / "model.onnx")
    expected = graph.run(inputs)
    by_qonnx = qonnx_outputs(model, inputs)
    largest = graph.largest_sum(inputs)  # float32 and float64 are exact up to it if they can hold it, in any order
    is_exact, torch_is_exact = largest <= EXACT_IN_FLOAT32, largest <= EXACT_IN_FLOAT64
    found = {
        "torch": torch_outputs(network, inputs) if torch_is_exact else torch_graph(network).run(inputs),
        **({"qonnx": by_qonnx} if is_exact else {}),
        "datapath": datapath_outputs(graph.unroll(), graph, inputs),
        "firmware": outputs,
    }
    differing = {witness: differing_words(expected, values) for witness, values in found.items()}
    record = {
        "differing_words": int(np.any([expected != values for values in found.values()], axis=0).sum()),
        "differing_words_of": differing,
        "torch_float64_is_exact": torch_is_exact,
        "qonnx_float32_is_exact": is_exact,
        "qonnx_float32_largest_deviation": float(np.abs(by_qonnx - expected).max()),
        "output_format": str(firmware.output_format),
        "first_difference": None,
    }
    for witness, values in found.items():
        if differing[witness]:
            event = int(np.argmax((expected != values).any(axis=1)))
            row = inputs[event : event + 1]
            if witness == "firmware":
                nodes = _firmware_nodes(graph, row, firmware, folder, target)
            else:
                nodes = _nodes_of(witness, network, graph, row, model)
            difference = first_difference(witness, event, graph_nodes(graph, row), nodes)
            return {**record, "first_difference": asdict(difference)}, difference
    return record, None


def _nodes_of(
    witness: str, network: DenseNetwork, graph: Graph, row: Array, model: onnx.ModelProto
) -> dict[str, Array]:
    """Return what a witness computes in every node for one event."""
    if witness == "torch" and graph.largest_sum(row) > EXACT_IN_FLOAT64:
        return graph_nodes(torch_graph(network), row)
    if witness == "torch":
        return torch_nodes(network, row)
    if witness == "qonnx":
        return qonnx_nodes(model, graph, row)
    return datapath_nodes(graph.unroll(), graph, row)


def _firmware_nodes(graph: Graph, row: Array, firmware: Firmware, folder: Path, target: Target) -> dict[str, Array]:
    """Return what the firmware computes in every node for one event; empty if it does not tell."""
    backend = backend_named(target.backend)
    if not backend.has_layer_outputs(firmware):
        return {}
    tensors = backend.layer_outputs(folder / backend.folder, row)
    return {node.name: tensors[node.output] for node in graph.nodes if node.output in tensors}


def _agree(trained: TrainedNetwork, events: Events, outputs: Array) -> dict[str, Any]:
    """Compare a float network with its firmware, which was quantized after training."""
    expected = torch_outputs(trained.network, events.features)
    task = task_of(trained)
    compared = {"torch": expected, "firmware": outputs}
    found = {name: task.performance(trained, events, values) for name, values in compared.items()}
    figures = {f"{figure.key}_{name}": figure.value for name, figure in found.items() if figure is not None}
    return {
        "differing_words": None,
        "remark": "post-training quantization: the firmware approximates the float network",
        **figures,
        **task.agreement(expected, outputs),
        "largest_deviation": float(np.abs(expected - outputs).max()),
    }


def _tapped_outputs(project: Path, target: Target, emulation: Emulation, inputs: Array, output_name: str) -> Array:
    """Return the firmware's outputs, tapped before the softmax or the sum of squares if there is one."""
    if not (target.softmax or target.radius):
        return emulation.outputs
    return backend_named(target.backend).layer_outputs(project, inputs)[output_name]


def _softmax_record(logits: Array, probabilities: Array) -> dict[str, float]:
    exact = special.softmax(logits, axis=1)
    return {
        "largest_deviation": float(np.abs(exact - probabilities).max()),
        "argmax_agreement": float((exact.argmax(axis=1) == probabilities.argmax(axis=1)).mean()),
    }


def _emulation_record(emulation: Emulation, events: Events, figure: Performance | None) -> dict[str, Any]:
    return {
        "compiler": emulation.compiler,
        "seconds_compile": round(emulation.seconds_compile, 3),
        "seconds_run": round(emulation.seconds_run, 3),
        "samples": len(emulation.outputs),
        "events": events.description,
        **described(figure),
    }


def write_test_vectors(
    folder: Path, target: Target, formats: tuple[FixedPoint, FixedPoint], inputs: Array, outputs: Array, events: int
) -> None:
    """Write the first events and all extremes as words, and for the project's own testbench."""
    rows = np.r_[: min(events, MAXIMUM_EVENTS), events : len(inputs)]
    words = tuple(kind.words(values[rows]) for kind, values in zip(formats, (inputs, outputs), strict=True))
    write_vectors(folder / "tb_data", *words, formats=formats)
    backend = backend_named(target.backend)
    backend.write_testbench(folder / backend.folder, *words, formats=formats)
