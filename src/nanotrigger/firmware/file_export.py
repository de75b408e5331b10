"""Export of a file: from a QONNX network that others made to firmware and the proof that they compute the same."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from nanotrigger.data.hdf5 import data_set, opened
from nanotrigger.data.numpy_files import is_numpy, read_array
from nanotrigger.errors import InputError
from nanotrigger.files import sha256, sha256_of_folder, whole_folder, write_json
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.built import built, unmet
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.proof import EXTREME_SEED, Judgement, write_test_vectors
from nanotrigger.firmware.record import Firmware
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.vectors import extreme_inputs
from nanotrigger.firmware.witnesses import EXACT_IN_FLOAT32, Difference, differing_words, first_difference, graph_nodes
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.normalize import normalized
from nanotrigger.graph.onnx_file import is_quantized, load_model
from nanotrigger.numbers import FixedPoint

Array = NDArray[np.float64]

LEAST_WORDS = 10_000  # of output that are compared, if no events are given
_MOST = {"nodes": 500, "inputs": 1 << 16}  # of a network whose proof ends
_BY_QONNX = 64  # events that qonnx computes, one by one
_OF_CHECKPOINTS = ("softmax", "radius", "part", "precision")  # settings of a target


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the network is judged by.

    Attributes:
        values: shape (rows, values of all inputs of the network), events first.
        events: how many rows are events.
        description: which these are.
        sha256: of the file that they come from; None if they are random.
    """

    values: Array
    events: int
    description: str
    sha256: str | None = None


@dataclass(frozen=True)
class FileExport:
    """What was exported.

    Attributes:
        folder: holds model.onnx, hls4ml.onnx, the back end's project, parity.json and tb_data/.
        file: that was exported.
        target: how the firmware is built.
        inputs: on which it was judged.
        judgement: what came of comparing the witnesses.
        graph: the network as integers.
        vectors: names of the firmware's tensors that hold those of the graph, by the names of these.
        remarks: what the user should know, a line each.
    """

    folder: Path
    file: Path
    target: Target
    inputs: Inputs
    judgement: Judgement
    graph: Graph
    vectors: Mapping[str, str]
    remarks: tuple[str, ...]

    @property
    def project(self) -> Path:
        """Folder of the firmware."""
        return self.folder / backend_named(self.target.backend).folder


def export_file(
    file: Path, output: Path, *, target: Target, data: Path | None = None, input_format: FixedPoint | None = None
) -> FileExport:
    """Write the firmware of a QONNX file into `output`, with the proof that it computes what the file says.

    The folder appears whole or stays as it was.

    Args:
        file: of whatever exporter.
        output: folder to write, or to replace if it holds an export.
        target: how the firmware is built.
        data: HDF5 or NumPy file with the inputs of events, `X` of shape (events, ...); by default random and extreme
            ones, as many as give 10,000 words.
        input_format: of inputs that no quantizer reads first.

    Raises:
        NotExactError: a node cannot be computed exactly with integers.
        InputError: the file, the data, the target or the folder are not usable.
        FirmwareError: the generated sources do not compile, or the firmware aborts.
    """
    backend = backend_named(target.backend)
    backend.check(target)
    for name in _OF_CHECKPOINTS:
        if getattr(target, name):
            raise InputError(f"{name}={getattr(target, name)}: is for checkpoints, not for files; leave it out")
    model = load_model(file)
    if not is_quantized(model.graph):
        raise InputError(f"{file} has no quantizers: nothing says in which integers it computes; train it with some")
    graph = read_graph(file, input_format=input_format)
    _check_size(graph)
    flat = Flat(graph)
    inputs = _random_inputs(graph, flat.number) if data is None else _read_inputs(data, graph, flat.number)
    with whole_folder(output, marker="parity.json") as folder:
        onnx.save(model, folder / "model.onnx")
        flat.write(folder / "hls4ml.onnx")
        firmware = backend.convert(
            folder / "hls4ml.onnx",
            folder / backend.folder,
            target,
            name=backend.project_name(file.stem),
            input_format=flat.number,
            formats=flat.exact,
        )
        remarks = unmet(target, firmware, backend.possible_reuse_factors)
        remarks += tuple(f"node {name} is left out: the firmware ends before it" for name in graph.left_out)
        judgement = _judge(graph, flat, model, inputs, target, firmware, folder)
        hashes = {"file": sha256(file), "data": inputs.sha256, **judgement.parity["sha256"]}
        parity = {**judgement.parity, "sha256": hashes, "built": built(firmware), "remarks": list(remarks)}
        write_json(folder / "parity.json", parity)
    judgement = Judgement(parity, judgement.difference, judgement.outputs, None)
    return FileExport(output, file, target, inputs, judgement, graph, flat.tensors, remarks)


