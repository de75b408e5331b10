"""Layers that are quantized.

They are Brevitas layers, whose quantizers define every number and are what is exported. Their forward
pass calculates the same values and gradients in the few operations of `quantize_parameter` and `quantize_activation`.
"""

from typing import Any, Literal

import torch
from brevitas.nn import QuantConv1d, QuantConv2d, QuantIdentity, QuantLinear, QuantReLU
from torch import Tensor, nn
from torch.nn.functional import linear

from nanotrigger.networks.narrowing import Narrowing
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.quantizers import (
    activation_quantizer,
    bias_quantizer,
    quantize_activation,
    quantize_parameter,
    weight_quantizer,
)

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
Granularity = Literal["weight", "neuron", "tensor"]  # what has bits of its own
Unit = Literal["ebops", "aluts"]  # of a price


class _Quantized:
    """What layers with quantized weights and biases have in common.

    Attributes:
        formats: of weights and biases.
    """

    formats: tuple[FixedPoint, FixedPoint]
    weight: Tensor
    bias: Tensor

    def quantized(self) -> tuple[Tensor, Tensor]:
        """Return weights and biases, of their shapes."""
        weight, bias = self.formats
        return quantize_parameter(self.weight, weight), quantize_parameter(self.bias, bias)


class QuantizedLinear(_Quantized, QuantLinear):
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
        """Return the outputs, shape (batch, ..., outputs), for values of shape (batch, ..., inputs)."""
        if self.weight_quant.export_mode:
            return super().forward(values)
        return linear_outputs(values, *self.quantized(), is_head=self.is_head)


class _QuantizedConvolution(_Quantized):
    """Convolution with quantized weights and biases.

    Args:
        inputs: number of input channels.
        outputs: number of filters.
        kernel: size of a window, along every axis.
        weight: format of the weights.
        bias: format of the biases.
        **window: `stride` and `padding`, as of torch's layer.
    """

    weight_quant: Any
    _conv_forward: Any

    def __init__(
        self, inputs: int, outputs: int, kernel: int, weight: FixedPoint, bias: FixedPoint, **window: Any
    ) -> None:
        quantizers = {"weight_quant": weight_quantizer(weight), "bias_quant": bias_quantizer(bias)}
        super().__init__(inputs, outputs, kernel, bias=True, **quantizers, **window)  # type: ignore[call-arg]
        self.formats = (weight, bias)

    def forward(self, values: Tensor) -> Tensor:
        """Return the outputs, shape (batch, outputs, *places), for values of shape (batch, inputs, *sizes)."""
        if self.weight_quant.export_mode:
            outputs: Tensor = super().forward(values)  # type: ignore[misc]
            return outputs
        convolved: Tensor = self._conv_forward(values, *self.quantized())
        return convolved


class QuantizedConv1d(_QuantizedConvolution, QuantConv1d):
    """Convolution along one axis."""


class QuantizedConv2d(_QuantizedConvolution, QuantConv2d):
    """Convolution of images."""


class QuantizedReLU(QuantReLU):
    """ReLU whose outputs are quantized.

    Args:
        number: their format.
        neurons: how many there are, if each may have fewer bits.
    """

    def __init__(self, number: FixedPoint, neurons: int | None = None) -> None:
        super().__init__(act_quant=activation_quantizer(number))
        self.format = number
        self.narrowing = None if neurons is None else Narrowing(neurons)

    def forward(self, values: Tensor) -> Tensor:
        """Return quantized activations, same shape."""
        if self.act_quant.export_mode:  # what single neurons have not is written by `firmware.qonnx`
            return super().forward(values)
        fewer_bits = None if self.narrowing is None else self.narrowing.bits
        return quantize_activation(values.relu(), self.format, fewer_bits)

    def of_neuron(self, values: Tensor, neuron: int) -> Tensor:
        """Return quantized activations of one neuron, same shape."""
        fewer_bits = None if self.narrowing is None else (self.narrowing.low[neuron], self.narrowing.high[neuron])
        return quantize_activation(values.relu(), self.format, fewer_bits)


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
