"""The integer graph of a QONNX file, in the formats in which firmware has it."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import INPUT, Input, Node, Words
from nanotrigger.graph.onnx_file import input_quantizer_format, is_quantized, load_model, node_format
from nanotrigger.graph.quantize import Conversion, Quantize, Relu
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import without_modes


def read_graph(path: Path, precision: str | None = None) -> Graph:
    """Return the integer graph of a QONNX file.

    Args:
        path: as `write_qonnx` leaves it.
        precision: type of everything in a float network, such as `fixed<16,6>`.

    Raises:
        InputError: there is no such file, or a node, a constant or the precision is of a kind that has no integers; the
            message names it.
    """
    graph = load_model(path).graph
    if precision is None and not is_quantized(graph):
        raise InputError(f"{path} has no quantizers; give a precision such as fixed<16,6>")
    if precision is not None and is_quantized(graph):
        raise InputError(f"precision {precision} is for float networks; {path} has quantizers, omit it")
    cast = None if precision is None else cast_to(precision)
    try:
        return Reader(graph, cast).read()
    except InputError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        # of whatever the graph may hold instead
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise InputError(f"{path}: no network that can be counted ({reason}); export it again") from None


class Reader:
    """A QONNX graph that is being read.

    Args:
        graph: to read.
        cast: what every result of a float network goes through; None if the network has quantizers.

    Attributes:
        nodes: the integer graph so far.
    """

    def __init__(self, graph: onnx.GraphProto, cast: Conversion | None) -> None:
        self.graph = graph
        self.cast = cast
        self.nodes: list[Node] = []
        self._values = {tensor.name: _array(tensor) for tensor in graph.initializer}
        self._quantizers = {node.output[0]: node for node in graph.node if node.op_type == "Quant"}
        self._taken: set[str] = set()  # outputs of ONNX nodes that became part of the node before them

    def read(self) -> Graph:
        """Return the graph.

        Raises:
            InputError: a node of an unknown kind, or what its kind cannot read.
        """
        features = self.graph.input[0].name
        if self.cast is not None:
            self.append_input(features, features, self.cast.number)
        for node in self.graph.node:
            if self.is_constant(node.output[0]) or node.output[0] in self._taken:
                continue
            if node.op_type not in READERS:
                raise InputError(f"node {node.name}: {node.op_type} is not among {', '.join(READERS)}")
            READERS[node.op_type](self, node)
        if not any(isinstance(node, Dense) for node in self.nodes):
            raise InputError("the network has no dense layer, nothing to count")
        return Graph(tuple(self.nodes), (self.graph.output[0].name,))

    def append_input(self, name: str, output: str, number: FixedPoint) -> None:
        """Make a tensor the network's input words."""
        source = self.graph.input[0]
        shape = (source.type.tensor_type.shape.dim[-1].dim_value,)
        self.nodes.append(
            Input(name=name, inputs=(source.name,), output=output, layer=INPUT, shape=shape, number=number)
        )

    def take_reader(self, tensor: str, kind: str) -> onnx.NodeProto | None:
        """Return the node that alone reads a tensor if it is of a kind, and of constants otherwise; it is read then."""
        readers = [node for node in self.graph.node if tensor in node.input]
        if len(readers) != 1 or readers[0].op_type != kind or tensor == self.graph.output[0].name:
            return None
        if not all(name == tensor or self.is_constant(name) for name in readers[0].input):
            return None
        self._taken.add(readers[0].output[0])
        return readers[0]

    def constant(self, name: str) -> tuple[Words, float]:
        """Return the words of a constant tensor, and the value of one word.

        Raises:
            InputError: it is no constant with a format.
        """
        if self.cast is not None:
            return _wrapped(self._values[name], self.cast.number), self.cast.number.step
        if name in self._quantizers:
            number = node_format(self.graph, self._quantizers[name])
            return number.words(self._values[self._quantizers[name].input[0]]), number.step
        if self._values[name].any():
            raise InputError(f"constants {name!r} have no quantizer; give the layer a weight and a bias format")
        return np.zeros(self._values[name].shape, np.int64), 1.0

    def is_constant(self, name: str) -> bool:
        """Whether a tensor is the same for all events."""
        quantizer = self._quantizers.get(name)
        return name in self._values or (quantizer is not None and quantizer.input[0] in self._values)

    def layer_of(self, tensor: str) -> str:
        """Return the layer to which the node belongs that computes a tensor.

        Raises:
            InputError: no node does.
        """
        if not self.nodes:
            input_quantizer_format(self.graph)  # says what is missing
        writer = next((node for node in self.nodes if node.output == tensor), None)
        if writer is None:
            raise InputError(f"no node computes {tensor}, which is read; export the network again")
        return writer.layer


