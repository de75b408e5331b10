"""Proof: torch, QONNX, datapath and firmware, word for word against the integer graph on the same events."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from nanotrigger.data.judged_events import Events
from nanotrigger.evaluation.performance import Performance, described
from nanotrigger.files import sha256, sha256_of_folder, write_json
from nanotrigger.firmware.backends.oneapi.emulate import Emulation, emulate
from nanotrigger.firmware.backends.oneapi.radius import LAYER as RADIUS
from nanotrigger.firmware.backends.oneapi.taps import layer_outputs
from nanotrigger.firmware.record import Firmware
from nanotrigger.firmware.target import Target, input_format
from nanotrigger.firmware.vectors import MAXIMUM_EVENTS, extreme_inputs, write_testbench, write_vectors
from nanotrigger.firmware.witnesses import (
    Difference,
    datapath_nodes,
    datapath_outputs,
    differing_words,
    first_difference,
    graph_nodes,
    is_exact_in_float32,
    qonnx_nodes,
    qonnx_outputs,
    torch_nodes,
    torch_outputs,
)
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.onnx_file import load_model
from nanotrigger.networks import DenseNetwork
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import without_modes
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


def judge(trained: TrainedNetwork, events: Events, target: Target, firmware: Firmware, folder: Path) -> Judgement:
    """Run network, QONNX and firmware on all events; write emulation.json and tb_data/ into `folder`."""
    number = input_format(trained.network, target)
    extremes = extreme_inputs(number, trained.network.features, seed=EXTREME_SEED)
    inputs = np.concatenate([events.features, extremes])
    emulation = emulate(folder / "hls", inputs)
    logits = _firmware_logits(folder / "hls", firmware, target, emulation, inputs, trained.network.output_name)
    figure = task_of(trained).performance(trained, events, logits[: len(events.labels)])
    write_json(folder / "emulation.json", _emulation_record(emulation, events, figure))
    _write_vectors(folder, firmware, number, inputs, emulation.outputs, len(events.labels))
    record = {
        "samples": len(inputs),
        "words": int(logits.size),
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
            "firmware": sha256_of_folder(folder / "hls" / "src" / "firmware"),
        },
    }
    if trained.network.formats:
        proof, difference = _prove(trained, inputs, logits, firmware, folder)
    else:
        proof, difference = _agree(trained, events, logits[: len(events.labels)]), None
    if target.softmax:
        proof["softmax"] = _softmax_record(logits, emulation.outputs)
    if target.radius:
        wrong = np.flatnonzero(emulation.outputs[:, 0] != np.square(logits).sum(axis=1))
        proof["radius"] = {"differing_words": len(wrong), "words": len(inputs)}
        proof["differing_words"] += len(wrong)
        if len(wrong) and difference is None:
            difference = Difference("firmware", int(wrong[0]), RADIUS)
            proof["first_difference"] = asdict(difference)
    return Judgement({**proof, **record}, difference, logits[: len(events.labels)], figure)


def _prove(
    trained: TrainedNetwork, inputs: Array, outputs: Array, firmware: Firmware, folder: Path
) -> tuple[dict[str, Any], Difference | None]:
    """Compare every witness with the integer graph, word for word."""
    model = load_model(folder / "model.onnx")
    graph = read_graph(folder / "model.onnx")
    expected = graph.run(inputs)
    by_qonnx = qonnx_outputs(model, inputs)
    is_exact = is_exact_in_float32(graph, inputs)
    found = {
        "torch": torch_outputs(trained.network, inputs),
        **({"qonnx": by_qonnx} if is_exact else {}),
        "datapath": datapath_outputs(graph.unroll(), graph, inputs),
        "firmware": outputs,
    }
    differing = {witness: differing_words(expected, values) for witness, values in found.items()}
    record = {
        "differing_words": int(np.any([expected != values for values in found.values()], axis=0).sum()),
        "differing_words_of": differing,
        "qonnx_float32_is_exact": is_exact,
        "qonnx_float32_largest_deviation": float(np.abs(by_qonnx - expected).max()),
        "output_format": str(_output_format(firmware)),
        "first_difference": None,
    }
    for witness, values in found.items():
        if differing[witness]:
            event = int(np.argmax((expected != values).any(axis=1)))
            found_nodes = _nodes_of(witness, trained.network, graph, inputs[event : event + 1], firmware, folder)
            nodes = graph_nodes(graph, inputs[event : event + 1])
            difference = first_difference(witness, event, nodes, found_nodes)
            return {**record, "first_difference": asdict(difference)}, difference
    return record, None


def _nodes_of(
    witness: str, network: DenseNetwork, graph: Graph, row: Array, firmware: Firmware, folder: Path
) -> dict[str, Array]:
    """Return what a witness computes in every node for one event, as far as it tells."""
    if witness == "torch":
        return torch_nodes(network, row)
    if witness == "qonnx":
        return qonnx_nodes(load_model(folder / "model.onnx"), graph, row)
    if witness == "datapath":
        return datapath_nodes(graph.unroll(), graph, row)
    if firmware.io_type != "io_parallel":
        return {}
    taps = layer_outputs(folder / "hls", row)
    tensors = {layer.tensor: taps[layer.name] for layer in firmware.layers if layer.name in taps}
    return {node.name: tensors[node.output] for node in graph.nodes if node.output in tensors}


def _agree(trained: TrainedNetwork, events: Events, logits: Array) -> dict[str, Any]:
    """Compare a float network with its firmware, which was quantized after training."""
    expected = torch_outputs(trained.network, events.features)
    task = task_of(trained)
    outputs = {"torch": expected, "firmware": logits}
    found = {name: task.performance(trained, events, values) for name, values in outputs.items()}
    figures = {f"{figure.key}_{name}": figure.value for name, figure in found.items() if figure is not None}
    return {
        "differing_words": None,
        "remark": "post-training quantization: the firmware approximates the float network",
        **figures,
        **task.agreement(expected, logits),
        "largest_deviation": float(np.abs(expected - logits).max()),
    }


def _firmware_logits(
    project: Path, firmware: Firmware, target: Target, emulation: Emulation, inputs: Array, output_name: str
) -> Array:
    """Return the firmware's outputs, tapped before the softmax or the sum of squares if there is one."""
    if not (target.softmax or target.radius):
        return emulation.outputs
    name = next(layer.name for layer in firmware.layers if layer.tensor == output_name)
    return layer_outputs(project, inputs)[name]


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


def _write_vectors(
    folder: Path, firmware: Firmware, number: FixedPoint, inputs: Array, outputs: Array, events: int
) -> None:
    """Write the first events and all extremes as words, and as values for hls4ml's own testbench."""
    rows = np.r_[: min(events, MAXIMUM_EVENTS), events : len(inputs)]
    formats = (number, _output_format(firmware))
    words = tuple(kind.words(values[rows]) for kind, values in zip(formats, (inputs, outputs), strict=True))
    write_vectors(folder / "tb_data", *words, formats=formats)
    write_testbench(folder / "hls" / "tb_data", *words, formats=formats)


def _output_format(firmware: Firmware) -> FixedPoint:
    """Return the format of the firmware's outputs."""
    return FixedPoint.parse(without_modes(firmware.layers[-1].types["result"]))
