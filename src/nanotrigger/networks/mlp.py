"""Multilayer perceptron: linear layers with ReLU between them, float or quantized."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import torch
from brevitas.nn import QuantIdentity, QuantLinear, QuantReLU
from torch import Tensor, nn

from nanotrigger.errors import InputError
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
        weight: format of the weights of every layer.
        bias: format of the biases of every layer.
        activation: format behind every ReLU; unsigned.
        output: format of the logits; without it they keep the full precision of the last sum.

    Raises:
        InputError: a width below 1, or formats for only some of the tensors.
    """

    def __init__(
        self,
        features: int = 16,
        hidden: Sequence[int] = (32, 32, 32),
        classes: int = 5,
        *,
        input: FixedPoint | None = None,
        weight: FixedPoint | None = None,
        bias: FixedPoint | None = None,
        activation: FixedPoint | None = None,
        output: FixedPoint | None = None,
    ) -> None:
        super().__init__()
        widths = [features, *hidden, classes]
        if min(widths) < 1:
            raise InputError(f"network widths {widths}: every layer needs at least one unit")
        formats = {"input": input, "weight": weight, "bias": bias, "activation": activation, "output": output}
        self._formats = {name: number for name, number in formats.items() if number is not None}
        missing = [name for name in ("input", "weight", "bias", "activation") if name not in self._formats]
        if self._formats and missing:
            raise InputError(
                f"network formats: {', '.join(missing)} missing; give all of input, weight, bias and "
                "activation (quantized) or none (float)"
            )
        if activation is not None and activation.signed:
            raise InputError(f"network.activation {activation}: ReLU has no negative values; use ufixed")
        for name in ("input", "output"):
            if name in self._formats and self._formats[name].is_binary:
                raise InputError(f"network.{name} is binary: firmware has no exact counterpart; use two bits, narrow")
        self.configuration: dict[str, Any] = {
            "network": type(self).__name__,
            "features": features,
            "hidden": list(hidden),
            "classes": classes,
            **{name: asdict(number) for name, number in self._formats.items()},
        }
        self.layers = nn.Sequential()
        if input is not None:
            self.layers.add_module("input", QuantIdentity(act_quant=activation_quantizer(input)))
        for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            self.layers.add_module(f"dense_{depth}", _linear(inputs, outputs, weight, bias))
            if depth <= len(hidden):
                self.layers.add_module(f"relu_{depth}", _relu(activation))
        if output is not None:
            self.layers.add_module("output", QuantIdentity(act_quant=activation_quantizer(output)))

    @property
    def formats(self) -> dict[str, FixedPoint]:
        """The format of each tensor that has one, by name; empty for a float network."""
        return dict(self._formats)

    @property
    def description(self) -> str:
        """The network in one line: its widths, the number of its parameters and its formats."""
        widths = [self.configuration["features"], *self.configuration["hidden"], self.configuration["classes"]]
        parameters = sum(tensor.numel() for tensor in self.parameters())
        formats = ", ".join(f"{name} {number}" for name, number in self._formats.items()) or "float"
        return f"{type(self).__name__} {'-'.join(map(str, widths))}, {parameters:,} parameters, {formats}"

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
