"""Price: what a network of learned precision costs on the chip, as a differentiable signal."""

from typing import Literal

import torch
from torch import Tensor, nn

from nanotrigger.networks.layers import LearnedLinear, LearnedQuantizer, Quantizer

Unit = Literal["ebops", "aluts"]

_SUM_BITS = 2.0  # by which the adders of a sum are wider than its activations
_DIGITS_PER_BIT = 1 / 3  # of a random number in canonical signed digits, behind its first (Reitwiesner 1960)


class Price(nn.Module):
    """The price of a network, times a rate that a budget sets.

    In `ebops`, effective bit operations: the sum over all products of the weight's bits times the activation's bits
    (HGQ, arXiv 2405.00645, eq. 5), and over all biases of their bits. In `aluts`, the adders that the products of
    constants become: the weight's signed digits times the width of a sum.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unit: Unit = "aluts"
        self.rate: Tensor
        self.register_buffer("rate", torch.zeros(()))

    def forward(self, layers: nn.Sequential) -> Tensor:
        """Return the price of layers, a scalar, differentiable with respect to their bits."""
        total, signal = torch.zeros(()), torch.zeros(())
        for layer in layers:
            if isinstance(layer, LearnedQuantizer):
                signal = layer.learned.bits()
            elif isinstance(layer, Quantizer):
                signal = torch.tensor(float(layer.format.width))
            elif isinstance(layer, LearnedLinear):
                total = total + self._of(layer, signal)
        return total

    def _of(self, layer: LearnedLinear, signal: Tensor) -> Tensor:
        weights, biases = layer.bits()
        if self.unit == "ebops":
            return weights.sum() * signal + biases.sum()
        digits = weights.clamp(max=1) + _DIGITS_PER_BIT * (weights - 1).clamp(min=0)
        return (digits.sum() + biases.clamp(max=1).sum()) * (signal + _SUM_BITS)
