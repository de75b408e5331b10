"""Proof: firmware is run on events, and every witness is compared with the integer graph on the same ones."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from nanotrigger.data.split import Events
from nanotrigger.evaluation.performance import Performance, described
from nanotrigger.files import sha256, sha256_of_folder, write_json
from nanotrigger.firmware.backends import Backend, Emulation, backend_named
from nanotrigger.firmware.comparison import Difference, Expected, Witness, compare
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.inputs import EXTREME_SEED, Inputs, by_input, input_values
from nanotrigger.firmware.record import RADIUS, Firmware
from nanotrigger.firmware.target import Target, input_format
from nanotrigger.firmware.vectors import MAXIMUM_EVENTS, extreme_inputs, write_vectors
from nanotrigger.firmware.witnesses import datapath_witness, qonnx_witness, torch_outputs, torch_witness
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.onnx_file import load_model
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import task_of
from nanotrigger.training.checkpoint import TrainedNetwork

Array = NDArray[np.float64]


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


@dataclass(frozen=True, eq=False)
class Project:
    """The firmware of an export.

    Attributes:
        folder: of the export, with model.onnx and the back end's project.
        target: how the firmware is built.
        firmware: record of the project.
        number: format of its inputs.
        flat: of which it was made; None if it was made of model.onnx, whose tensors it has.
    """

    folder: Path
    target: Target
    firmware: Firmware
    number: FixedPoint
    flat: Flat | None = None

    @property
    def backend(self) -> Backend:
        """What wrote it."""
        return backend_named(self.target.backend)

    def arriving(self, inputs: Array) -> Array:
        """Return what it reads: the inputs, or the words of a flat network, which quantizes none."""
        if self.flat is None:
            return inputs
        graph = self.flat.graph
        return input_values(graph, graph.input_words(by_input(graph, inputs)))

    def emulate(self, inputs: Array) -> Emulation:
        """Run it on inputs of shape (rows, values of all inputs)."""
        return self.backend.emulate(self.folder / self.backend.folder, self.arriving(inputs))

    def tensors(self, inputs: Array) -> dict[str, Array]:
        """Return what its layers compute, each of shape (rows, values), by the tensors of model.onnx."""
        layers = self.backend.layer_outputs(self.folder / self.backend.folder, self.arriving(inputs))
        if self.flat is None:
            return layers
        vectors = self.flat.vectors.items()
        return {name: layers[vector.name][:, vector.order] for name, vector in vectors if vector.name in layers}

    def nodes(self, graph: Graph, inputs: Array) -> dict[str, Array]:
        """Return what it computes in the nodes of the graph, by their names; nothing if it does not tell."""
        tensors = self.tensors(inputs) if self.backend.has_layer_outputs(self.firmware) else {}
        return {node.name: tensors[node.output] for node in graph.nodes if node.output in tensors}


def judge(
    trained: TrainedNetwork,
    events: Events,
    target: Target,
    firmware: Firmware,
    folder: Path,
    *,
    graph: Graph | None = None,
    flat: Flat | None = None,
) -> Judgement:
    """Run every witness on all events; write emulation.json and tb_data/ into `folder`.

    Args:
        trained: network that was exported.
        events: on which it is judged, beside extreme inputs.
        target: how the firmware is built.
        firmware: record of its project.
        folder: with model.onnx and the project.
        graph: integer graph of model.onnx, if it was read already; a quantized network is compared with it.
        flat: of the graph, if the firmware was made of it.
    """
    if trained.network.is_quantized:
        graph = graph or read_graph(folder / "model.onnx")
    number = input_format(trained.network, target) if graph is None else graph.inputs[0].number
    project = Project(folder, target, firmware, number if flat is None else flat.number, flat)
    extremes = extreme_inputs(number, trained.network.features, seed=EXTREME_SEED)
    values = np.concatenate([events.features.reshape(len(events.labels), -1), extremes])
    inputs = Inputs(values, len(events.labels), events.description, events.sha256)
    emulation = project.emulate(inputs.values)
    outputs = emulation.outputs
    if target.softmax or target.radius:
        outputs = project.tensors(inputs.values)[trained.network.output_name]
    figure = task_of(trained).performance(trained, events, outputs[: inputs.events])
    write_run(project, inputs, emulation, figure)
    if graph is not None:
        expected = Expected(graph, inputs.values)
        model = load_model(folder / "model.onnx")
        others = [torch_witness(expected, trained.network), qonnx_witness(expected, model, inputs.values)]
        proof, difference = prove(project, expected, others, outputs)
    else:
        proof, difference = _agree(trained, events, outputs[: inputs.events]), None
    if target.softmax:
        proof["softmax"] = _softmax_record(outputs, emulation.outputs)
    if target.radius:
        wrong = np.flatnonzero(emulation.outputs[:, 0] != np.square(outputs).sum(axis=1))
        proof["radius"] = {"differing_words": len(wrong), "words": len(outputs)}
        proof["differing_words"] += len(wrong)
        if len(wrong) and difference is None:
            difference = Difference("firmware", int(wrong[0]), RADIUS)
            proof["first_difference"] = asdict(difference)
    hashes = {"checkpoint": trained.sha256, "data": events.sha256}
    parity = {**proof, **run_record(project, inputs, emulation, outputs.size, hashes)}
    return Judgement(parity, difference, outputs[: inputs.events], figure)


def prove(
    project: Project, expected: Expected, others: Sequence[Witness], outputs: Array
) -> tuple[dict[str, Any], Difference | None]:
    """Compare all witnesses with the integer graph, word for word.

    Args:
        project: the firmware.
        expected: what it must compute.
        others: witnesses beside datapath and firmware.
        outputs: of the firmware, shape (rows, words).

    Returns:
        the record for parity.json, and the first difference, if there is one.
    """
    firmware = Witness(
        "firmware",
        outputs,
        lambda row: project.nodes(expected.graph, row),
        facts={"output_format": str(project.firmware.output_format)},
    )
    return compare(expected, [*others, datapath_witness(expected, project.target), firmware])


def run_record(
    project: Project, inputs: Inputs, emulation: Emulation, words: int, hashes: Mapping[str, str | None]
) -> dict[str, Any]:
    """Return what parity.json says of a run, whatever came of it: of so many output words, and hashes of its source."""
    return {
        "samples": len(inputs.values),
        "words": int(words),
        "inputs": inputs.record,
        "compiler": emulation.compiler,
        "target": asdict(project.target),
        "sha256": {
            **hashes,
            "qonnx": sha256(project.folder / "model.onnx"),
            "firmware": sha256_of_folder(project.folder / project.backend.sources),
        },
    }


def write_run(project: Project, inputs: Inputs, emulation: Emulation, figure: Performance | None = None) -> None:
    """Write emulation.json, and the first events and all extremes as words, also for the project's own testbench."""
    write_json(
        project.folder / "emulation.json",
        {
            "compiler": emulation.compiler,
            "seconds_compile": round(emulation.seconds_compile, 3),
            "seconds_run": round(emulation.seconds_run, 3),
            "samples": len(emulation.outputs),
            "events": inputs.description,
            **described(figure),
        },
    )
    rows = np.r_[: min(inputs.events, MAXIMUM_EVENTS), inputs.events : len(inputs.values)]
    formats = project.number, project.firmware.output_format
    arriving = project.arriving(inputs.values[rows])
    words = formats[0].words(arriving), formats[1].words(emulation.outputs[rows])
    write_vectors(project.folder / "tb_data", *words, formats=formats)
    project.backend.write_testbench(project.folder / project.backend.folder, *words, formats=formats)


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


def _softmax_record(logits: Array, probabilities: Array) -> dict[str, float]:
    exact = special.softmax(logits, axis=1)
    return {
        "largest_deviation": float(np.abs(exact - probabilities).max()),
        "argmax_agreement": float((exact.argmax(axis=1) == probabilities.argmax(axis=1)).mean()),
    }
