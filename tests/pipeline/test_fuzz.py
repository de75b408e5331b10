"""Damaged input ends in a result or in one line; random networks are computed exactly or refused: the short runs."""

import pytest

from tests.fuzz.networks import check
from tests.fuzz.parse import parse
from tests.fuzz.targets import outcome, targets


def test_damaged_input_is_read_or_refused():
    ends = parse(0, range(1000))
    assert len(ends) == 1000
    assert {end for _, _, end in ends} == {"read", "refused"}, [
        end for end in ends if end[2] not in ("read", "refused")
    ]


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_valid_input_is_read(target):
    assert outcome(target, target.seeds[0]) == "read"


@pytest.mark.slow
def test_random_networks_are_exact():
    ends = check(20)
    assert ends.total() == 20
    assert ends["exact"] >= 15, ends
