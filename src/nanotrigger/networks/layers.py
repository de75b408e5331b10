"""Layers of dense networks, float or quantized.

The quantized ones are Brevitas layers, whose quantizers define every number and are what is exported. Their forward
pass calculates the same values and gradients in the few operations of `numbers/straight_through.py`.
"""

import torch
from brevitas.nn import QuantIdentity, QuantLinear, QuantReLU
from torch import Tensor, nn
from torch.nn.functional import linear

from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.quantizers import activation_quantizer, bias_quantizer, weight_quantizer
from nanotrigger.numbers.straight_through import quantize_activation, quantize_parameter


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
        if self.is_head:
            return (weights @ values.t() + biases[:, None]).t()
        return linear(values, weights, biases)


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


def dense_layer(
    inputs: int,
    outputs: int,
    weight: FixedPoint | None,
    bias: FixedPoint | None,
    *,
    variance: float = 1.0,
    is_head: bool = False,
) -> nn.Linear:
    """Return a linear layer whose weights are drawn uniformly with `variance` / inputs; biases start at zero.

    A variance of 1 is LeCun's (Efficient BackProp, 1998, eq. 16), 2 is He's (arXiv 1502.01852, eq. 10).
    """
    if weight is None or bias is None:
        layer = nn.Linear(inputs, outputs)
    else:
        layer = QuantizedLinear(inputs, outputs, weight, bias, is_head=is_head)
    limit = (3 * variance / inputs) ** 0.5
    torch.nn.init.uniform_(layer.weight, -limit, limit)
    torch.nn.init.zeros_(layer.bias)
    return layer


def relu_layer(activation: FixedPoint | None, *, slope: float = 0.0) -> nn.Module:
    """Return a quantized ReLU, or a float one with a slope for negative values."""
    if activation is not None:
        return QuantizedReLU(activation)
    return nn.LeakyReLU(slope) if slope else nn.ReLU()
