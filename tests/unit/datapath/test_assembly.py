"""Canonical signed digits sum up to the constant, and no two of them are neighbours."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanotrigger.datapath.assembly import odd_part, signed_digits


@pytest.mark.parametrize(("constant", "digits"), [(0, 0), (1, 1), (8, 1), (3, 2), (7, 2), (11, 3), (-5, 2), (255, 2)])
def test_number_of_digits(constant, digits):
    assert len(signed_digits(constant)) == digits


@given(st.integers(-(2**40), 2**40))
def test_digits_are_canonical(constant):
    digits = signed_digits(constant)
    assert sum(digit.sign << digit.shift for digit in digits) == constant
    shifts = [digit.shift for digit in digits]
    assert all(second - first >= 2 for first, second in pairwise(shifts))


@given(st.integers(-(2**40), 2**40).filter(bool))
def test_odd_part(constant):
    sign, odd, shift = odd_part(constant)
    assert sign * odd << shift == constant
    assert odd > 0
    assert odd % 2 == 1


def test_zero_has_no_odd_part():
    with pytest.raises(ValueError, match="zero"):
        odd_part(0)
