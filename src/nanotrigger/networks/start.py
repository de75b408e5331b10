"""Where the training of a quantized layer starts: at weights that its format does not round away."""

import torch
from torch import Tensor

from nanotrigger.numbers import FixedPoint

_LEAST = 4  # weights of a unit that are not zero


def fitted(weights: Tensor, number: FixedPoint) -> Tensor:
    """Return weights that keep their signs and survive their format, same shape.

    A unit whose weights all round to zero gives a constant, and neither it nor what is before it has a gradient. Where
    the weights that survive have less than half of a unit's sum of squares, or are fewer than four, its largest ones
    are moved to a step from zero, as many as make up for it. Binary weights keep their order, and spread evenly up to
    a step from zero: much nearer, every step of the training would turn the signs of many.

    Args:
        weights: drawn at random, or trained in another format, shape (outputs, inputs); zeros stay zeros.
        number: their format.

    >>> weights = torch.tensor([[0.4, -0.3, 0.2, 0.1, 0.1, 0.0]])
    >>> fitted(weights, FixedPoint(2, 2))
    tensor([[ 1.0000, -1.0000,  1.0000,  1.0000,  0.1000,  0.0000]])
    >>> fitted(weights, FixedPoint(6, 2)).equal(weights)
    True
    """
    if number.is_binary:
        ranks = weights.abs().flatten().argsort(stable=True).argsort().reshape(weights.shape)
        return weights.sign() * number.step * (ranks + 1) / weights.numel()
    squares, kept = weights.square(), number.quantize(weights) != 0
    power = squares.sum(dim=1, keepdim=True)
    survives = ((squares * kept).sum(dim=1, keepdim=True) >= power / 2) & (kept.sum(dim=1, keepdim=True) >= _LEAST)
    needed = (power / (2 * number.step**2)).ceil().clamp(min=_LEAST)
    ranks = squares.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    lifted = ~survives & ~kept & (ranks < needed)
    return torch.where(lifted, weights.sign() * number.step, weights)