def cast_to(precision: str) -> Conversion:
    """Return the conversion to the type of a float network, which must truncate and wrap.

    Raises:
        InputError: it does something else.
    """
    modes = re.findall(r"[A-Z]\w+", precision)
    if modes not in ([], ["TRN"], ["TRN", "WRAP"]):
        raise InputError(f"precision {precision}: only types that truncate and wrap can be counted, like fixed<16,6>")
    return Conversion(FixedPoint.parse(without_modes(precision)), exact=False)


def read_quantizer(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a Quant node: the network's input, or a change of format."""
    number, source = node_format(reader.graph, node), node.input[0]
    if source == reader.graph.input[0].name:
        reader.append_input(node.name, node.output[0], number)
        return
    _append_conversion(reader, node, Conversion(number), output=node.output[0])


def read_product(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a MatMul node, with the bias that is added to it alone."""
    source, last = node.input[0], node
    reader.layer_of(source)
    words, step = reader.constant(node.input[1])
    bias, bias_step = np.zeros(words.shape[1], np.int64), step
    addition = reader.take_reader(node.output[0], "Add")
    if addition is not None:
        last = addition
        bias, bias_step = reader.constant(next(name for name in addition.input if name != node.output[0]))
    dense = Dense(
        name=node.name,
        inputs=(source,),
        output=last.output[0] if reader.cast is None else f"sums of {node.name}",
        layer=node.name,
        weights=words,
        weight_step=step,
        bias=bias.reshape(-1),
        bias_step=bias_step,
        accumulator=reader.cast,
    )
    reader.nodes.append(dense)
    if reader.cast is not None:
        result = Quantize(
            name=f"{node.name}_result",
            inputs=(dense.output,),
            output=last.output[0],
            layer=node.name,
            conversion=reader.cast,
        )
        reader.nodes.append(result)


def read_relu(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a Relu node, with the quantizer that alone reads it."""
    if reader.cast is not None:
        _append_conversion(reader, node, reader.cast, output=node.output[0], relu=True)
        return
    quantizer = reader.take_reader(node.output[0], "Quant")
    if quantizer is not None:
        conversion = Conversion(node_format(reader.graph, quantizer))
        _append_conversion(reader, node, conversion, output=quantizer.output[0], relu=True)
        return
    source, layer = node.input[0], reader.layer_of(node.input[0])
    reader.nodes.append(Relu(name=node.name, inputs=(source,), output=node.output[0], layer=layer))


READERS: dict[str, Callable[[Reader, onnx.NodeProto], None]] = {
    "Quant": read_quantizer,
    "MatMul": read_product,
    "Relu": read_relu,
}
"""What reads each type of ONNX node; a bias (Add) is read with its product."""


def _append_conversion(
    reader: Reader, node: onnx.NodeProto, conversion: Conversion, *, output: str, relu: bool = False
) -> None:
    source = node.input[0]
    quantize = Quantize(
        name=node.name,
        inputs=(source,),
        output=output,
        layer=reader.layer_of(source),
        conversion=conversion,
        relu=relu,
    )
    reader.nodes.append(quantize)


def _array(tensor: onnx.TensorProto) -> NDArray[np.float64]:
    values: NDArray[np.float64] = onnx.numpy_helper.to_array(tensor).astype(np.float64)
    return values


def _wrapped(values: NDArray[np.float64], number: FixedPoint) -> Words:
    """Return the words to which hls4ml cuts off the constants of a float network."""
    words = np.floor(values / number.step).astype(np.int64)
    size = number.maximum_word - number.minimum_word + 1
    return (words - number.minimum_word) % size + number.minimum_word
