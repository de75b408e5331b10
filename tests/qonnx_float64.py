"""A QONNX graph evaluated in float64 by QONNX' own definition of quantizers: a reference beside the integer graph."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from qonnx.custom_op.general.intquant import int_quant

Array = NDArray[np.float64]


def execute(model: onnx.ModelProto, features: Array) -> dict[str, Array]:
    """Return every tensor of the graph for `features`, shape (samples, inputs). Sums are exact below 53 bits."""
    tensors: dict[str, Array] = {
        initializer.name: onnx.numpy_helper.to_array(initializer).astype(np.float64)
        for initializer in model.graph.initializer
    }
    tensors[model.graph.input[0].name] = np.asarray(features, np.float64)
    for node in model.graph.node:
        tensors[node.output[0]] = _evaluate(node, [tensors[name] for name in node.input])
    return tensors


def _evaluate(node: onnx.NodeProto, inputs: list[Array]) -> Array:
    if node.op_type == "Quant":
        attributes: dict[str, Any] = {
            attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute
        }
        result: Array = int_quant(
            *inputs,
            signed=bool(attributes["signed"]),
            narrow=bool(attributes["narrow"]),
            rounding_mode=attributes["rounding_mode"].decode(),
        )
        return result
    if node.op_type == "MatMul":
        return inputs[0] @ inputs[1]
    if node.op_type == "Add":
        return inputs[0] + inputs[1]
    if node.op_type == "Relu":
        return np.maximum(inputs[0], 0.0)
    raise ValueError(f"node {node.name}: {node.op_type} is not among Quant, MatMul, Add and Relu")
