"""The integer graph of a QONNX file of whatever origin, in the formats in which firmware has it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.graph.evaluate import MOVES, QUANTIZERS
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import INPUT_ROUNDINGS, Input
from nanotrigger.graph.normalize import normalized
from nanotrigger.graph.onnx_file import input_quantizer_format, is_quantized, load_model
from nanotrigger.graph.quantize import Conversion
from nanotrigger.graph.reader import Reader
from nanotrigger.graph.readers.linear import (
    read_batch_norm,
    read_convolution,
    read_product,
    read_scaling,
)
from nanotrigger.graph.readers.moves import read_move
from nanotrigger.graph.readers.quantizers import read_clip, read_leaky_relu, read_quantizer, read_relu
from nanotrigger.graph.readers.sums import read_average_pool, read_sum
from nanotrigger.graph.readers.windows import read_largest, read_max_pool
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import without_modes

READERS: dict[str, Callable[[Reader, onnx.NodeProto], None]] = {
    "Quant": read_quantizer,
    "BipolarQuant": read_quantizer,
    "Relu": read_relu,
    "LeakyRelu": read_leaky_relu,
    "Clip": read_clip,
    "MatMul": read_product,
    "Conv": read_convolution,
    "BatchNormalization": read_batch_norm,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), read_scaling),
    **dict.fromkeys(("ReduceSum", "ReduceMean", "GlobalAveragePool"), read_sum),
    "AveragePool": read_average_pool,
    "MaxPool": read_max_pool,
    "GlobalMaxPool": read_largest,
    **dict.fromkeys(MOVES, read_move),
}
"""What reads each type of ONNX node; a bias (Add) is read with its product."""

_DAMAGES = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)  # by whatever a file may hold instead

TABLES = (
    *("Sigmoid", "Tanh", "Softmax", "LogSoftmax", "Softplus", "Softsign", "Elu", "Selu", "Celu", "Gelu", "Mish", "Erf"),
    *("Exp", "Log", "Sqrt", "Reciprocal", "Pow", "HardSigmoid", "HardSwish", "Sin", "Cos", "Hardmax"),
)
"""Functions of which firmware holds a table, so that no integers compute them exactly."""


def read_graph(path: Path, precision: str | None = None, *, input_format: FixedPoint | None = None) -> Graph:
    """Return the integer graph of a QONNX file.

    A softmax at its end is left out.

    Args:
        path: as `write_qonnx` leaves it, or of another exporter.
        precision: type of everything in a float network, such as `fixed<16,6>`.
        input_format: of the words of inputs that no quantizer reads first.

    Raises:
        NotExactError: a node that integers cannot compute exactly, or constants without a format.
        InputError: there is no such file, or a node, a constant or the precision is of a kind that has no integers; the
            message names it.
    """
    model = load_model(path)
    if precision is None and not is_quantized(model.graph):
        raise InputError(f"{path} has no quantizers; give a precision such as fixed<16,6>")
    if precision is not None and is_quantized(model.graph):
        raise InputError(f"precision {precision} is for float networks; {path} has quantizers, omit it")
    cast = None if precision is None else cast_to(precision)
    try:
        return graph_of_model(normalized(model), cast, input_format)
    except InputError:
        raise
    except _DAMAGES as error:
        raise InputError(f"{path}: no network that can be read ({_reason(error)}); export it again") from None


def graph_of_model(
    model: onnx.ModelProto, cast: Conversion | None = None, input_format: FixedPoint | None = None
) -> Graph:
    """Return the integer graph of a model that `normalized` returned; arguments and errors as of `read_graph`.

    Args:
        model: normalized.
        cast: what every result of a float network goes through.
        input_format: as of `read_graph`.
    """
    reader = Reader(model, cast)
    for value in model.graph.input:
        _read_input(reader, value.name, input_format)
    ends = {value.name: value.name for value in model.graph.output}
    left_out = []
    for node in model.graph.node:
        output = node.output[0]
        if reader.is_constant(output) or output in reader.taken:
            continue
        if node.op_type == "Softmax" and output in ends and not reader.readers_of(output):
            ends[output] = node.input[0]
            left_out.append(node.name)
        elif node.op_type in TABLES:
            raise NotExactError(node.name, f"a table ({node.op_type}); end the network before it")
        elif node.op_type not in READERS:
            raise NotExactError(node.name, f"{node.op_type} is not among {', '.join(READERS)}")
        else:
            with _naming(node):
                READERS[node.op_type](reader, node)
                reader.infer()
    if all(isinstance(node, Input) for node in reader.nodes):
        raise InputError("the network computes nothing, there is nothing to count")
    return Graph(tuple(reader.nodes), tuple(dict.fromkeys(ends.values())), tuple(left_out))


@contextmanager
def _naming(node: onnx.NodeProto) -> Iterator[None]:
    """Say in which node of the file something is not as it should be."""
    try:
        yield
    except InputError:
        raise
    except _DAMAGES as error:
        raise InputError(
            f"node {node.name}: no {node.op_type} that can be read ({_reason(error)}); export it again"
        ) from None


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())[:300]


def cast_to(precision: str) -> Conversion:
    """Return the conversion to the type of a float network, which must truncate and wrap.

    Raises:
        InputError: it does something else.
    """
    modes = re.findall(r"[A-Z]\w+", precision)
    if modes not in ([], ["TRN"], ["TRN", "WRAP"]):
        raise InputError(f"precision {precision}: only types that truncate and wrap can be counted, like fixed<16,6>")
    return Conversion(FixedPoint.parse(without_modes(precision)), exact=False)


def _read_input(reader: Reader, name: str, input_format: FixedPoint | None) -> None:
    """Make an input of the network words in the format of the quantizers that read it."""
    if reader.cast is not None:
        reader.append_input(name, name, name, reader.cast)
        return
    if input_format is not None:
        reader.append_input(name, name, name, Conversion(input_format))
        return
    readers = _first_readers(reader, name)
    if not readers or any(node.op_type not in QUANTIZERS for node in readers):
        input_quantizer_format(reader.graph)
        raise InputError(
            f"input {name!r} of the network is read by other nodes than quantizers; give input=fixed<16,6>"
        )
    conversions = {reader.formats(node).only for node in readers}
    conversion = conversions.pop() if len(conversions) == 1 else None
    if conversion is None or conversion.number.is_binary or conversion.rounding not in INPUT_ROUNDINGS:
        found = ", ".join(node.name for node in readers)
        raise InputError(
            f"input {name!r}: its quantizers ({found}) do not give all words one format; give input=fixed<16,6>"
        )
    only = readers[0]
    if len(readers) == 1 and only.input[0] == name:
        reader.append_input(only.name, name, only.output[0], conversion)
        reader.take(only)
    else:
        reader.append_input(name, name, name, conversion)


def _first_readers(reader: Reader, name: str) -> list[onnx.NodeProto]:
    """Return the nodes that first compute something of a tensor, however it is moved before."""
    found, names = [], [name]
    while names:
        for node in reader.readers_of(names.pop()):
            if node.op_type in MOVES:
                names.extend(node.output)
            elif node not in found:
                found.append(node)
    return found
