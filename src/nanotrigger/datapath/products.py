"""Products of a signal and constants, by shifts and adders: constants in canonical signed digits."""

from functools import cache
from typing import NamedTuple

from nanotrigger.datapath.assembly import Assembly, Term
from nanotrigger.datapath.operations import Kind


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


class Products:
    """The products of one signal; each odd multiple, and each partial sum on the way to one, is made once.

    A multiple is summed digit by digit from the top, as in Horner's rule: 11 x = (((x << 2) - x) << 2) - x.
    """

    def __init__(self, assembly: Assembly, layer: str, signal: int) -> None:
        self._assembly = assembly
        self._layer = layer
        self._signal = signal
        self._multiples = {1: signal}
        self._terms: dict[tuple[int, bool], Term] = {}

    def times(self, constant: int, *, positive: bool = False) -> Term:
        """Return the product with a constant other than zero.

        Args:
            constant: a word.
            positive: make the sign of the term plus, if the last adder can: nothing later will take a minus.
        """
        sign, odd, shift = odd_part(constant)
        if positive:
            sign, odd = 1, sign * odd
        if (odd, positive) not in self._terms:
            self._terms[odd, positive] = self._odd_multiple(odd, positive=positive)
        term = self._terms[odd, positive]
        return Term(term.signal, term.sign * sign, term.shift + shift)

    def _odd_multiple(self, odd: int, *, positive: bool) -> Term:
        top, *digits = reversed(signed_digits(odd))
        total, multiple = Term(self._signal, top.sign, top.shift), top.sign << top.shift
        for digit in digits:
            multiple += digit.sign << digit.shift
            pair = total, Term(self._signal, digit.sign, digit.shift)
            total = self._add(pair, multiple >> digit.shift, positive=positive and digit.shift == 0)
        return total

    def _add(self, pair: tuple[Term, Term], multiple: int, *, positive: bool) -> Term:
        """Return the sum of two terms, whose value is `multiple` times the signal, shifted as the lower of them."""
        low = min(pair, key=lambda term: term.shift)
        sign = 1 if positive and any(term.sign > 0 for term in pair) else low.sign
        made = sign * multiple
        if made not in self._multiples:
            words = self._assembly.range_of(self._signal) * made
            term = self._assembly.add(self._layer, Kind.PRODUCT, pair, positive=positive, words=words)
            self._multiples[made] = term.signal
        return Term(self._multiples[made], sign, low.shift)
