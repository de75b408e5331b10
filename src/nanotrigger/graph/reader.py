"""Reader: a normalized QONNX graph while it is read, node by node, into an integer graph."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.graph.evaluate import FOLDED, MOVES, QUANTIZERS, attributes_of, evaluate
from nanotrigger.graph.formats import Array, Formats, exact_words, formats_of
from nanotrigger.graph.node import INPUT, Input, Node, Tensor, Words
from nanotrigger.graph.normalize import shapes
from nanotrigger.graph.onnx_file import input_quantizer_format
from nanotrigger.graph.quantize import Conversion
from nanotrigger.numbers import FixedPoint

MOST_OPERATIONS = 10_000_000
_MOST_BITS = 1000  # of a word, and of the power of two that it is worth


class Reader:
    """A normalized graph that is being read.

    Args:
        model: that `normalized` returned.
        cast: what every result of a float network goes through; None if the network has quantizers.

    Attributes:
        graph: of the model.
        cast: as above.
        nodes: the integer graph so far.
        taken: outputs of ONNX nodes that became part of the node before them.
    """

    def __init__(self, model: onnx.ModelProto, cast: Conversion | None) -> None:
        self.graph = model.graph
        self.cast = cast
        self.nodes: list[Node] = []
        self.taken: set[str] = set()
        self._opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        self._shapes = shapes(model.graph)
        self._outputs = {value.name for value in model.graph.output}
        self._constants: dict[str, tuple[Array, float | None]] = {}
        self._readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        self._tensors: dict[str, tuple[Tensor, str]] = {}  # with the layer to which each belongs
        self._inferred = self._operations = self._values = 0
        self._integers: dict[str, NDArray[Any]] = {}  # constants such as shapes and axes, in their own type
        for constant in model.graph.initializer:
            values = numpy_helper.to_array(constant)
            self._constants[constant.name] = values.astype(np.float64), None
            if values.dtype.kind != "f":
                self._integers[constant.name] = values
        for node in model.graph.node:
            for name in dict.fromkeys(node.input):
                self._readers[name].append(node)
            is_constant = all(name in self._constants for name in node.input if name)
            if is_constant and node.op_type in (*FOLDED, *QUANTIZERS):
                self._compute(node)

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor without its batch axis.

        Raises:
            InputError: it has no batch axis of one event, or a size that is not fixed.
        """
        shape = self._shapes.get(name, ())
        if not shape or shape[0] != 1 or None in shape:
            found = ", ".join("?" if axis is None else str(axis) for axis in shape)
            raise InputError(f"tensor {name!r} of shape ({found}): its first axis must be the batch, of one event")
        return tuple(axis for axis in shape[1:] if axis is not None)

    def check_size(self, node: onnx.NodeProto, operations: int) -> None:
        """Count operations that a node needs.

        Raises:
            InputError: with it there are more than are read.
        """
        self._operations += operations
        if self._operations > MOST_OPERATIONS:
            raise InputError(
                f"node {node.name}: with it the network has {self._operations:,} operations, unrolled at most "
                f"{MOST_OPERATIONS:,}; export a smaller network"
            )

    def check_values(self, node: onnx.NodeProto, values: int) -> None:
        """Check that a node does not make or read more values than are read; raises `InputError` if it does."""
        _check_values(node.name, values)

    def infer(self) -> None:
        """Find out what is known of the tensors of the nodes so far.

        Raises:
            InputError: all of them have more values than are read, or a node has words too wide to be computed.
        """
        for node in self.nodes[self._inferred :]:
            read = [] if isinstance(node, Input) else [self._tensors[other][0] for other in node.inputs]
            tensor = node.infer(*read)
            self._values += tensor.size
            _check_values(node.name, self._values)
            bits = tensor.words.bits_with_zero
            if max(bits, abs(tensor.exponent)) > _MOST_BITS:
                raise InputError(
                    f"node {node.name}: words of {bits} bits that are worth 2^{tensor.exponent}, at most "
                    f"{_MOST_BITS} either; put a quantizer before it"
                )
            self._tensors[node.output] = tensor, node.layer
        self._inferred = len(self.nodes)

    def append_input(self, name: str, source: str, output: str, conversion: Conversion) -> None:
        """Make a tensor the words of an input of the network."""
        _check_values(name, math.prod(self.shape_of(source)))
        self.nodes.append(
            Input(
                name=name,
                inputs=(source,),
                output=output,
                layer=INPUT,
                shape=self.shape_of(source),
                number=conversion.number,
                rounding=conversion.rounding,
            )
        )

    def readers_of(self, tensor: str) -> list[onnx.NodeProto]:
        """Return the nodes that read a tensor."""
        return self._readers[tensor]

    def only_reader(self, tensor: str, *kinds: str) -> onnx.NodeProto | None:
        """Return the node that alone reads a tensor if it is of one of the kinds, and of constants otherwise."""
        readers = self._readers[tensor]
        if len(readers) != 1 or readers[0].op_type not in kinds or tensor in self._outputs:
            return None
        others = [name for name in readers[0].input if name and name != tensor]
        is_read_once = len(others) == sum(bool(name) for name in readers[0].input) - 1
        return readers[0] if is_read_once and all(map(self.is_constant, others)) else None

    def take(self, node: onnx.NodeProto) -> None:
        """Say that a node is part of the one before it."""
        self.taken.add(node.output[0])

    def is_constant(self, name: str) -> bool:
        """Whether a tensor is the same for all events."""
        return name in self._constants

    def values(self, name: str) -> Array:
        """Return a constant tensor; raises `InputError` if it is none."""
        if not self.is_constant(name):
            raise InputError(f"tensor {name!r} changes with the event, where only constants can be read")
        return self._constants[name][0]

    def constant(self, name: str) -> tuple[Words, float]:
        """Return the words of a constant tensor, and the value of one word.

        Raises:
            InputError: it is no constant, or has no format and no words of few bits.
        """
        self.values(name)
        values, step = self._constants[name]
        if self.cast is not None:
            return _wrapped(values, self.cast.number), self.cast.number.step
        if step is not None:
            return np.rint(values / step).astype(np.int64), step
        words = exact_words(values)
        if words is None:
            reader = self._readers[name][0].name if self._readers[name] else "no node"
            raise NotExactError(reader, f"constants {name!r} have no quantizer; give the layer weight and bias formats")
        return words

    def formats(self, node: onnx.NodeProto) -> Formats:
        """Return the formats of a quantizer; raises `InputError` as `formats_of`."""
        names = node.input[1:]
        changing = [name for name in names if not self.is_constant(name)]
        if changing or len(names) != (3 if node.op_type == "Quant" else 1):
            raise InputError(f"node {node.name}: scale, zero point and bit width of a quantizer must be constants")
        return formats_of(node, [self.values(name) for name in names], (1, *self.shape_of(node.input[0])))

    def tensor(self, name: str) -> Tensor:
        """Return what is known of a tensor that a node before computes."""
        return self._known(name)[0]

    def layer_of(self, tensor: str) -> str:
        """Return the layer to which the node belongs that computes a tensor.

        Raises:
            InputError: no node does.
        """
        return self._known(tensor)[1]

    def _known(self, name: str) -> tuple[Tensor, str]:
        self.infer()
        if name not in self._tensors:
            if not self.nodes:
                input_quantizer_format(self.graph)  # says what is missing
            raise InputError(f"no node computes {name}, which is read; export the network again")
        return self._tensors[name]

    def _compute(self, node: onnx.NodeProto) -> None:
        """Compute a node of constants, and keep its format."""
        values = [self._constants[name] for name in node.input if name]
        for output in filter(None, node.output):
            shape = self._shapes.get(output, (None,))
            if None in shape:
                raise InputError(f"node {node.name}: nothing says the shape of its constant; export it as it is")
            self._values += math.prod(axis for axis in shape if axis is not None)
        _check_values(node.name, self._values)
        if node.op_type in QUANTIZERS:
            formats = formats_of(node, [array for array, _ in values[1:]], values[0][0].shape)
            self._constants[node.output[0]] = formats.quantize(values[0][0]), formats.step
            return
        integer = ("Reshape", "Expand", "Tile", "Unsqueeze", "Squeeze", "Slice", "Gather", "Pad", "Split")
        moved = values if node.op_type not in integer else values[:1]
        steps = [step for _, step in moved if step is not None]
        step = min(steps) if node.op_type in MOVES and len(steps) == len(moved) else None
        read = [self._integers.get(name, self._constants[name][0]) if name else None for name in node.input]
        for name, found in zip(node.output, evaluate(node, read, self._opset), strict=False):
            self._constants[name] = found.astype(np.float64), step

    def attributes(self, node: onnx.NodeProto) -> dict[str, Any]:
        """Return a node's attributes by name; text as str."""
        return attributes_of(node)

    def evaluate(self, node: onnx.NodeProto, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Return what a node computes of arrays, by ONNX' own reference."""
        return evaluate(node, inputs, self._opset)

    def as_given(self, name: str) -> NDArray[Any]:
        """Return a constant as a node reads it: of integers if the file has integers, else float32."""
        return self._integers[name] if name in self._integers else self.values(name).astype(np.float32)

    def integers(self, name: str) -> NDArray[Any]:
        """Return a constant of integers, such as a shape or axes, in its own type."""
        self.values(name)
        return self._integers[name]

    def refuse_in_float(self, node: onnx.NodeProto) -> None:
        """Raise `InputError` if the network has no quantizers: only dense layers and ReLU are counted then."""
        if self.cast is not None:
            raise InputError(f"node {node.name}: {node.op_type} can only be counted in a network with quantizers")


def _check_values(node: str, values: int) -> None:
    if values > MOST_OPERATIONS:
        raise InputError(
            f"node {node}: with it the network has {values:,} values, at most {MOST_OPERATIONS:,}; export a smaller "
            "network"
        )


def _wrapped(values: Array, number: FixedPoint) -> Words:
    """Return the words that hls4ml's C++ has of the constants of a float network.

    It writes them as texts with as many decimals as the type has bits after the point (`WeightVariable` in
    hls4ml/model/types.py), of which the type cuts off what it cannot hold: -0.004 becomes 0 in fixed<8,6>.
    """
    decimals = max(number.width - number.integer, 0)
    written = np.array([float(f"{value:.{decimals}f}") for value in values.ravel().tolist()]).reshape(values.shape)
    words = np.floor(written / number.step).astype(np.int64)
    size = number.maximum_word - number.minimum_word + 1
    return (words - number.minimum_word) % size + number.minimum_word
