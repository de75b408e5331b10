"""Multilayer perceptron: linear layers with ReLU between them, float or quantized."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks.dense import DenseNetwork
from nanotrigger.networks.formats import Formats, LayerFormats
from nanotrigger.networks.layers import Granularity, dense_layer, quantizer_layer, relu_layer
from nanotrigger.numbers import FixedPoint


class MLP(DenseNetwork):
    """Map standardized features, shape (batch, features), to logits, shape (batch, classes).

    The network is float if no format is given, and quantized if `input`, `weight`, `bias` and
    `activation` are: then its first layer quantizes the input, and what is trained is what is exported.
    Weights start lecun-uniform, ±sqrt(3 / inputs of the layer); biases start at zero.

    Args:
        features: number of inputs.
        hidden: widths of the hidden layers.
        classes: number of logits.
        input: format of the features.
        weight: format of the weights of every layer, or a list with one for each, `len(hidden) + 1` of them.
        bias: format of the biases, likewise.
        activation: format behind every ReLU, or a list with one for each, `len(hidden)` of them; unsigned.
        output: format of the logits; without it they keep the full precision of the last sum.
        learned_bits: train the bits of every tensor: those of each `weight` and bias, of each `neuron`'s weights, or of
            each `tensor` of weights; of activations and input those of each tensor. The formats are the widest ones.

    Raises:
        InputError: a width below 1, formats for only some of the tensors, a list of another length, or bits to learn
            and no formats.
    """

    def __init__(
        self,
        features: int = 16,
        hidden: Sequence[int] = (32, 32, 32),
        classes: int = 5,
        *,
        input: FixedPoint | None = None,
        weight: LayerFormats | None = None,
        bias: LayerFormats | None = None,
        activation: LayerFormats | None = None,
        output: FixedPoint | None = None,
        learned_bits: Granularity | None = None,
    ) -> None:
        widths = [features, *hidden, classes]
        if min(widths) < 1:
            raise InputError(f"network widths {widths}: every layer needs at least one unit")
        given = {"input": input, "weight": weight, "bias": bias, "activation": activation, "output": output}
        numbers = Formats(_tensors(len(hidden)), {name: value for name, value in given.items() if value is not None})
        formats = numbers.by_tensor
        layers, is_learned = nn.Sequential(), learned_bits is not None
        if input is not None:
            layers.add_module("input", quantizer_layer(input, learned=is_learned))
        for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            name, is_head = f"dense_{depth}", depth > len(hidden)
            weights, biases = formats.get(f"{name}.weight"), formats.get(f"{name}.bias")
            layers.add_module(
                name, dense_layer(inputs, outputs, weights, biases, is_head=is_head, learned=learned_bits)
            )
            if not is_head:
                layers.add_module(
                    f"relu_{depth}", relu_layer(formats.get(f"relu_{depth}"), learned=learned_bits is not None)
                )
        if output is not None:
            layers.add_module("output", quantizer_layer(output))
        super().__init__(
            layers, formats, output_name="logits", endings=("softmax",), given=numbers, learned_bits=learned_bits
        )
        self.configuration: dict[str, Any] = {
            "network": type(self).__name__,
            "features": features,
            "hidden": list(hidden),
            "classes": classes,
            **numbers.primitives,
            **self.learned_primitives,
        }


def _tensors(hidden: int) -> dict[str, tuple[str, ...]]:
    """Return the tensors of each kind in a network with so many hidden layers."""
    depths = range(1, hidden + 2)
    return {
        "input": ("input",),
        "weight": tuple(f"dense_{depth}.weight" for depth in depths),
        "bias": tuple(f"dense_{depth}.bias" for depth in depths),
        "activation": tuple(f"relu_{depth}" for depth in depths[:-1]),
        "output": ("output",),
    }
