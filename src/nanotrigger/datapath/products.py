"""Products of a signal and constants, by shifts and adders."""

from nanotrigger.datapath.assembly import Assembly, Term
from nanotrigger.datapath.operations import Kind
from nanotrigger.datapath.signed_digits import odd_part, signed_digits


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
