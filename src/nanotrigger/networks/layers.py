"""Layers of dense networks, float or quantized.

The quantized ones are Brevitas layers, whose quantizers define every number and are what is exported. Their forward
pass calculates the same values and gradients in the few operations of `quantize_parameter` and `quantize_activation`.
"""

from typing import Literal

import torch
from brevitas.nn import QuantIdentity, QuantLinear, QuantReLU
from torch import Tensor
from torch.nn.functional import linear

from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.quantizers import (
    activation_quantizer,
    bias_quantizer,
    quantize_activation,
    quantize_parameter,
    weight_quantizer,
)

Granularity = Literal["weight", "neuron", "tensor"]  # what has bits of its own
Unit = Literal["ebops", "aluts"]  # of a price


class QuantizedLinear(QuantLinear):
    """Linear layer with quantized weights and biases.

    Args:
        inputs: number of inputs.
        outputs: number of outputs.
        weight: format of the weights.
        bias: format of the biases.
        is_head: lay the outputs out along the batch; where they are few, and no layer follows, the loss is faster so.
    """

    def __init__(
        self, inputs: int, outputs: int, weight: FixedPoint, bias: FixedPoint, *, is_head: bool = False
    ) -> None:
        super().__init__(
            inputs, outputs, bias=True, weight_quant=weight_quantizer(weight), bias_quant=bias_quantizer(bias)
        )
        self.formats = (weight, bias)
        self.is_head = is_head

    def forward(self, values: Tensor) -> Tensor:
        """Return the outputs, shape (batch, outputs), for values of shape (batch, inputs)."""
        if self.weight_quant.export_mode:
            return super().forward(values)
        weights, biases = (
            quantize_parameter(*pair) for pair in zip((self.weight, self.bias), self.formats, strict=True)
        )
        return linear_outputs(values, weights, biases, is_head=self.is_head)


class QuantizedReLU(QuantReLU):
    """ReLU whose outputs are quantized.

    Args:
        number: their format.
    """

    def __init__(self, number: FixedPoint) -> None:
        super().__init__(act_quant=activation_quantizer(number))
        self.format = number

    def forward(self, values: Tensor) -> Tensor:
        """Return quantized activations, same shape."""
        if self.act_quant.export_mode:
            return super().forward(values)
        return quantize_activation(values.relu(), self.format)


class Quantizer(QuantIdentity):
    """Quantize what passes.

    Args:
        number: its format.
    """

    def __init__(self, number: FixedPoint) -> None:
        super().__init__(act_quant=activation_quantizer(number))
        self.format = number

    def forward(self, values: Tensor) -> Tensor:
        """Return quantized values, same shape."""
        if self.act_quant.export_mode:
            return super().forward(values)
        return quantize_activation(values, self.format)

    def priced(self, signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        """Return that it is free, and the bits of what it gives."""
        return torch.zeros(()), torch.tensor(float(self.format.width))


def linear_outputs(values: Tensor, weights: Tensor, biases: Tensor, *, is_head: bool) -> Tensor:
    """Return the outputs of a linear layer, shape (batch, outputs), for values of shape (batch, inputs)."""
    if is_head:
        return (weights @ values.t() + biases[:, None]).t()
    return linear(values, weights, biases)
