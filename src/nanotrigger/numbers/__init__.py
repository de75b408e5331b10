"""Numbers: the fixed-point format and the quantizers that train with it."""

from nanotrigger.numbers.fixed_point import CoarseFixedPoint, FixedPoint, WideFixedPoint

__all__ = ["CoarseFixedPoint", "FixedPoint", "WideFixedPoint"]
