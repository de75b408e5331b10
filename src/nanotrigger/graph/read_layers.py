"""Read the layers of a QONNX network as integer words, in the formats in which firmware has them."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.graph.layers import Conversion, IntegerNetwork, Layer, Words
from nanotrigger.graph.load import load_model
from nanotrigger.graph.quantizer_nodes import input_format, is_quantized, node_format
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.type_name import without_modes

_Constant = Callable[[str], tuple[Words, float]]  # words of a constant tensor, and the value of one word


def read_layers(path: Path, precision: str | None = None) -> IntegerNetwork:
    """Return the layers of a network of Quant, MatMul, Add and Relu nodes.

    Args:
        path: QONNX file, as `write_qonnx` leaves it.
        precision: type of everything in a float network, such as `fixed<16,6>`.

    Raises:
        InputError: there is no such file, or a node, a constant or the precision is of a kind that cannot be counted;
            the message names it.
    """
    graph = load_model(path).graph
    if precision is None and not is_quantized(graph):
        raise InputError(f"{path} has no quantizers; give a precision such as fixed<16,6>")
    if precision is not None and is_quantized(graph):
        raise InputError(f"precision {precision} is for float networks; {path} has quantizers, omit it")
    cast = None if precision is None else _cast(precision)
    try:
        number = input_format(graph) if cast is None else cast.number
        constant = _quantized_constants(graph) if cast is None else _float_constants(graph, cast.number)
        return IntegerNetwork(number, _layers(graph, constant, cast))
    except InputError:
        raise
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
    ) as error:  # of whatever the graph may hold instead
        raise InputError(f"{path}: no network that can be counted ({_line(error)}); export it again") from None


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())


def _layers(graph: onnx.GraphProto, constant: _Constant, cast: Conversion | None) -> tuple[Layer, ...]:
    """Follow the data through the graph; `cast` is applied to every result of a float network."""
    casts = () if cast is None else (cast,)
    layers: list[Layer] = []
    constants = {tensor.name for tensor in graph.initializer}
    tensor, relu = graph.input[0].name, False
    for node in graph.node:
        if node.input[0] in constants:
            continue  # the quantizer of a weight or bias
        if node.input[0] != tensor:
            raise InputError(f"node {node.name}: only layers one behind the other can be counted")
        tensor = node.output[0]
        if node.op_type == "MatMul":
            words, step = constant(node.input[1])
            layers.append(Layer(node.name, words, step, np.zeros(words.shape[1], np.int64), step, cast, casts))
        elif node.op_type == "Add" and layers:
            bias, step = constant(node.input[1])
            layers[-1] = replace(layers[-1], bias=bias.reshape(-1), bias_step=step)
        elif node.op_type == "Relu" and cast is not None:
            layers[-1] = _converted(layers[-1], replace(cast, relu=True))
        elif node.op_type == "Relu":
            relu = True
        elif node.op_type != "Quant":
            raise InputError(f"node {node.name}: {node.op_type} is not among Quant, MatMul, Add and Relu")
        elif layers:  # before the first layer it quantizes the input, which arrives in its format
            layers[-1] = _converted(layers[-1], Conversion(node_format(graph, node), relu))
            relu = False
    if relu:
        raise InputError("the network ends in a ReLU without a quantizer; give it an output format")
    if not layers:
        raise InputError("the network has no dense layer, nothing to count")
    return tuple(layers)


def _converted(layer: Layer, conversion: Conversion) -> Layer:
    return replace(layer, conversions=(*layer.conversions, conversion))


def _quantized_constants(graph: onnx.GraphProto) -> _Constant:
    values = _values(graph)
    quantizers = {node.output[0]: node for node in graph.node if node.op_type == "Quant"}

    def constant(name: str) -> tuple[Words, float]:
        if name in quantizers:
            number = node_format(graph, quantizers[name])
            return number.words(values[quantizers[name].input[0]]), number.step
        if values[name].any():
            raise InputError(f"constants {name!r} have no quantizer; give the layer a weight and a bias format")
        return np.zeros(values[name].shape, np.int64), 1.0

    return constant


def _float_constants(graph: onnx.GraphProto, number: FixedPoint) -> _Constant:
    values = _values(graph)

    def constant(name: str) -> tuple[Words, float]:
        words = np.floor(values[name] / number.step).astype(np.int64)
        size = number.maximum_word - number.minimum_word + 1
        return (words - number.minimum_word) % size + number.minimum_word, number.step

    return constant


def _values(graph: onnx.GraphProto) -> dict[str, NDArray[np.float64]]:
    return {tensor.name: onnx.numpy_helper.to_array(tensor).astype(np.float64) for tensor in graph.initializer}


def _cast(precision: str) -> Conversion:
    """Return the conversion to the type of a float network, which must truncate and wrap."""
    modes = re.findall(r"[A-Z]\w+", precision)
    if modes not in ([], ["TRN"], ["TRN", "WRAP"]):
        raise InputError(f"precision {precision}: only types that truncate and wrap can be counted, like fixed<16,6>")
    return Conversion(FixedPoint.parse(without_modes(precision)), exact=False)
