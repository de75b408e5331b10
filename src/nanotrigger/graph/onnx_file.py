"""ONNX files of whatever origin, and their Quant nodes, read as and written from a FixedPoint."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import checker, external_data_helper, helper, numpy_helper

from nanotrigger.errors import InputError
from nanotrigger.graph.evaluate import QUANTIZERS
from nanotrigger.numbers import FixedPoint

MOST_BYTES = 1 << 28
_ROUNDINGS: dict[str, Literal["nearest", "down"]] = {"ROUND": "nearest", "FLOOR": "down"}  # QONNX' name of each


def load_model(path: Path) -> onnx.ModelProto:
    """Return the model in a file, with constants that lie in files beside it.

    Raises:
        InputError: the file is missing, damaged, larger than 256 MB, or has constants in other folders, which would be
            read from wherever it says.
    """
    if path.is_dir():
        raise InputError(f"{path}: a folder; give a QONNX file")
    if not path.is_file():
        raise InputError(f"{path}: no such QONNX file; export the network first")
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path}: larger than {MOST_BYTES >> 20} MB; only small networks can be read")
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError:
        raise InputError(f"{path}: damaged, or no ONNX file; export the network again") from None
    if not model.graph.node:
        raise InputError(f"{path}: no network, or no ONNX file; export the network again")
    outside = [tensor for tensor in _tensors(model.graph) if tensor.external_data or tensor.data_location]
    if sum(_bytes(tensor, path) for tensor in outside) > MOST_BYTES:
        raise InputError(f"{path}: its constants take more than {MOST_BYTES >> 20} MB; only small networks can be read")
    for tensor in outside:
        _load_outside(tensor, path)
    return model


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield all constants of a graph, those of single nodes included."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors)


def _bytes(tensor: onnx.TensorProto, path: Path) -> int:
    """Return how many bytes a constant has by its type and shape."""
    try:
        size = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, TypeError):
        size = 0
    if not size or min(tensor.dims, default=1) < 0:
        raise InputError(f"{path}: the constant {tensor.name!r} has no type or shape; export the network again")
    return size * math.prod(tensor.dims)


def _load_outside(tensor: onnx.TensorProto, path: Path) -> None:
    """Read a constant from a file beside the model's, in place: as many bytes as it has."""
    where = {entry.key: entry.value for entry in tensor.external_data}
    name = where.get("location", "")
    file = path.parent / name
    if not name or name != Path(name).name or "\\" in name or file.is_symlink():
        raise InputError(f"{path}: the constant {tensor.name!r} lies in another file; save the model in one file")
    if not file.is_file():
        raise InputError(f"{path}: no file {name} beside it, which holds the constant {tensor.name!r}; put it there")
    length = str(_bytes(tensor, path))
    if "length" not in where:
        tensor.external_data.add(key="length", value=length)
    elif where["length"] != length:
        raise InputError(f"{file}: does not hold the constant {tensor.name!r} ({where['length']} bytes, not {length})")
    try:
        external_data_helper.load_external_data_for_tensor(tensor, str(path.parent))
        tensor.ClearField("data_location")
        tensor.ClearField("external_data")
        numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OSError, RuntimeError, checker.ValidationError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file}: does not hold the constant {tensor.name!r} ({reason[:200]})") from None


def is_quantized(graph: onnx.GraphProto) -> bool:
    """Whether any tensor of the graph has a quantizer."""
    return any(node.op_type in QUANTIZERS for node in graph.node)


def input_quantizer_format(graph: onnx.GraphProto) -> FixedPoint:
    """Return the format of the quantizer that reads the network's input.

    Raises:
        InputError: the network does not begin with a quantizer.
    """
    features = graph.input[0].name
    reader = next((node for node in graph.node if features in node.input), None)
    if reader is None or reader.op_type != "Quant":
        raise InputError(
            f"input {features!r} of the network has no quantizer; make one its first layer, or give input=fixed<16,6>"
        )
    return node_format(graph, reader)


def output_format(graph: onnx.GraphProto) -> FixedPoint | None:
    """Return the format of the quantizer that writes the network's output; None if there is none."""
    writer = next(node for node in graph.node if graph.output[0].name in node.output)
    return node_format(graph, writer) if writer.op_type == "Quant" else None


def node_format(graph: onnx.GraphProto, node: onnx.NodeProto) -> FixedPoint:
    """Return the format of a Quant node.

    Raises:
        InputError: its scale is no power of two, its zero point not zero, or its rounding another.
    """
    scale, zero, width = (_constant(graph, name) for name in node.input[1:4])
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    mantissa, exponent = np.frexp(scale)
    rounding = attributes.get("rounding_mode", b"ROUND").decode()
    if mantissa != 0.5 or zero != 0 or rounding not in _ROUNDINGS:
        raise InputError(
            f"{node.name}: scale {scale:g}, zero point {zero:g}, rounding {rounding}; firmware needs a scale "
            f"that is a power of two, zero point 0 and {' or '.join(_ROUNDINGS)}"
        )
    return FixedPoint(
        int(width),
        int(width) + int(exponent) - 1,
        signed=bool(attributes["signed"]),
        narrow=bool(attributes["narrow"]),
        rounding=_ROUNDINGS[rounding],
    )


def has_one_format(graph: onnx.GraphProto, node: onnx.NodeProto) -> bool:
    """Return whether a Quant node has no formats of channels."""
    return all(np.prod(tensor.dims) == 1 for tensor in graph.initializer if tensor.name in node.input[1:])


def append_quantizer(graph: onnx.GraphProto, number: FixedPoint, name: str) -> None:
    """Quantize the network's output to `number`, in a new node `name`, in place."""
    append_node(graph, quantizer_node(graph, graph.output[0].name, number, name))


def quantizer_node(graph: onnx.GraphProto, tensor: str, number: FixedPoint, name: str) -> onnx.NodeProto:
    """Return a node `name` that quantizes a tensor to `number`; its parameters are added to the graph."""
    parameters = {"scale": number.step, "zero": 0.0, "width": float(number.width)}
    for parameter, value in parameters.items():
        constant = numpy_helper.from_array(np.array(value, np.float32), f"{name}_{parameter}")
        graph.initializer.append(constant)
        graph.value_info.append(helper.make_tensor_value_info(constant.name, onnx.TensorProto.FLOAT, []))
    return helper.make_node(
        "Quant",
        [tensor, *(f"{name}_{parameter}" for parameter in parameters)],
        [f"{name}_out"],
        name=name,
        domain="qonnx.custom_op.general",
        signed=int(number.signed),
        narrow=int(number.narrow),
        rounding_mode=next(mode for mode, rounding in _ROUNDINGS.items() if rounding == number.rounding),
    )


def append_node(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    """Make `node`, which reads the network's output and keeps its shape, the new output, in place."""
    former = graph.output.pop()
    output = onnx.ValueInfoProto()
    output.CopyFrom(former)
    output.name = node.output[0]
    graph.value_info.append(former)
    graph.node.append(node)
    graph.output.append(output)


def _constant(graph: onnx.GraphProto, name: str) -> float:
    tensor = next((tensor for tensor in graph.initializer if tensor.name == name), None)
    if tensor is None or np.prod(tensor.dims) != 1:
        raise InputError(f"quantizer parameter {name!r} is not one constant; export with one scale per tensor")
    return float(numpy_helper.to_array(tensor).item())
