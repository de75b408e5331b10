"""Brevitas quantizers made from a FixedPoint; those whose bits are trained are in `learned.py`."""

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
        "float_to_int_impl_type": FloatToIntImplType.ROUND,  # half to even, as QKeras and RND_CONV
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
