"""Learned precision: fixed-point quantizers whose bits are trained by gradient (HGQ, arXiv 2405.00645).

They are tensor quantizers for Brevitas: each returns the values, and step, zero point and width of one format that
holds them all.
"""

import math

import torch
from brevitas.inject import ExtendedInjector
from brevitas.quant.solver import ActQuantSolver, BiasQuantSolver, WeightQuantSolver
from torch import Tensor, nn

from nanotrigger.numbers.fixed_point import FixedPoint
from nanotrigger.numbers.quantizers import power_of_two

Quantized = tuple[Tensor, Tensor, Tensor, Tensor]

_LARGEST = 53  # exponent of a format
_RELUCTANCE = 0.1  # of the bits of a whole tensor, to change as fast as those of a weight


class LearnedParameter(nn.Module):
    """Quantize weights or biases to fractional bits that are trained, at most those of a format.

    x becomes round(x 2^f) 2^-f, with f rounded. The gradients are one for x and ln 2 (x - x_q) for f (eqs. 4 and 15).
    A weight that has lost all bits is zero: it is pruned. The range is symmetric.

    Args:
        fraction_shape: of f; broadcast over the values.
        ceiling: the widest format; f begins with its fractional bits.
    """

    def __init__(self, fraction_shape: tuple[int, ...], ceiling: FixedPoint) -> None:
        super().__init__()
        self.ceiling = ceiling
        self.fraction = nn.Parameter(torch.full(fraction_shape, float(ceiling.width - ceiling.integer)))

    def quantize(self, values: Tensor) -> Tensor:
        """Return quantized values, same shape."""
        fraction = self.fraction.clamp(min=-_LARGEST, max=self.ceiling.width - self.ceiling.integer)
        step = power_of_two(-fraction.round()).to(values)
        limit = (2.0 ** (self.ceiling.integer - 1) - step).clamp(min=0)
        quantized = ((values / step).round() * step).clamp(-limit, limit).detach()
        if not torch.is_grad_enabled():
            return quantized
        gradient = math.log(2) * (values.detach().clamp(-limit, limit) - quantized)
        return quantized + (values - values.detach()) + gradient * (fraction - fraction.detach())

    def bits(self, values: Tensor) -> Tensor:
        """Return the bits of each value between its first one that is set and its step; zero for a zero.

        They are log2 |x| + f, rounded; the gradients are those of log2 |x| + f. HGQ trains only f by them. Here x is
        trained too, so that a weight which lowers the loss too little loses its last bit.
        """
        quantized = self.quantize(values).detach().float()
        leading = (quantized.view(torch.int32) >> 23 & 0xFF) - 126  # exponent of a float, plus one
        fraction = self.fraction + (self.fraction.round() - self.fraction).detach()
        size = values.float().abs().clamp(min=2.0**-_LARGEST).log2()
        return torch.where(quantized == 0, 0.0, (leading + fraction).clamp(min=1) + (size - size.detach()))

    def forward(self, values: Tensor) -> Quantized:
        """Return quantized values, and step, zero point and width of the format that holds them."""
        quantized = self.quantize(values)
        return _described(quantized, covering(quantized))


