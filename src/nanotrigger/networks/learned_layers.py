"""Layers whose bits are trained, and what they cost."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from brevitas.nn import QuantConv1d, QuantConv2d, QuantIdentity, QuantLinear
from torch import Tensor, nn

from nanotrigger.networks.layers import Granularity, Unit, linear_outputs
from nanotrigger.networks.narrowing import Narrowing
from nanotrigger.networks.structure import price_of
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.learned import (
    LearnedActivation,
    learned_activation_quantizer,
    learned_bias_quantizer,
    learned_weight_quantizer,
)

_SUM_BITS = 2.0  # by which the adders of a sum are wider than its activations
_DIGITS_PER_BIT = 1 / 3  # of a random number in canonical signed digits, after its first (Reitwiesner 1960)


class _Learned:
    """What layers whose weights and biases have bits that are trained have in common.

    Attributes:
        places: how often each weight is there, as it is at each place of a convolution.
    """

    places: int
    weight: Tensor
    bias: Tensor
    weight_quant: Any
    bias_quant: Any

    def quantized(self) -> tuple[Tensor, Tensor]:
        """Return weights and biases, of their shapes."""
        weights: Tensor = self.weight_quant.tensor_quant.quantize(self.weight)
        return weights, self.bias_quant.tensor_quant.quantize(self.bias)

    def bits(self) -> tuple[Tensor, Tensor]:
        """Return the bits of weights and biases, differentiable, in their shapes."""
        weights: Tensor = self.weight_quant.tensor_quant.bits(self.weight)
        return weights, self.bias_quant.tensor_quant.bits(self.bias)

    def priced(self, signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        """Return the price of the products with a signal of so many bits, and of their sums; differentiable."""
        weights, biases = self.bits()
        if unit == "ebops":
            return self.places * (weights.sum() * signal + biases.sum()), signal
        digits = weights.clamp(max=1) + _DIGITS_PER_BIT * (weights - 1).clamp(min=0)
        return self.places * (digits.sum() + biases.clamp(max=1).sum()) * (signal + _SUM_BITS), signal


def _quantizers(weight: FixedPoint, bias: FixedPoint, shape: Sequence[int], granularity: Granularity) -> dict[str, Any]:
    """Return the quantizers of a layer whose weights have this shape, outputs first."""
    rows = shape[0] if granularity != "tensor" else 1
    others = tuple(shape[1:]) if granularity == "weight" else (1,) * (len(shape) - 1)
    return {
        "weight_quant": learned_weight_quantizer(weight, (rows, *others)),
        "bias_quant": learned_bias_quantizer(bias, (rows,)),
    }


class LearnedLinear(_Learned, QuantLinear):
    """Linear layer whose weights and biases have bits that are trained.

    Args:
        inputs: number of inputs.
        outputs: number of outputs.
        weight: widest format of the weights.
        bias: widest format of the biases.
        granularity: what has bits of its own.
        places: how often each weight is there, as it is for each particle of a set.
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
        places: int = 1,
        is_head: bool = False,
    ) -> None:
        super().__init__(inputs, outputs, bias=True, **_quantizers(weight, bias, (outputs, inputs), granularity))
        self.places = places
        self.is_head = is_head

    def forward(self, values: Tensor) -> Tensor:
        """Return the outputs, shape (batch, ..., outputs), for values of shape (batch, ..., inputs)."""
        return linear_outputs(values, *self.quantized(), is_head=self.is_head)


class _LearnedConvolution(_Learned):
    """Convolution whose weights and biases have bits that are trained.

    Args:
        inputs: number of input channels.
        outputs: number of filters.
        kernel: size of a window, along every axis.
        weight: widest format of the weights.
        bias: widest format of the biases.
        granularity: what has bits of its own; of a `neuron`, those of a filter.
        places: of the filters.
        **window: `stride` and `padding`, as of torch's layer.
    """

    axes: int
    _conv_forward: Any

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        weight: FixedPoint,
        bias: FixedPoint,
        *,
        granularity: Granularity,
        places: int,
        **window: Any,
    ) -> None:
        quantizers = _quantizers(weight, bias, (outputs, inputs, *[kernel] * self.axes), granularity)
        super().__init__(inputs, outputs, kernel, bias=True, **quantizers, **window)  # type: ignore[call-arg]
        self.places = places

    def forward(self, values: Tensor) -> Tensor:
        """Return the outputs, shape (batch, outputs, *places), for values of shape (batch, inputs, *sizes)."""
        outputs: Tensor = self._conv_forward(values, *self.quantized())
        return outputs


class LearnedConv1d(_LearnedConvolution, QuantConv1d):
    """Convolution along one axis."""

    axes = 1


class LearnedConv2d(_LearnedConvolution, QuantConv2d):
    """Convolution of images."""

    axes = 2


LEARNED_WEIGHTS = (LearnedLinear, LearnedConv1d, LearnedConv2d)


class LearnedQuantizer(QuantIdentity):
    """Quantize what passes, to bits that are trained.

    Args:
        ceiling: the widest format.
        neurons: how many there are, if each may have fewer bits than what is learned for all.
    """

    def __init__(self, ceiling: FixedPoint, neurons: int | None = None) -> None:
        super().__init__(act_quant=learned_activation_quantizer(ceiling))
        self.narrowing = None if neurons is None else Narrowing(neurons)

    @property
    def learned(self) -> LearnedActivation:
        """The quantizer."""
        quantizer: LearnedActivation = self.act_quant.fused_activation_quant_proxy.tensor_quant
        return quantizer

    def forward(self, values: Tensor) -> Tensor:
        """Return quantized values, same shape; of an unsigned format those of their ReLU."""
        fewer_bits = None if self.narrowing is None else self.narrowing.bits
        return self.learned.quantize(values if self.learned.ceiling.signed else values.relu(), fewer_bits)

    def priced(self, signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        """Return that it is free, and the bits of what it gives, differentiable."""
        return torch.zeros(()), self.learned.bits()


class Price(nn.Module):
    """The price of a network, and the rate that a budget sets for it.

    In `ebops`, effective bit operations: the sum over all products of the weight's bits times the activation's bits
    (HGQ, arXiv 2405.00645, eq. 5), and over all biases of their bits. In `aluts`, the adders that the products of
    constants become: the weight's signed digits times the width of a sum.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unit: Unit = "aluts"
        self.rate: Tensor
        self.register_buffer("rate", torch.zeros(()))

    def forward(self, layers: Iterable[nn.Module]) -> Tensor:
        """Return the price of layers, a scalar, differentiable with respect to their bits."""
        return price_of(layers, torch.zeros(()), self.unit)[0]
