"""Weights of a trained network, as its firmware has them, and how many of them are zero."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from nanotrigger.networks import MLP


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """The weights of a layer.

    Attributes:
        name: of the layer.
        values: shape (inputs, outputs); quantized if the network is.
    """

    name: str
    values: NDArray[np.float64]

    @property
    def zeros(self) -> int:
        """How many are zero, and need no multiplier."""
        return int(np.count_nonzero(self.values == 0))

    @property
    def sparsity(self) -> float:
        """Share of zeros, 0 to 1."""
        return self.zeros / self.values.size

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(np.unique(self.values))

    @property
    def silent_outputs(self) -> int:
        """Outputs whose weights are all zero: constants."""
        return int(np.count_nonzero(~self.values.any(axis=0)))


def layer_weights(network: MLP) -> tuple[LayerWeights, ...]:
    """Return the weights of every linear layer, in the order in which the data flow."""
    found = []
    for name, layer in network.layers.named_children():
        if isinstance(layer, nn.Linear):
            values = layer.weight.detach().double().numpy().T
            number = network.tensor_formats.get(f"{name}.weight")
            found.append(LayerWeights(name, values if number is None else number.quantize(values)))
    return tuple(found)


def total_sparsity(layers: tuple[LayerWeights, ...]) -> float:
    """Return the share of zeros among all weights, 0 to 1."""
    return sum(layer.zeros for layer in layers) / sum(layer.values.size for layer in layers)
