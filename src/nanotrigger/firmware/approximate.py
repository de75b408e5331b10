"""Approximate: firmware of a file that integers cannot compute exactly, and how far it is from the file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from qonnx.custom_op.general.intquant import int_quant

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.effort import most_events
from nanotrigger.firmware.file_firmware import FileFirmware, write_firmware
from nanotrigger.firmware.inputs import Side, accuracies, accuracy_of_classes, check_size, random_inputs, read_inputs
from nanotrigger.firmware.proof import Project
from nanotrigger.firmware.target import Target, precision_format
from nanotrigger.firmware.witnesses import qonnx_rows
from nanotrigger.graph.evaluate import attributes_of
from nanotrigger.graph.normalize import ending_in, normalized, shape_of
from nanotrigger.graph.onnx_file import input_quantizer_format, is_quantized, node_format
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import WIDEST, modes, without_modes
from nanotrigger.tasks.jets.measures import same_class

Array = NDArray[np.float64]

_FLOAT, _OPEN = "fixed<16,6>", "fixed<32,12>"  # precision of a float file; of what has no format in a quantized one
_ROUNDED = 0.01  # by which float32 may differ in a batch, as a share of the largest output
_FINE = 24  # bits of outputs above which a number of steps tells nothing
_WIDTH = 16  # of inputs whose quantizer is no format of firmware


@dataclass(frozen=True)
class Approximation(FileFirmware):
    """What was exported without a claim that it is equal.

    Attributes:
        starts: name and shape of the input, without the batch.
        ends: likewise of the output.
        constants: what layers multiply with, each of shape (inputs, outputs), by the names of the layers.
    """

    starts: Sequence[tuple[str, tuple[int, ...]]]
    ends: Sequence[tuple[str, tuple[int, ...]]]
    constants: Mapping[str, Array]

    @property
    def refusal(self) -> str:
        """Why nothing can be counted or written as Verilog."""
        return "approximate=true: there are no integers to be counted, or written as Verilog"


def export_approximation(
    file: Path,
    model: onnx.ModelProto,
    output: Path,
    *,
    target: Target,
    reason: str,
    data: Path | None = None,
    input_format: FixedPoint | None = None,
) -> Approximation:
    """Write the firmware of a file as the back end converts it, and how far it is from what qonnx computes.

    Args:
        file: of whatever exporter.
        model: its content.
        output: folder to write, or to replace if it holds an export.
        target: how the firmware is built.
        reason: why the file cannot be computed exactly.
        data: file with the inputs of events, `X`, and maybe their classes, `y`; by default random inputs.
        input_format: of the inputs; by default that of their quantizer, or the precision of a float file.

    Raises:
        InputError: the back end cannot convert a node, or as of `export_file`.
        FirmwareError: the generated sources do not compile, or the firmware aborts.
    """
    original = normalized(model)
    ends = len(original.graph.input), len(original.graph.output)
    if ends != (1, 1):
        raise InputError(f"{file} has {ends[0]} inputs and {ends[1]} outputs; approximate=true is for one of each")
    quantized, asked = is_quantized(original.graph), target.precision
    precision = asked or (_OPEN if quantized else _FLOAT)
    left_out = _cut(original)
    number = input_format or _input_format(original.graph, "" if quantized else precision)
    (start, shape), (end, last) = (_end(value) for value in (original.graph.input[0], original.graph.output[0]))
    check_size("nodes", len(original.graph.node))
    check_size("inputs", math.prod(shape))
    most = most_events(original.graph)
    network = onnx.ModelProto()
    network.CopyFrom(original)
    network = backend_named(target.backend).prepare(network)
    sides = (Side(number, shape),)
    if data is None:
        words = math.prod(last)
        inputs = random_inputs(sides, words, within=number, extreme=False, normal=not quantized, most=most)
    else:
        inputs = read_inputs(data, sides, math.prod(last), extreme=False, most=most)
    features = {start: inputs.values.reshape(len(inputs.values), *shape)}
    try:
        rows, reference, reach = qonnx_rows(original, features, tolerance=_ROUNDED)
    except Exception as error:  # onnxruntime raises exceptions of its own
        reason_of = " ".join(str(error).split())[:300]
        raise InputError(
            f"{file}: qonnx cannot compute it, so nothing says what firmware should ({reason_of})"
        ) from error
    wider = _reaching(precision, reach)
    remarks = [f"approximate: {reason}"]
    if wider != precision:
        remarks.append(f"precision={precision}: values reach {reach:.3g}, which {wider} holds")
        remarks[-1] += "; give precision=" + wider if asked else ", and which is taken"
    precision = asked or wider
    if not quantized and input_format is None:
        number = precision_format(precision)

    def judge(project: Project, outputs: Array) -> tuple[dict[str, Any], None]:
        found, output_format = outputs[rows], project.firmware.output_format
        figure = accuracy_of_classes(inputs, outputs)
        return {
            "differing_words": None,
            "remark": "approximate: the firmware need not compute what the file says",
            "reason": reason,
            **distances(reference, found, output_format),
            **({} if figure is None else same_class(reference, found)),
            **accuracies(inputs.of(rows), reference, found),
            "output_format": str(output_format),
        }, None

    result = write_firmware(
        file,
        model,
        output,
        target=replace(target, precision=precision),
        write=lambda path: onnx.save(network, path),
        number=number,
        formats={},
        inputs=inputs,
        judge=judge,
        remarks=remarks,
        left_out=left_out,
    )
    return Approximation(**vars(result), starts=[(start, shape)], ends=[(end, last)], constants=constants_of(network))


def distances(reference: Array, outputs: Array, number: FixedPoint) -> dict[str, Any]:
    """Return how far outputs are from what they approximate.

    Args:
        reference: in floating point, shape (events, outputs).
        outputs: of the firmware, likewise.
        number: their format, in whose steps distances are counted, from the word nearest to the reference.

    >>> found = distances(np.array([[0.5, 1.1]]), np.array([[0.5, 2.0]]), FixedPoint(8, 6))
    >>> found["largest_distance"], found["mean_distance"], found["equal_words"]
    (4.0, 2.0, 0.5)
    """
    steps = np.abs(np.rint(reference / number.step) - np.rint(outputs / number.step))
    return {
        "reference": "qonnx, float32",
        "compared_samples": len(outputs),
        "largest_distance": float(steps.max()),
        "mean_distance": float(steps.mean()),
        "equal_words": float((steps == 0).mean()),
        "largest_deviation": float(np.abs(reference - outputs).max()),
    }


def distance_in_words(parity: Mapping[str, Any]) -> str:
    """Return what parity.json says of the distance, in a line; also in the outputs' units, if steps are very fine."""
    number = FixedPoint.parse(without_modes(parity["output_format"]))
    values = [parity[name] * number.step for name in ("largest_distance", "mean_distance")]
    units = f" ({values[0]:.3g}, mean {values[1]:.3g} in the outputs' units)" if number.width > _FINE else ""
    return (
        f"at most {parity['largest_distance']:,.0f} steps of {parity['output_format']}, mean "
        f"{parity['mean_distance']:.3g}{units}; {100 * parity['equal_words']:.2f} % of the words are equal, "
        f"{parity['compared_samples']:,} events; largest deviation {parity['largest_deviation']:.3g}"
    )


