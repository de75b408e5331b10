"""The 16 features by hand and by brute force; clustering and grooming of a few particles."""

from itertools import combinations

import numpy as np
import pytest

from nanotrigger.simulate.substructure import (
    FEATURE_NAMES,
    angles,
    groom,
    hardest_constituents,
    jet_features,
    leading_jets,
    mass,
    momentum_fractions,
    triple_correlations,
)


def massless(*particles):
    """Four-momenta of massless particles given as (pT, rapidity, azimuth)."""
    pt, y, phi = np.array(particles, dtype=float).T
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(y), pt * np.cosh(y)], axis=1)


def features(constituents, groomed):
    return dict(zip(FEATURE_NAMES, jet_features(constituents, groomed), strict=True))


def random_jet(particles, seed=1):
    random = np.random.default_rng(seed)
    columns = (
        random.exponential(20, particles),
        random.normal(0, 0.2, particles),
        random.normal(0, 0.2, particles),
    )
    return massless(*zip(*columns, strict=True))


def test_one_particle():
    jet = massless((1000, 0.5, 1.0))
    assert features(jet, jet) == pytest.approx(dict.fromkeys(FEATURE_NAMES, 0.0) | {"multiplicity": 1}, abs=1e-3)


def test_two_particles_at_an_angle_of_0_4():
    jet = massless((25, 0, 0.1), (75, 0, 0.5))
    found = features(jet, jet)
    assert found["zlogz"] == pytest.approx(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    assert found["c1_b0_mmdt"] == pytest.approx(3 / 16)
    assert found["c1_b1_mmdt"] == pytest.approx(3 / 16 * 0.4)
    assert found["c1_b2_mmdt"] == pytest.approx(3 / 16 * 0.16)
    assert found["mass_mmdt"] == pytest.approx(np.sqrt(2 * 25 * 75 * (1 - np.cos(0.4))))
    assert found["multiplicity"] == 2
    assert all(found[name] == 0 for name in FEATURE_NAMES if name[:2] in ("c2", "d2", "m2", "n2"))


def test_three_equal_particles_in_a_row():
    # z = 1/3; θ = 0.1, 0.1, 0.2, hence e2(1) = 0.4/9, 1e3 = 0.1/27, 2e3 = 0.01/27, 3e3 = 0.002/27;
    # θ² = 0.01, 0.01, 0.04, hence e2(2) = 0.06/9, 1e3 = 0.01/27, 2e3 = 0.0001/27, 3e3 = 0.000004/27
    jet = massless((50, 0, 0.0), (50, 0, 0.1), (50, 0, 0.2))
    assert features(jet, jet) == pytest.approx(
        {
            "zlogz": -np.log(3),
            "c1_b0_mmdt": 3 / 9,
            "c1_b1_mmdt": 0.4 / 9,
            "c1_b2_mmdt": 0.06 / 9,
            "c2_b1_mmdt": 0.0375,
            "c2_b2_mmdt": 1 / 300,
            "d2_b1_mmdt": 0.84375,
            "d2_b2_mmdt": 0.5,
            "d2_a1_b1_mmdt": 0.84375,
            "d2_a1_b2_mmdt": 0.002 / 0.06**1.5,
            "m2_b1_mmdt": 1 / 12,
            "m2_b2_mmdt": 1 / 18,
            "n2_b1_mmdt": 0.1875,
            "n2_b2_mmdt": 1 / 12,
            "mass_mmdt": 50 * np.sqrt(2 * (3 - 2 * np.cos(0.1) - np.cos(0.2))),
            "multiplicity": 3,
        }
    )


def test_grooming_leaves_zlogz_and_multiplicity():
    jet = massless((25, 0, 0.1), (75, 0, 0.5))
    found = features(jet, jet[1:])
    assert found["zlogz"] == features(jet, jet)["zlogz"]
    assert found["multiplicity"] == 2
    assert found["c1_b1_mmdt"] == 0


def test_triples_equal_the_sum_over_combinations():
    jet = random_jet(12)
    z, theta = momentum_fractions(jet), angles(jet)
    expected = np.zeros(3)
    for i, j, k in combinations(range(len(z)), 3):
        expected += z[i] * z[j] * z[k] * np.cumprod(np.sort([theta[i, j], theta[i, k], theta[j, k]]))
    np.testing.assert_allclose(triple_correlations(z, theta), expected, rtol=1e-12)


def test_angle_across_the_turn_is_the_short_one():
    theta = angles(massless((1, 0, np.pi - 0.1), (1, 0.0, -np.pi + 0.2)))
    assert theta[0, 1] == pytest.approx(0.3)


def test_rapidity_of_a_massive_particle():
    momenta = np.array([[3.0, 0.0, 3.0, 5.0], [3.0, 0.0, 0.0, 3.0]])  # tanh y = pz / E = 0.6, y = ln 2
    assert angles(momenta)[0, 1] == pytest.approx(np.log(2))


def test_features_do_not_change_in_a_boosted_and_turned_frame():
    jet = random_jet(20)
    y, phi = 1.5, 2.5
    boost = np.array([[np.cosh(y), np.sinh(y)], [np.sinh(y), np.cosh(y)]])
    turn = np.array([[np.cos(phi), np.sin(phi)], [-np.sin(phi), np.cos(phi)]])
    moved = np.hstack([jet[:, :2] @ turn, jet[:, 2:] @ boost])
    np.testing.assert_allclose(jet_features(moved, moved), jet_features(jet, jet), rtol=1e-9)


def test_mass_is_never_nan():
    assert mass(massless((1000, 2.4, 0.3))) < 1e-3


@pytest.fixture
def _fastjet():
    pytest.importorskip("fastjet")


def central(pt, phi):
    return [pt * np.cos(phi), pt * np.sin(phi), 0.0, pt]


HARD, SECOND, SOFT = central(60, 0.0), central(40, 0.2), central(5, -0.3)


@pytest.mark.usefixtures("_fastjet")
def test_jets_come_hardest_first_and_hold_what_is_within_the_radius():
    far = central(70, 2.0)
    first, second = leading_jets(np.array([far, HARD, SECOND, central(1, -2.0)]), radius=0.4, count=2)
    assert sorted(first[:, 3]) == [40, 60]
    np.testing.assert_allclose(second, [far])


@pytest.mark.usefixtures("_fastjet")
def test_grooming_drops_the_soft_branch_and_stops_at_the_hard_splitting():
    groomed = groom(np.array([SOFT, HARD, SECOND]), cut=0.1)
    assert sorted(groomed[:, 3]) == [40, 60]


@pytest.mark.usefixtures("_fastjet")
def test_a_splitting_exactly_at_the_cut_is_dropped():
    assert groom(np.array([central(90, 0.0), central(10, 0.2)]), cut=0.1)[:, 3] == [90]


@pytest.mark.usefixtures("_fastjet")
def test_without_a_hard_splitting_one_particle_remains():
    np.testing.assert_allclose(groom(np.array([HARD, SOFT]), cut=0.1), [HARD])


@pytest.mark.usefixtures("_fastjet")
def test_one_particle_is_its_own_groomed_jet():
    np.testing.assert_allclose(groom(np.array([HARD]), cut=0.1), [HARD])


def test_hardest_constituents_around_the_axis_of_the_jet():
    jet = massless((30, 1.1, 3.1), (60, 1.1, -np.pi + 0.05), (10, 1.1, 3.1))  # on both sides of the seam in φ
    axis = jet.sum(axis=0)
    pt, eta, phi = (
        np.hypot(axis[0], axis[1]),
        np.arcsinh(axis[2] / np.hypot(axis[0], axis[1])),
        np.arctan2(*axis[1::-1]),
    )
    found = hardest_constituents(jet, 2)
    assert found[:, 0] * pt == pytest.approx([60, 30])
    assert found[:, 1] + eta == pytest.approx([1.1, 1.1])
    assert found[:, 2] == pytest.approx([-np.pi + 0.05 - phi + (2 * np.pi if phi > 0 else 0), 3.1 - phi % (2 * np.pi)])
    assert (np.abs(found[:, 2]) < 0.1).all()
    assert found[:, 2].min() < 0 < found[:, 2].max()


def test_constituents_that_are_missing_are_zeros():
    found = hardest_constituents(massless((30, 1.0, 1.0)), 3)
    assert found[0] == pytest.approx([1, 0, 0])
    assert not found[1:].any()
    assert hardest_constituents(massless((30, 1.0, 1.0)), 0).shape == (0, 3)
