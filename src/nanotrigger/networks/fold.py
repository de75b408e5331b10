"""Fold BatchNorm into the linear layers before it: what stays are linear layers and activations."""

import copy

import torch
from torch import nn

from nanotrigger.networks.dense import DenseNetwork


def folded(network: DenseNetwork) -> DenseNetwork:
    """Return a network without BatchNorm that computes what `network` does in evaluation mode; a copy if it has any.

    Behind weights W and biases b, a BatchNorm of mean m, variance v, scale g and offset o (arXiv 1502.03167, eq. 1)
    leaves W g / sqrt(v + eps) and (b - m) g / sqrt(v + eps) + o.
    """
    if not any(isinstance(layer, nn.BatchNorm1d) for layer in network.layers):
        return network
    layers, previous = nn.Sequential(), ""
    for name, layer in network.layers.named_children():
        if isinstance(layer, nn.BatchNorm1d):
            _fold(layers.get_submodule(previous), layer)
        else:
            layers.add_module(name, copy.deepcopy(layer))
            previous = name
    plain = DenseNetwork(layers, network.formats, output_name=network.output_name, endings=network.endings)
    return plain.train(network.training)


def _fold(layer: nn.Module, norm: nn.BatchNorm1d) -> None:
    if not isinstance(layer, nn.Linear) or norm.running_var is None or norm.running_mean is None:
        raise TypeError(f"BatchNorm behind {type(layer).__name__}, where only a linear layer can take it in")
    with torch.no_grad():
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        layer.weight *= factor[:, None]
        layer.bias.copy_((layer.bias - norm.running_mean) * factor + norm.bias)
