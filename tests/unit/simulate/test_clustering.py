"""Clustering and grooming of jets drawn by hand."""

import numpy as np
import pytest

from nanotrigger.simulate.clustering import groom, leading_jets

pytest.importorskip("fastjet")


def massless(pt, phi):
    return [pt * np.cos(phi), pt * np.sin(phi), 0.0, pt]


HARD, SECOND, SOFT = massless(60, 0.0), massless(40, 0.2), massless(5, -0.3)


def test_jets_come_hardest_first_and_hold_what_is_within_the_radius():
    far = massless(70, 2.0)
    first, second = leading_jets(np.array([far, HARD, SECOND, massless(1, -2.0)]), radius=0.4, count=2)
    assert sorted(first[:, 3]) == [40, 60]
    np.testing.assert_allclose(second, [far])


def test_grooming_drops_the_soft_branch_and_stops_at_the_hard_splitting():
    groomed = groom(np.array([SOFT, HARD, SECOND]), cut=0.1)
    assert sorted(groomed[:, 3]) == [40, 60]


def test_a_splitting_exactly_at_the_cut_is_dropped():
    assert groom(np.array([massless(90, 0.0), massless(10, 0.2)]), cut=0.1)[:, 3] == [90]


def test_without_a_hard_splitting_one_particle_remains():
    np.testing.assert_allclose(groom(np.array([HARD, SOFT]), cut=0.1), [HARD])


def test_one_particle_is_its_own_groomed_jet():
    np.testing.assert_allclose(groom(np.array([HARD]), cut=0.1), [HARD])
