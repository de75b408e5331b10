"""Numbers: the fixed-point format and the quantizers that train with it."""

from nanotrigger.numbers.fixed_point import FixedPoint

__all__ = ["FixedPoint"]
