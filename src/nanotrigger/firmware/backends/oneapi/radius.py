"""Radius: the sum of the squares of latent means as the firmware's last layer, in words wide enough to be exact."""

import numpy as np
from onnx import GraphProto, TensorProto, helper, numpy_helper

from nanotrigger.graph.onnx_file import append_node, quantizer_node
from nanotrigger.numbers import FixedPoint

SQUARES, LAYER = "squares", "radius"  # names of its nodes and tensors
_ONE = FixedPoint(2, 2)


def append_radius(graph: GraphProto) -> None:
    """Make Rz, the sum of the squares of the outputs (arXiv 2108.03986), the network's only output, in place.

    hls4ml infers a type that holds the squares exactly; a dense layer of ones, whose weights are quantized, adds them.

    Args:
        graph: a quantized network whose outputs are latent means, shape (1, means).
    """
    means = graph.output[0].name
    size = graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    append_node(graph, helper.make_node("Mul", [means, means], [SQUARES], name=SQUARES))
    ones = numpy_helper.from_array(np.ones((size, 1), np.float32), "ones_float")
    graph.initializer.append(ones)
    weights = quantizer_node(graph, ones.name, _ONE, "ones")
    graph.node.append(weights)
    for tensor in (ones.name, weights.output[0]):
        graph.value_info.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, [size, 1]))
    append_node(graph, helper.make_node("MatMul", [SQUARES, weights.output[0]], [LAYER], name=LAYER))
    graph.output[0].CopyFrom(helper.make_tensor_value_info(LAYER, TensorProto.FLOAT, [1, 1]))
