"""Multijets with a lepton."""

from itertools import islice

import numpy as np
import pytest

from nanotrigger.simulate.multijets import multijets

pytest.importorskip("pythia8mc")

LEPTONS = (11, 13)
BEAUTY = (511, 521, 531, 5122)


@pytest.fixture(scope="module")
def events():
    return list(islice(multijets(1), 5))


def test_each_has_a_lepton_that_can_pass_the_filter(events):
    for event in events:
        assert event.pt[np.isin(event.code, LEPTONS)].max() > 20


def test_every_hadron_with_beauty_decays(events):
    for event in events:
        assert not np.isin(event.code, BEAUTY).any()
        assert not event.event.any()


def test_decays_keep_the_momentum(events):
    for event in events:
        for component in (np.cos, np.sin):
            assert np.sum(event.pt * component(event.phi)) == pytest.approx(0, abs=0.01)


def test_equal_seeds_give_equal_events(events):
    np.testing.assert_array_equal(next(multijets(1)).pt, events[0].pt)
    assert not np.array_equal(next(multijets(2)).pt, events[0].pt)
