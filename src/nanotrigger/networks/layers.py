"""Layers of dense networks, float or quantized.

The quantized ones are Brevitas layers, whose quantizers define every number and are what is exported. Their forward
pass calculates the same values and gradients in the few operations of `numbers/straight_through.py`.
"""

from typing import Literal

import torch
from brevitas.nn import QuantIdentity, QuantLinear, QuantReLU
from torch import Tensor, nn
from torch.nn.functional import linear

from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.learned import (
    LearnedActivation,
    learned_activation_quantizer,
    learned_bias_quantizer,
    learned_weight_quantizer,
)
from nanotrigger.numbers.quantizers import activation_quantizer, bias_quantizer, weight_quantizer
from nanotrigger.numbers.straight_through import quantize_activation, quantize_parameter

Granularity = Literal["weight", "neuron", "tensor"]  # what has bits of its own


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
        return _linear(values, weights, biases, is_head=self.is_head)


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


class LearnedLinear(QuantLinear):
    """Linear layer whose weights and biases have bits that are trained.

    Args:
        inputs: number of inputs.
        outputs: number of outputs.
        weight: widest format of the weights.
        bias: widest format of the biases.
        granularity: what has bits of its own.
        is_head: as of `QuantizedLinear`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        weight: FixedPoint,
        bias: FixedPoint,
        *,
        granularity: Granularity,
        is_head: bool = False,
    ) -> None:
        rows, columns = outputs if granularity != "tensor" else 1, inputs if granularity == "weight" else 1
        super().__init__(
            inputs,
            outputs,
            bias=True,
            weight_quant=learned_weight_quantizer(weight, (rows, columns)),
            bias_quant=learned_bias_quantizer(bias, (rows,)),
        )
        self.is_head = is_head

    def quantized(self) -> tuple[Tensor, Tensor]:
        """Return weights, shape (outputs, inputs), and biases, shape (outputs,)."""
        weights = self.weight_quant.tensor_quant.quantize(self.weight)
        return weights, self.bias_quant.tensor_quant.quantize(self.bias)

    def bits(self) -> tuple[Tensor, Tensor]:
        """Return the bits of weights and biases, differentiable, in their shapes."""
        weights = self.weight_quant.tensor_quant.bits(self.weight)
        return weights, self.bias_quant.tensor_quant.bits(self.bias)

    def forward(self, values: Tensor) -> Tensor:
        """Return the outputs, shape (batch, outputs), for values of shape (batch, inputs)."""
        return _linear(values, *self.quantized(), is_head=self.is_head)


class LearnedQuantizer(QuantIdentity):
    """Quantize what passes, to bits that are trained.

    Args:
        ceiling: the widest format.
    """

    def __init__(self, ceiling: FixedPoint) -> None:
        super().__init__(act_quant=learned_activation_quantizer(ceiling))

    @property
    def learned(self) -> LearnedActivation:
        """The quantizer."""
        quantizer: LearnedActivation = self.act_quant.fused_activation_quant_proxy.tensor_quant
        return quantizer

    def forward(self, values: Tensor) -> Tensor:
        """Return quantized values, same shape; of an unsigned format those of their ReLU."""
        return self.learned.quantize(values if self.learned.ceiling.signed else values.relu())


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
    learned: Granularity | None = None,
) -> nn.Linear:
    """Return a linear layer whose weights are drawn uniformly with `variance` / inputs; biases start at zero.

    A variance of 1 is LeCun's (Efficient BackProp, 1998, eq. 16), 2 is He's (arXiv 1502.01852, eq. 10).
    """
    if weight is None or bias is None:
        layer = nn.Linear(inputs, outputs)
    elif learned is not None:
        layer = LearnedLinear(inputs, outputs, weight, bias, granularity=learned, is_head=is_head)
    else:
        layer = QuantizedLinear(inputs, outputs, weight, bias, is_head=is_head)
    limit = (3 * variance / inputs) ** 0.5
    torch.nn.init.uniform_(layer.weight, -limit, limit)
    torch.nn.init.zeros_(layer.bias)
    return layer


def relu_layer(activation: FixedPoint | None, *, slope: float = 0.0, learned: bool = False) -> nn.Module:
    """Return a quantized ReLU, or a float one with a slope for negative values."""
    if activation is not None:
        return LearnedQuantizer(activation) if learned else QuantizedReLU(activation)
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def quantizer_layer(number: FixedPoint, *, learned: bool = False) -> nn.Module:
    """Return a quantizer of input, latent values or output."""
    return LearnedQuantizer(number) if learned else Quantizer(number)


def _linear(values: Tensor, weights: Tensor, biases: Tensor, *, is_head: bool) -> Tensor:
    if is_head:
        return (weights @ values.t() + biases[:, None]).t()
    return linear(values, weights, biases)
