"""Splits are disjoint, complete, seeded, and of the asked sizes."""

import pytest
import torch

from nanotrigger.data.split import random_split
from nanotrigger.errors import InputError


def test_parts_are_disjoint_and_complete():
    split = random_split(997, test=0.02, validation=0.25, seed=3)
    assert (len(split.test), len(split.validation)) == (20, 244)
    rows = torch.cat([split.train, split.validation, split.test])
    assert rows.sort().values.tolist() == list(range(997))


def test_the_seed_decides():
    first, again, other = (random_split(100, test=0.2, validation=0.25, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.test, again.test)
    assert not torch.equal(first.test, other.test)


@pytest.mark.parametrize(
    ("rows", "test", "validation", "message"),
    [
        (100, 0.0, 0.25, "data.test=0.0: the share must lie between 0 and 1"),
        (100, 0.2, 1.0, "data.validation=1.0: the share must lie between 0 and 1"),
        (3, 0.1, 0.25, "3 rows split into"),
    ],
)
def test_refuses(rows, test, validation, message):
    with pytest.raises(InputError, match=message):
        random_split(rows, test=test, validation=validation, seed=0)
