"""Execute a QONNX graph: in float64, exact for every format, and by qonnx itself in float32."""

import warnings
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.general.intquant import int_quant
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.util.cleanup import cleanup_model

from nanotrigger.errors import InputError

Array = NDArray[np.float64]
_MANTISSA = 2**24  # float32 holds every integer up to here


def execute(model: onnx.ModelProto, features: Array) -> dict[str, Array]:
    """Return every tensor of the graph for `features`, shape (samples, inputs), evaluated in float64.

    Quant nodes follow QONNX's own definition (qonnx' `int_quant`). Sums are exact below 53 bits.

    Raises:
        InputError: a node type that the networks of this package do not use.
    """
    tensors: dict[str, Array] = {
        initializer.name: onnx.numpy_helper.to_array(initializer).astype(np.float64)
        for initializer in model.graph.initializer
    }
    tensors[model.graph.input[0].name] = np.asarray(features, np.float64)
    for node in model.graph.node:
        tensors[node.output[0]] = _evaluate(node, [tensors[name] for name in node.input])
    return tensors


def execute_by_qonnx(model: onnx.ModelProto, features: Array) -> Array:
    """Return the graph's output as qonnx computes it, in float32; shape (samples, outputs)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batched = cleanup_model(ModelWrapper(model).transform(ChangeBatchSize(len(features))))
        inputs = {batched.graph.input[0].name: features.astype(np.float32)}
        outputs: dict[str, Array] = execute_onnx(batched, inputs)
    return outputs[batched.graph.output[0].name].astype(np.float64)


def fits_float32(model: onnx.ModelProto, tensors: dict[str, Array]) -> bool:
    """Whether float32 computes these samples exactly: every partial sum, in any order, stays below 24 bits.

    Args:
        model: a graph in which the operands of every sum come from Quant nodes.
        tensors: of `execute`.
    """
    steps: dict[str, float] = {}
    bounds: dict[str, Array] = {}  # of the absolute values of all partial sums
    for node in model.graph.node:
        name, operands = node.output[0], node.input
        if node.op_type == "Quant":
            steps[name], bounds[name] = float(tensors[operands[1]].item()), np.abs(tensors[name])
            continue
        if any(operand not in steps for operand in operands):
            return False
        if node.op_type == "MatMul":
            steps[name] = steps[operands[0]] * steps[operands[1]]
            bounds[name] = bounds[operands[0]] @ bounds[operands[1]]
        elif node.op_type == "Add":
            steps[name] = min(steps[operands[0]], steps[operands[1]])
            bounds[name] = bounds[operands[0]] + bounds[operands[1]]
        else:
            steps[name], bounds[name] = steps[operands[0]], bounds[operands[0]]
        if bounds[name].max(initial=0.0) / steps[name] > _MANTISSA:
            return False
    return True


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
    raise InputError(f"node {node.name}: {node.op_type} is not among Quant, MatMul, Add and Relu")
