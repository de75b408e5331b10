"""Ranges: the exact smallest and largest integer that a signal can take, and the bits it needs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """All integers from `low` to `high`, both included.

    >>> Range(0, 255) * -3 + Range(1, 1)
    Range(low=-764, high=1)
    """

    low: int
    high: int

    @property
    def is_constant(self) -> bool:
        """Whether there is but one value."""
        return self.low == self.high

    @property
    def bits(self) -> int:
        """Width of the word in bits, two's complement if a value is negative; 0 for a constant, which needs no wire.

        >>> Range(0, 4).bits, Range(-4, 3).bits, Range(-5, 3).bits, Range(7, 7).bits
        (3, 3, 4, 0)
        """
        if self.low == self.high:
            return 0
        if self.low >= 0:
            return self.high.bit_length()
        return max((~self.low).bit_length(), max(self.high, 0).bit_length()) + 1

    def __add__(self, other: "Range") -> "Range":
        """Return the range of the sum of two independent signals."""
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: int) -> "Range":
        """Return the range of the signal times a constant."""
        if factor >= 0:
            return Range(self.low * factor, self.high * factor)
        return Range(self.high * factor, self.low * factor)

    def __contains__(self, other: "Range") -> bool:
        """Whether every value of another range is one of this."""
        return self.low <= other.low and other.high <= self.high