def _check_size(graph: Graph) -> None:
    """Check that firmware and proof of a network end; raises `InputError` if it is too large."""
    sizes = {"nodes": len(graph.nodes), "inputs": sum(node.size for node in graph.inputs)}
    for what, size in sizes.items():
        if size > (most := _MOST[what]):
            raise InputError(f"the network has {size:,} {what}, in firmware at most {most:,}; export a smaller network")


def _judge(
    graph: Graph, flat: Flat, model: onnx.ModelProto, inputs: Inputs, target: Target, firmware: Firmware, folder: Path
) -> Judgement:
    """Compare every witness with the integer graph, word for word; write emulation.json and tb_data/."""
    backend = backend_named(target.backend)
    project, features = folder / backend.folder, by_input(graph, inputs.values)
    words = graph.input_words(features)
    values = input_values(graph, words)
    emulation = backend.emulate(project, values)
    expected = _side_by_side(graph, graph.run_all(features))
    by_node = graph.unroll().evaluate_nodes(words)
    of_outputs = {node.output: graph.values(node.output, by_node[node.name]) for node in graph.nodes}
    found = {"datapath": _side_by_side(graph, of_outputs), "firmware": emulation.outputs}
    few = np.unique(np.linspace(0, len(words) - 1, _BY_QONNX).astype(int))
    is_exact = graph.largest_sum(by_input(graph, values[few])) <= EXACT_IN_FLOAT32
    by_qonnx = _qonnx_outputs(graph, model, values[few])
    differing = {witness: differing_words(expected, outputs) for witness, outputs in found.items()}
    if is_exact:
        differing = {"qonnx": differing_words(expected[few], by_qonnx), **differing}
    difference = None
    if differing.get("qonnx"):
        difference = Difference("qonnx", int(few[np.argmax((expected[few] != by_qonnx).any(axis=1))]), graph.outputs[0])
    for witness, outputs in found.items():
        if differing[witness] and difference is None:
            event = int(np.argmax((expected != outputs).any(axis=1)))
            row = {name: part[event : event + 1] for name, part in features.items()}
            nodes = _nodes_of(witness, graph, flat, row, firmware, project, target)
            wanted = {name: part.reshape(1, -1) for name, part in graph_nodes(graph, row).items()}
            difference = first_difference(witness, event, wanted, nodes)
    write_test_vectors(folder, target, (flat.number, firmware.output_format), values, emulation.outputs, inputs.events)
    seconds = {name: round(getattr(emulation, name), 3) for name in ("seconds_compile", "seconds_run")}
    write_json(
        folder / "emulation.json",
        {"compiler": emulation.compiler, **seconds, "samples": len(values), "events": inputs.description},
    )
    parity: dict[str, Any] = {
        "differing_words": int(np.any([expected != outputs for outputs in found.values()], axis=0).sum())
        + differing.get("qonnx", 0),
        "differing_words_of": differing,
        "qonnx_float32_is_exact": is_exact,
        "qonnx_float32_largest_deviation": float(np.abs(by_qonnx - expected[few]).max()),
        "qonnx_samples": len(few),
        "output_format": str(firmware.output_format),
        "first_difference": None if difference is None else asdict(difference),
        "samples": len(values),
        "words": int(expected.size),
        "inputs": {
            "events": {"samples": inputs.events, "description": inputs.description},
            "extremes": {"samples": len(values) - inputs.events, "seed": EXTREME_SEED},
        },
        "compiler": emulation.compiler,
        "target": asdict(target),
        "sha256": {
            "qonnx": sha256(folder / "model.onnx"),
            "firmware": sha256_of_folder(folder / backend.sources),
        },
    }
    return Judgement(parity, difference, emulation.outputs[: inputs.events], None)


def _nodes_of(
    witness: str,
    graph: Graph,
    flat: Flat,
    row: Mapping[str, Array],
    firmware: Firmware,
    project: Path,
    target: Target,
) -> dict[str, Array]:
    """Return what datapath or firmware computes in every node for one event, each of shape (1, size), by name."""
    words, backend = graph.input_words(row), backend_named(target.backend)
    if witness == "datapath":
        by_node = graph.unroll().evaluate_nodes(words)
        return {node.name: graph.values(node.output, by_node[node.name]).reshape(1, -1) for node in graph.nodes}
    if not backend.has_layer_outputs(firmware):
        return {}
    layers = backend.layer_outputs(project, input_values(graph, words))
    vectors = {node.name: flat.tensors[node.output] for node in graph.nodes}
    return {name: layers[vector] for name, vector in vectors.items() if vector in layers}


