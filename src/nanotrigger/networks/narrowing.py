"""Narrowing: neurons whose activations have fewer bits than the format of their layer."""

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor, nn

from nanotrigger.numbers import FixedPoint

LEAST_BITS = 2  # of an activation; one unsigned bit has no exact firmware


class Narrowing(nn.Module):
    """How many bits of its layer's format the activation of each neuron has not; the refinement of a budget says.

    Args:
        neurons: of the layer.

    Attributes:
        low: bits that are cut off, whole numbers, shape (neurons,), all zero at first.
        high: bits without which the activation saturates earlier, likewise.
    """

    def __init__(self, neurons: int) -> None:
        super().__init__()
        self.low: Tensor
        self.high: Tensor
        self.register_buffer("low", torch.zeros(neurons))
        self.register_buffer("high", torch.zeros(neurons))

    @property
    def is_used(self) -> bool:
        """Whether any neuron has fewer bits."""
        return bool(self.low.any() or self.high.any())

    @property
    def bits(self) -> tuple[Tensor, Tensor]:
        """The low and the high ones, as quantizers take them."""
        return self.low, self.high

    def formats(self, number: FixedPoint) -> tuple[FixedPoint, ...]:
        """Return the format of each neuron, of that of the layer."""
        pairs = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return tuple(narrowed(number, int(low), int(high)) for low, high in pairs)


@cache
def narrowed(number: FixedPoint, low: int, high: int) -> FixedPoint:
    """Return a format without some of its low and high bits.

    >>> str(narrowed(FixedPoint(6, 2, signed=False), 1, 2))
    'ufixed<3,0>'
    """
    return replace(number, width=number.width - low - high, integer=number.integer - high)
