"""Quantizers made from a FixedPoint: Brevitas' own, which are exported, and the same in few operations, for training.

Values and gradients of both are equal bit for bit; the second are those that a compiler fuses, and take a tenth of the
time. Quantizers whose bits are trained are in `learned.py`.
"""

import torch
from brevitas.core.function_wrapper import InplaceTensorClampSte, TensorClamp
from brevitas.core.quant import BinaryQuant, ClampedBinaryQuant
from brevitas.core.scaling import ConstScaling, PowerOfTwoIntScaling
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.inject import ExtendedInjector
from brevitas.inject.enum import (
    BitWidthImplType,
    FloatToIntImplType,
    QuantType,
    RestrictValueType,
    ScalingImplType,
    ScalingPerOutputType,
)
from brevitas.quant.solver import ActQuantSolver, BiasQuantSolver, WeightQuantSolver
from torch import Tensor

from nanotrigger.errors import InputError
from nanotrigger.numbers.fixed_point import FixedPoint

MAXIMUM_WIDTH = 18  # bits; products of wider numbers no longer train faithfully in float32


def weight_quantizer(number: FixedPoint) -> type[ExtendedInjector]:
    """Return a `weight_quant` for Brevitas layers whose values are those of `number.quantize`.

    The straight-through gradient is one everywhere, as in QKeras: a saturated weight can come back.

    Raises:
        InputError: `number` is wider than 18 bits.
    """
    return _quantizer(number, WeightQuantSolver, InplaceTensorClampSte, BinaryQuant)


def bias_quantizer(number: FixedPoint) -> type[ExtendedInjector]:
    """Return a `bias_quant` for Brevitas layers: as `weight_quantizer`, independent of the input's scale."""
    return _quantizer(number, BiasQuantSolver, InplaceTensorClampSte, BinaryQuant, requires_input_scale=False)


def activation_quantizer(number: FixedPoint) -> type[ExtendedInjector]:
    """Return an `act_quant` for Brevitas activations, the network's input and its output.

    The straight-through gradient is one inside the range and zero where the value saturates.

    Raises:
        InputError: `number` is wider than 18 bits.
    """
    return _quantizer(number, ActQuantSolver, TensorClamp, ClampedBinaryQuant)


def _quantizer(
    number: FixedPoint,
    solver: type[ExtendedInjector],
    clamp: type,
    binary: type,
    **extra: object,
) -> type[ExtendedInjector]:
    if number.width > MAXIMUM_WIDTH:
        raise InputError(f"{number}: a network's formats have 1 to {MAXIMUM_WIDTH} bits")
    if number.width == 1 and not number.signed:
        raise InputError(f"{number}: one unsigned bit has no exact firmware; use two bits, or a signed one (±step)")
    attributes = {
        "quant_type": QuantType.INT,  # also where tensor_quant overrides it: the bias solver knows no binary
        "bit_width": number.width,
        "bit_width_impl_type": BitWidthImplType.CONST,
        "signed": number.signed,
        "narrow_range": number.narrow,
        "scaling_impl_type": ScalingImplType.CONST,
        "scaling_per_output_type": ScalingPerOutputType.TENSOR,
        "restrict_scaling_type": RestrictValueType.FP,
        # ROUND is half to even, as QKeras and RND_CONV
        "float_to_int_impl_type": FloatToIntImplType.FLOOR if number.rounds_down else FloatToIntImplType.ROUND,
        "zero_point_impl": ZeroZeroPoint,
        "tensor_clamp_impl": clamp,
        **extra,
    }
    if number.is_binary:
        attributes |= {
            "tensor_quant": binary,
            "scaling_impl": ConstScaling,
            "scaling_init": number.step,
        }
    else:
        attributes |= {
            "int_scaling_impl": PowerOfTwoIntScaling,  # else an unsigned 8-bit step is 4/255, not 4/256
            "scaling_init": 2.0 ** (number.integer - number.signed),
        }
    return type(f"Quantizer_{number.width}_{number.integer}", (solver,), attributes)


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


def quantize_activation(values: Tensor, number: FixedPoint, fewer_bits: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Return activations rounded to `number`; the gradient is one inside the range, zero outside.

    Args:
        values: their last axis is that of the neurons.
        number: of more than one bit.
        fewer_bits: how many low and high ones the activation of each neuron has not, whole, shape (neurons,).

    >>> values = torch.tensor([-9.0, 0.3], requires_grad=True)
    >>> quantize_activation(values, FixedPoint(4, 2)).sum().backward()
    >>> values.grad.tolist()
    [0.0, 1.0]
    """
    step: float | Tensor = number.step
    if fewer_bits is not None:
        step = step * power_of_two(fewer_bits[0])
    words = values / step
    rounded = _straight_through(words, words.floor() if number.rounds_down else words.round())
    if fewer_bits is None:
        return rounded.clamp(number.minimum_word, number.maximum_word) * step
    low, high = fewer_bits
    most = power_of_two(number.width - number.signed - low - high) - 1
    return rounded.clamp(min=number.minimum_word).clamp(max=most) * step


def power_of_two(exponent: Tensor) -> Tensor:
    """Return 2^exponent for whole exponents, exact where exp2 need not be; float32, without a gradient."""
    return ((exponent.detach().to(torch.int32) + 127) << 23).view(torch.float32)


def _straight_through(values: Tensor, quantized: Tensor) -> Tensor:
    """Return `quantized` with the gradient of `values`: exact, because a finite number minus itself is zero.

    An autograd function would be lost in a compiled gradient (torch 2.13 drops that of one with several arguments).
    """
    if not torch.is_grad_enabled():
        return quantized
    return quantized.detach() + (values - values.detach())