def constants_of(network: onnx.ModelProto) -> dict[str, Array]:
    """Return what the layers of a network multiply with, each of shape (inputs, outputs), by their names."""
    constants = {constant.name: numpy_helper.to_array(constant) for constant in network.graph.initializer}
    for node in network.graph.node:
        if node.op_type == "Quant" and node.input[0] in constants:
            modes = (attributes_of(node).get(name) for name in ("signed", "narrow", "rounding_mode"))
            constants[node.output[0]] = int_quant(*(constants[name] for name in node.input), *modes)
    found: dict[str, Array] = {}
    for node in network.graph.node:
        if node.op_type in ("MatMul", "Conv") and node.input[1] in constants:
            values = np.asarray(constants[node.input[1]], np.float64)
            found[node.name] = (
                values.reshape(len(values), -1).T if node.op_type == "Conv" else values.reshape(-1, values.shape[-1])
            )
    return found


def _reaching(precision: str, reach: float) -> str:
    """Return a precision with as many integer bits as values need, and the same step.

    >>> _reaching("fixed<16,6>", 31.9), _reaching("fixed<16,6,RND,SAT>", 32.0)
    ('fixed<16,6>', 'fixed<17,7,RND,SAT>')
    """
    number = precision_format(precision)
    more = math.frexp(reach)[1] + number.signed - number.integer
    if more <= 0:
        return precision
    width = min(number.width + more, WIDEST)
    stated = "".join(f",{mode}" for mode in modes(precision))
    return f"{str(FixedPoint(width, number.integer + more, number.signed))[:-1]}{stated}>"


def _end(value: onnx.ValueInfoProto) -> tuple[str, tuple[int, ...]]:
    """Return name and shape of an input or an output, without the batch."""
    return value.name, tuple(axis or 1 for axis in (shape_of(value) or ())[1:])


def _cut(model: onnx.ModelProto) -> list[str]:
    """End a model before the softmax behind its output, in place; return the softmax' name."""
    output = model.graph.output[0].name
    last = next((node for node in model.graph.node if output in node.output), None)
    if last is None or last.op_type != "Softmax" or any(output in node.input for node in model.graph.node):
        return []
    ending_in(model, [last.input[0]])
    return [last.name]


def _input_format(graph: onnx.GraphProto, precision: str) -> FixedPoint:
    """Return the precision of a float network, or the format of the quantizer that reads the input.

    If firmware has no such format, it is one of 16 bits with the quantizer's range.
    """
    if precision:
        return precision_format(precision)
    node = next((node for node in graph.node if graph.input[0].name in node.input), None)
    if node is None or node.op_type != "Quant":
        return input_quantizer_format(graph)
    try:
        return node_format(graph, node)
    except InputError:
        constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
        scale, zero, bits = (float(np.abs(constants[name]).max()) for name in node.input[1:4])
        signed = bool(attributes_of(node).get("signed", 1))
        reach = math.frexp(scale * (2.0 ** (bits - signed) + zero))[1]
        return FixedPoint(_WIDTH, reach + 1)
