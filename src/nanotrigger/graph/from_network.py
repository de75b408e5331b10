"""The integer graph of a quantized network, without an export: for counts while it is trained."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import INPUT, Input, Node
from nanotrigger.graph.quantize import Quantize, Relu, conversion_of
from nanotrigger.graph.quantize_channels import QuantizeChannels
from nanotrigger.networks import Network
from nanotrigger.networks.layers import QuantizedLinear, QuantizedReLU, Quantizer


def graph_of(network: Network) -> Graph:
    """Return what `read_graph` returns for the network's export.

    Args:
        network: quantized, of fixed formats, all wider than one bit.

    Raises:
        InputError: a layer that has no integers.
    """
    layers = list(network.layers.named_children())
    name, layer = layers[0]
    if not isinstance(layer, Quantizer):
        raise InputError(f"layer {name}: the network does not begin with a quantizer; give it an input format")
    nodes: list[Node] = [
        Input(name=name, inputs=("features",), output=name, layer=INPUT, shape=(network.features,), number=layer.format)
    ]
    for name, layer in layers[1:]:
        kind = next((kind for kind in LAYERS if isinstance(layer, kind)), None)
        if kind is None:
            known = ", ".join(kind.__name__ for kind in LAYERS)
            raise InputError(f"layer {name}: {type(layer).__name__} is not among {known}; it cannot be counted")
        nodes.append(LAYERS[kind](name, layer, nodes[-1]))
    return Graph(tuple(nodes), (nodes[-1].output,))


def _dense(name: str, layer: nn.Module, before: Node) -> Node:
    assert isinstance(layer, QuantizedLinear)
    weight, bias = layer.formats
    return Dense(
        name=name,
        inputs=(before.output,),
        output=name,
        layer=name,
        weights=weight.words(_values(layer.weight).T),
        weight_step=weight.step,
        bias=bias.words(_values(layer.bias)),
        bias_step=bias.step,
    )


def _relu(name: str, layer: nn.Module, before: Node) -> Node:
    assert isinstance(layer, QuantizedReLU)
    place: dict[str, Any] = {"name": name, "inputs": (before.output,), "output": name, "layer": before.layer}
    if layer.narrowing is None or not layer.narrowing.is_used:
        return Quantize(**place, conversion=conversion_of(layer.format), relu=True)
    return QuantizeChannels(
        **place, conversions=tuple(map(conversion_of, layer.narrowing.formats(layer.format))), relu=True
    )


def _plain_relu(name: str, layer: nn.Module, before: Node) -> Node:
    return Relu(name=name, inputs=(before.output,), output=name, layer=before.layer)


def _quantizer(name: str, layer: nn.Module, before: Node) -> Node:
    assert isinstance(layer, Quantizer)
    return Quantize(
        name=name, inputs=(before.output,), output=name, layer=before.layer, conversion=conversion_of(layer.format)
    )


LAYERS: dict[type[nn.Module], Callable[[str, nn.Module, Node], Node]] = {
    QuantizedLinear: _dense,
    QuantizedReLU: _relu,
    nn.ReLU: _plain_relu,
    Quantizer: _quantizer,
}
"""What makes a node of each kind of layer: of its name, the layer and the node before it."""


def _values(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().cpu().numpy()
