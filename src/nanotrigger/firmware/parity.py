"""Parity: the same integer words from torch, QONNX and firmware, for every sample."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nanotrigger.networks import DenseNetwork

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Where a witness first differs from torch.

    Attributes:
        witness: `qonnx`, `qonnx_float32` or `firmware`.
        sample: row of the inputs.
        layer: first layer, in the order of the data, whose output differs for that row.
    """

    witness: str
    sample: int
    layer: str

    def __str__(self) -> str:
        return f"{self.witness} differs from torch first in sample {self.sample}, layer {self.layer}"


def torch_layers(network: DenseNetwork, features: Array) -> dict[str, Array]:
    """Return what every layer computes in float64, by layer name and in order.

    Args:
        network: in evaluation mode; it is left as it was.
        features: shape (samples, features).
    """
    exact = _double(network)
    layers: dict[str, Array] = {}
    with torch.inference_mode():
        values = torch.from_numpy(np.asarray(features, np.float64))
        for name, layer in exact.layers.named_children():
            values = layer(values)
            layers[name] = values.numpy()
    return layers


def torch_outputs(network: DenseNetwork, features: Array) -> Array:
    """Return the network's outputs in float64, shape (samples, outputs)."""
    exact = _double(network)
    with torch.inference_mode():
        rows = torch.from_numpy(np.asarray(features, np.float64)).split(65_536)
        return np.concatenate([exact(part).numpy() for part in rows])


def differing_words(expected: Array, found: Array) -> int:
    """Return in how many outputs two arrays of shape (samples, outputs) differ; NaN always does."""
    return int(np.count_nonzero(expected != found))


def first_difference(witness: str, sample: int, layers: Mapping[str, Array], values: Mapping[str, Array]) -> Difference:
    """Name the first layer in which a witness differs from torch for one sample.

    Args:
        witness: who computed `values`.
        sample: row that both computed, and in which their outputs differ.
        layers: torch's layers for that sample alone, by name and in order, each of shape (1, units).
        values: the witness' layers, by the same names; layers that it does not know are skipped. If none of them
            differs (the witness gave its outputs by other means), the last layer is named.
    """
    differing = [name for name, value in layers.items() if name in values and (values[name] != value).any()]
    return Difference(witness, sample, differing[0] if differing else list(layers)[-1])


def _double(network: DenseNetwork) -> DenseNetwork:
    return copy.deepcopy(network).double().eval()
