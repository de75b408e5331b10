"""Canonical signed digits: a constant as the fewest sums and differences of powers of two."""

from functools import cache
from typing import NamedTuple


class Digit(NamedTuple):
    """One non-zero digit: `sign` times two to the power of `shift`."""

    sign: int
    shift: int


@cache
def signed_digits(constant: int) -> tuple[Digit, ...]:
    """Return the canonical signed digits of a constant, the lowest first: no two of them are neighbours.

    Source: G. W. Reitwiesner, Binary arithmetic, Advances in Computers 1 (1960) 231.

    >>> signed_digits(7)
    (Digit(sign=-1, shift=0), Digit(sign=1, shift=3))
    >>> signed_digits(-10)
    (Digit(sign=-1, shift=1), Digit(sign=-1, shift=3))
    >>> signed_digits(0)
    ()
    """
    digits = []
    shift = 0
    while constant:
        if constant & 1:
            sign = 2 - (constant & 3)  # 1 mod 4 leaves +1, 3 mod 4 leaves -1
            digits.append(Digit(sign, shift))
            constant -= sign
        constant >>= 1
        shift += 1
    return tuple(digits)


@cache
def odd_part(constant: int) -> tuple[int, int, int]:
    """Return (sign, odd, shift) with `constant == sign * odd * 2**shift`.

    >>> odd_part(-12)
    (-1, 3, 2)

    Raises:
        ValueError: the constant is zero.
    """
    if constant == 0:
        raise ValueError("zero has no odd part")
    size = abs(constant)
    shift = (size & -size).bit_length() - 1
    return (1 if constant > 0 else -1), size >> shift, shift
