"""Export of a file: from a QONNX network that others made to firmware and the proof that they compute the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.firmware.approximate import Approximation, export_approximation
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.comparison import Difference, Expected
from nanotrigger.firmware.file_firmware import FileFirmware, write_firmware
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.inputs import accuracies, check_size, random_inputs, read_inputs, sides_of
from nanotrigger.firmware.proof import Project, prove
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.witnesses import qonnx_witness
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.normalize import ending_in, normalized
from nanotrigger.graph.onnx_file import is_quantized, load_model
from nanotrigger.numbers import FixedPoint

Array = NDArray[np.float64]

_OF_CHECKPOINTS = ("softmax", "radius", "part")  # settings of a target
_REMEDY = "; or give approximate=true, which says how far the firmware is from the file"

_NO_WITNESS = "qonnx is left out as a witness: it computes in float32, whose 24 bits are too few for"
_OTHERS = "datapath and firmware were compared"


@dataclass(frozen=True)
class FileExport(FileFirmware):
    """What was exported with a proof.

    Attributes:
        graph: the network as integers.
        vectors: names of the firmware's tensors that hold those of the graph, by the names of these.
    """

    graph: Graph
    vectors: Mapping[str, str]

    @property
    def starts(self) -> Sequence[tuple[str, tuple[int, ...]]]:
        """Names and shapes of the inputs."""
        return [(node.inputs[0], node.shape) for node in self.graph.inputs]

    @property
    def ends(self) -> Sequence[tuple[str, tuple[int, ...]]]:
        """Names and shapes of the outputs."""
        return [(name, self.graph.tensors[name].shape) for name in self.graph.outputs]


def export_file(
    file: Path,
    output: Path,
    *,
    target: Target,
    data: Path | None = None,
    input_format: FixedPoint | None = None,
    approximate: bool = False,
) -> FileExport | Approximation:
    """Write the firmware of a QONNX file into `output`, with the proof that it computes what the file says.

    The folder appears whole or stays as it was.

    Args:
        file: of whatever exporter.
        output: folder to write, or to replace if it holds an export.
        target: how the firmware is built.
        data: HDF5 or NumPy file with the inputs of events, `X` of shape (events, ...), and maybe their classes `y`; by
            default random and extreme ones, as many as give 10,000 words.
        input_format: of inputs that no quantizer reads first.
        approximate: whether a file of which there can be no proof is exported without one.

    Raises:
        NotExactError: a node cannot be computed exactly with integers.
        InputError: the file, the data, the target or the folder are not usable.
        FirmwareError: the generated sources do not compile, or the firmware aborts.
    """
    backend = backend_named(target.backend)
    backend.check(target)
    for name in _OF_CHECKPOINTS if approximate else (*_OF_CHECKPOINTS, "precision"):
        if getattr(target, name):
            raise InputError(f"{name}={getattr(target, name)}: is for checkpoints, not for files; leave it out")
    model = load_model(file)
    flat = _flat(file, model, input_format, target.io_type)
    if isinstance(flat, InputError):
        if approximate:
            return export_approximation(
                file, model, output, target=target, reason=str(flat), data=data, input_format=input_format
            )
        if isinstance(flat, NotExactError):
            raise NotExactError(flat.node, f"{flat.reason}{_REMEDY}")
        raise InputError(f"{file}: {flat}{_REMEDY}")
    graph, target = flat.graph, replace(target, precision=None)
    words, sides = flat.words, sides_of(graph)
    inputs = random_inputs(sides, words, within=flat.number) if data is None else read_inputs(data, sides, words)

    def judge(project: Project, outputs: Array) -> tuple[dict[str, Any], Difference | None]:
        expected = Expected(graph, inputs.values)
        qonnx = qonnx_witness(expected, ending_in(normalized(model), graph.outputs), project.arriving(inputs.values))
        proof, difference = prove(project, expected, [qonnx], outputs)
        remarks = [] if qonnx.is_exact else [f"{_NO_WITNESS} sums to {expected.largest_sum:.3g} steps; {_OTHERS}"]
        return {**proof, **accuracies(inputs, expected.outputs, outputs), "remarks": remarks}, difference

    result = write_firmware(
        file,
        model,
        output,
        target=target,
        write=flat.write,
        number=flat.number,
        formats=flat.exact,
        inputs=inputs,
        judge=judge,
        flat=flat,
        left_out=graph.left_out,
    )
    if approximate:
        needless = "approximate=true changes nothing: the file can be computed exactly"
        result = replace(result, remarks=(*result.remarks, needless))
    return FileExport(**vars(result), graph=graph, vectors=flat.tensors)


def _flat(file: Path, model: onnx.ModelProto, input_format: FixedPoint | None, io_type: str) -> Flat | InputError:
    """Return the vector layers that compute a file exactly, or why there are none.

    Raises:
        InputError: the file cannot be read at all.
    """
    if not is_quantized(model.graph):
        return InputError("no quantizers: nothing says in which integers it computes; train it with some")
    try:
        graph = read_graph(file, input_format=input_format)
    except NotExactError as error:
        return error
    check_size("nodes", len(graph.nodes))
    check_size("inputs", sum(node.size for node in graph.inputs))
    try:
        return Flat(graph, io_type)
    except InputError as error:
        return error
