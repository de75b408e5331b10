"""The layers of a quantized network as integer words, without an export: for counts while it is trained."""

import numpy as np
import torch
from numpy.typing import NDArray

from nanotrigger.graph.layers import Conversion, IntegerNetwork, Layer
from nanotrigger.networks import DenseNetwork
from nanotrigger.networks.weights import linear_layers


def layers_of(network: DenseNetwork) -> IntegerNetwork:
    """Return what `read_layers` returns for the network's export.

    Args:
        network: quantized, of fixed formats, all wider than one bit.
    """
    formats, layers = network.formats, []
    names = [name for name, _ in network.layers.named_children()]
    for name, layer in linear_layers(network).items():
        weight, bias = formats[f"{name}.weight"], formats[f"{name}.bias"]
        words, offsets = weight.words(_values(layer.weight).T), bias.words(_values(layer.bias))
        following = names[names.index(name) + 1 :][:1]
        conversions = tuple(
            Conversion(formats[next_], next_.startswith("relu")) for next_ in following if next_ in formats
        )
        layers.append(Layer(name, words, weight.step, offsets, bias.step, conversions=conversions))
    return IntegerNetwork(formats["input"], tuple(layers))


def _values(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().cpu().numpy()
