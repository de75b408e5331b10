"""Multilayer perceptron: linear layers with ReLU between them, float or quantized."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from brevitas.nn import QuantIdentity, QuantLinear, QuantReLU
from torch import Tensor, nn

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import Formats, LayerFormats
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.quantizers import activation_quantizer, bias_quantizer, weight_quantizer


class MLP(nn.Module):
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

    Raises:
        InputError: a width below 1, formats for only some of the tensors, or a list of another length.
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
    ) -> None:
        super().__init__()
        widths = [features, *hidden, classes]
        if min(widths) < 1:
            raise InputError(f"network widths {widths}: every layer needs at least one unit")
        given = {"input": input, "weight": weight, "bias": bias, "activation": activation, "output": output}
        self._formats = Formats(len(hidden), {name: value for name, value in given.items() if value is not None})
        self.configuration: dict[str, Any] = {
            "network": type(self).__name__,
            "features": features,
            "hidden": list(hidden),
            "classes": classes,
            **self._formats.primitives,
        }
        formats = self.tensor_formats
        self.layers = nn.Sequential()
        if input is not None:
            self.layers.add_module("input", QuantIdentity(act_quant=activation_quantizer(input)))
        for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            name = f"dense_{depth}"
            layer = _linear(inputs, outputs, formats.get(f"{name}.weight"), formats.get(f"{name}.bias"))
            self.layers.add_module(name, layer)
            if depth <= len(hidden):
                self.layers.add_module(f"relu_{depth}", _relu(formats.get(f"relu_{depth}")))
        if output is not None:
            self.layers.add_module("output", QuantIdentity(act_quant=activation_quantizer(output)))

    @property
    def formats(self) -> dict[str, FixedPoint]:
        """The formats by name, such as `weight`, or `weight_1` to `weight_4` of a list; empty for a float network."""
        return self._formats.by_name

    @property
    def tensor_formats(self) -> dict[str, FixedPoint]:
        """The format of each tensor in `layers`, such as `dense_1.weight` or `relu_1`; empty for a float network."""
        return self._formats.by_tensor

    @property
    def description(self) -> str:
        """The network in one line: its widths, the number of its parameters and its formats."""
        widths = [self.configuration["features"], *self.configuration["hidden"], self.configuration["classes"]]
        parameters = sum(tensor.numel() for tensor in self.parameters())
        name = f"{type(self).__name__} {'-'.join(map(str, widths))}"
        return f"{name}, {parameters:,} parameters, {str(self._formats) or 'float'}"

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, shape (batch, classes)."""
        logits: Tensor = self.layers(features)
        return logits


def _linear(inputs: int, outputs: int, weight: FixedPoint | None, bias: FixedPoint | None) -> nn.Linear:
    if weight is None or bias is None:
        layer = nn.Linear(inputs, outputs)
    else:
        layer = QuantLinear(
            inputs,
            outputs,
            bias=True,
            weight_quant=weight_quantizer(weight),
            bias_quant=bias_quantizer(bias),
        )
    limit = (3 / inputs) ** 0.5
    torch.nn.init.uniform_(layer.weight, -limit, limit)
    torch.nn.init.zeros_(layer.bias)
    return layer


def _relu(activation: FixedPoint | None) -> nn.Module:
    return nn.ReLU() if activation is None else QuantReLU(act_quant=activation_quantizer(activation))
