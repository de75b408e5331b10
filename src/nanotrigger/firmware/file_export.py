"""Export of a file: from a QONNX network that others made to firmware and the proof that they compute the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from nanotrigger.errors import InputError
from nanotrigger.files import sha256, whole_folder, write_json
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.built import built, unmet
from nanotrigger.firmware.comparison import Expected
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.inputs import Inputs, random_inputs, read_inputs
from nanotrigger.firmware.proof import Judgement, Project, prove, run_record, write_run
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.witnesses import qonnx_witness
from nanotrigger.graph.check_model import replace
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.normalize import normalized
from nanotrigger.graph.onnx_file import is_quantized, load_model
from nanotrigger.numbers import FixedPoint

_OF_CHECKPOINTS = ("softmax", "radius", "part", "precision")  # settings of a target


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
    flat = Flat(graph, target.io_type)
    inputs = random_inputs(graph, flat.number) if data is None else read_inputs(data, graph)
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
        project = Project(folder, target, firmware, flat.number, flat)
        emulation = project.emulate(inputs.values)
        write_run(project, inputs, emulation)
        expected = Expected(graph, inputs.values)
        qonnx = qonnx_witness(expected, _ending_in(normalized(model), graph.outputs), project.arriving(inputs.values))
        proof, difference = prove(project, expected, [qonnx], emulation.outputs)
        hashes = {"file": sha256(file), "data": inputs.sha256}
        record = run_record(project, inputs, emulation, expected.outputs.size, hashes)
        parity = {**proof, **record, "built": built(firmware), "remarks": list(remarks)}
        write_json(folder / "parity.json", parity)
    judgement = Judgement(parity, difference, emulation.outputs[: inputs.events], None)
    return FileExport(output, file, target, inputs, judgement, graph, flat.tensors, remarks)


def _ending_in(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """Return the model with the outputs that firmware has, in place: nothing behind them is computed."""
    known = {value.name: value for value in (*model.graph.value_info, *model.graph.output)}
    needed, kept = set(names), []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    replace(model.graph.node, kept[::-1])
    replace(model.graph.output, [known[name] for name in names])
    replace(model.graph.value_info, [value for value in model.graph.value_info if value.name in needed - set(names)])
    return model