class LearnedActivation(nn.Module):
    """Quantize activations to integer and fractional bits that are trained, one format for the tensor.

    Values saturate at the bounds of the format, and the gradients there train the integer bits. A bit that is given up
    in training never comes back: else the whole tensor could gain and lose it by turns, which no weight can follow.

    Args:
        ceiling: the widest format; the bits begin with its own.
    """

    def __init__(self, ceiling: FixedPoint) -> None:
        super().__init__()
        self.ceiling = ceiling
        bits = torch.tensor([float(ceiling.integer - ceiling.signed), float(ceiling.width - ceiling.integer)])
        self.reluctant = nn.Parameter(bits / _RELUCTANCE)  # integer bits, without the sign, and fractional bits
        self.limits: Tensor
        self.register_buffer("limits", bits.clone())

    @property
    def number(self) -> FixedPoint:
        """The format that was learned."""
        integer, fraction = (round(bits.item()) for bits in self._bits())
        sign = self.ceiling.signed
        return FixedPoint(integer + fraction + sign, integer + sign, sign, rounding=self.ceiling.rounding)

    def bits(self) -> Tensor:
        """Return the width of the format, differentiable."""
        return self._bits().sum() + self.ceiling.signed

    def _bits(self) -> Tensor:
        """Return integer bits, without the sign, and fractional bits, rounded straight through; two or more in all."""
        sign, bits = self.ceiling.signed, _RELUCTANCE * self.reluctant
        integer, fraction = bits.detach().round().minimum(self.limits)
        fraction = fraction.clamp(min=0).maximum(2 - sign - integer)
        return torch.stack([integer, fraction]) + (bits - bits.detach())

    def quantize(self, values: Tensor, fewer_bits: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Return quantized values, same shape; `fewer_bits` are as of `quantize_activation`."""
        bits = self._bits()
        integer, fraction = bits.detach()
        if self.training:
            self.limits.copy_(self.limits.minimum(bits.detach()))
        if fewer_bits is not None:
            low, high = fewer_bits
            integer, fraction = integer - high, fraction - low
        step, size = power_of_two(-fraction).to(values), power_of_two(integer).to(values)
        minimum = -size if self.ceiling.signed else torch.zeros_like(size)
        words = values / step
        rounded = ((words.floor() if self.ceiling.rounds_down else words.round()) * step).detach()
        quantized = rounded.clamp(minimum, size - step)
        if not torch.is_grad_enabled():
            return quantized
        by_integer, by_fraction = bits - bits.detach()
        # of the values inside, and of the bounds size - step and -size
        inside = (values - values.detach()) + math.log(2) * (values.detach() - rounded) * by_fraction
        above = math.log(2) * (size * by_integer + step * by_fraction)
        below = math.log(2) * minimum * by_integer
        return quantized + torch.where(rounded > quantized, above, torch.where(rounded < quantized, below, inside))

    def forward(self, values: Tensor) -> Quantized:
        """Return quantized values, and step, zero point and width of their format."""
        return _described(self.quantize(values), self.number)


def learned_weight_quantizer(ceiling: FixedPoint, shape: tuple[int, ...]) -> type[ExtendedInjector]:
    """Return a `weight_quant` for Brevitas layers with a `LearnedParameter`; `shape` is that of its bits."""
    return _injector(WeightQuantSolver, LearnedParameter, ceiling, fraction_shape=shape)


def learned_bias_quantizer(ceiling: FixedPoint, shape: tuple[int, ...]) -> type[ExtendedInjector]:
    """Return a `bias_quant` for Brevitas layers with a `LearnedParameter`; `shape` is that of its bits."""
    return _injector(BiasQuantSolver, LearnedParameter, ceiling, fraction_shape=shape, requires_input_scale=False)


def learned_activation_quantizer(ceiling: FixedPoint) -> type[ExtendedInjector]:
    """Return an `act_quant` for Brevitas activations with a `LearnedActivation`."""
    return _injector(ActQuantSolver, LearnedActivation, ceiling)


def covering(values: Tensor) -> FixedPoint:
    """Return the narrowest signed format of two bits or more that holds all values exactly.

    >>> str(covering(torch.tensor([0.75, -2.0])))
    'fixed<4,2>'
    """
    found = values.detach().double().cpu()
    found = found[found != 0]
    if not len(found):
        return FixedPoint(2, 1)
    mantissas, exponents = torch.frexp(found)
    words = (mantissas * 2.0**53).long()
    trailing = torch.tensor([(word & -word).bit_length() - 1 for word in words.tolist()])
    fraction = max(int((53 - trailing - exponents).max()), 0)
    integer = int(torch.where(mantissas == -0.5, exponents, exponents + 1).max())
    return FixedPoint(max(integer + fraction, 2), integer if integer + fraction > 1 else 2 - fraction)


def _injector(
    solver: type[ExtendedInjector], quantizer: type[nn.Module], ceiling: FixedPoint, **extra: object
) -> type[ExtendedInjector]:
    attributes = {"tensor_quant": quantizer, "ceiling": ceiling, "signed": ceiling.signed, "narrow_range": False}
    return type(f"{quantizer.__name__}_{ceiling.width}_{ceiling.integer}", (solver,), {**attributes, **extra})


def _described(values: Tensor, number: FixedPoint) -> Quantized:
    step, zero, width = (torch.tensor(float(entry)).to(values) for entry in (number.step, 0, number.width))
    return values, step, zero, width
