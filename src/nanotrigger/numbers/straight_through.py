"""Fake quantization with straight-through gradients, in the few operations that a compiler fuses.

Values and gradients are those of the Brevitas quantizers in `quantizers.py`, bit for bit, in a tenth of the time.
"""

import torch
from torch import Tensor

from nanotrigger.numbers.fixed_point import FixedPoint


def quantize_parameter(values: Tensor, number: FixedPoint) -> Tensor:
    """Return the values of `number` nearest to weights or biases; the gradient is one, also where they saturate.

    Only where they have one bit is it the step (arXiv 1602.02830, eq. 4), as Brevitas has it.

    >>> weights = torch.tensor([-9.0, 0.3], requires_grad=True)
    >>> quantize_parameter(weights, FixedPoint(4, 2)).sum().backward()
    >>> quantize_parameter(weights, FixedPoint(4, 2)).tolist(), weights.grad.tolist()
    ([-2.0, 0.25], [1.0, 1.0])
    """
    if number.is_binary:
        return _straight_through(values, torch.where(values >= 0, 1.0, -1.0).to(values)) * number.step
    words = values / number.step
    rounded = words.round().clamp(number.minimum_word, number.maximum_word)
    return _straight_through(words, rounded) * number.step


def quantize_activation(values: Tensor, number: FixedPoint) -> Tensor:
    """Return the values of `number` nearest to activations; the gradient is one inside the range, zero outside.

    `number` has more than one bit.

    >>> values = torch.tensor([-9.0, 0.3], requires_grad=True)
    >>> quantize_activation(values, FixedPoint(4, 2)).sum().backward()
    >>> values.grad.tolist()
    [0.0, 1.0]
    """
    words = values / number.step
    rounded = _straight_through(words, words.round())
    return rounded.clamp(number.minimum_word, number.maximum_word) * number.step


def _straight_through(values: Tensor, quantized: Tensor) -> Tensor:
    """Return `quantized` with the gradient of `values`: exact, because a finite number minus itself is zero.

    An autograd function would be lost in a compiled gradient (torch 2.13 drops that of one with several arguments).
    """
    if not torch.is_grad_enabled():
        return quantized
    return quantized.detach() + (values - values.detach())