def _qonnx_outputs(graph: Graph, model: onnx.ModelProto, values: Array) -> Array:
    """Return what qonnx computes in float32, event by event, all outputs side by side."""
    wrapped, rows = ModelWrapper(normalized(model)), []
    names = [value.name for value in wrapped.graph.output]
    left_out = {node.output[0]: node.input[0] for node in wrapped.graph.node if node.name in graph.left_out}
    for row in range(len(values)):
        given = {name: part.astype(np.float32) for name, part in by_input(graph, values[row : row + 1]).items()}
        tensors = execute_onnx(wrapped, given, return_full_exec_context=bool(left_out))
        rows.append(np.concatenate([tensors[left_out.get(name, name)].ravel() for name in names]))
    return np.array(rows, np.float64)


def by_input(graph: Graph, values: Array) -> dict[str, Array]:
    """Return the features of each input, shape (rows, *shape), by its name in the file."""
    ends = np.cumsum([node.size for node in graph.inputs])[:-1]
    parts = np.split(values, ends, axis=1)
    return {
        node.inputs[0]: part.reshape(len(values), *node.shape) for node, part in zip(graph.inputs, parts, strict=True)
    }


def input_values(graph: Graph, words: NDArray[Any]) -> Array:
    """Return what input words are worth, shape (rows, values of all inputs)."""
    return np.asarray(words * np.concatenate([np.full(node.size, node.number.step) for node in graph.inputs]))


def _side_by_side(graph: Graph, outputs: Mapping[str, Array]) -> Array:
    """Return all outputs of the network, shape (rows, values)."""
    return np.concatenate([outputs[name].reshape(len(outputs[name]), -1) for name in graph.outputs], axis=1)


def _extremes(graph: Graph, rows: int) -> Array:
    """Return extreme values of all inputs, each for its own format."""
    parts = [extreme_inputs(node.number, node.size, rows=rows, seed=EXTREME_SEED) for node in graph.inputs]
    least = min(len(part) for part in parts)
    return np.concatenate([part[len(part) - least :] for part in parts], axis=1)


def _random_inputs(graph: Graph, number: FixedPoint) -> Inputs:
    """Return random values within the formats, then extreme ones."""
    words = sum(graph.tensors[name].size for name in graph.outputs)
    extremes = _extremes(graph, 1024)
    events = max(math.ceil(LEAST_WORDS / words) - len(extremes), 1024)
    generator = np.random.default_rng(EXTREME_SEED)
    parts = [generator.uniform(node.number.minimum, node.number.maximum, (events, node.size)) for node in graph.inputs]
    drawn = np.concatenate(parts, axis=1).astype(np.float32).astype(np.float64)
    description = f"{events:,} random inputs, uniform within {number}, seed {EXTREME_SEED}"
    return Inputs(np.concatenate([drawn, extremes]), events, description)


def _read_inputs(file: Path, graph: Graph, number: FixedPoint) -> Inputs:
    """Return the events of a file, then extreme values."""
    if not file.is_file():
        raise InputError(f"data={file}: no such file; give one with the network's inputs")
    if is_numpy(file):
        values = np.asarray(read_array(file, "X"))
    else:
        with opened(file, layout="X (events, ...)") as content:
            values = np.asarray(data_set(content, "X")[:])
    size = sum(node.size for node in graph.inputs)
    if values.ndim < 2 or not len(values) or math.prod(values.shape[1:]) != size or values.dtype.kind not in "fiu":
        shapes = " and ".join(str(("events", *node.shape)).replace("'", "") for node in graph.inputs)
        raise InputError(f"data={file}: X has shape {values.shape} of {values.dtype}; the network reads {shapes}")
    with np.errstate(over="ignore"):  # infinite, which is refused
        values = values.reshape(len(values), -1).astype(np.float32).astype(np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        raise InputError(f"data={file}: X[{wrong[0][0]}] has {values[tuple(wrong[0])]}; clean the data")
    description = f"{file.name}, all {len(values):,}"
    return Inputs(np.concatenate([values, _extremes(graph, 1024)]), len(values), description, sha256(file))
