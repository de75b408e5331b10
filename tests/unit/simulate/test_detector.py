"""The detector: who is seen, and that what it measures has the stated mean and width."""

import numpy as np
import pytest

from nanotrigger.simulate.detector import (
    electromagnetic_resolution,
    hadronic_resolution,
    measure,
    positive_factor,
    resolution,
    towers,
    track_efficiency,
    track_resolution,
)
from nanotrigger.simulate.generator import Particles

ELECTRON, NEUTRINO, MUON, PHOTON, PION, KLONG = 11, 12, 13, 22, 211, 130


def many(code, pt, eta, count=20_000):
    return Particles(np.arange(count), np.full(count, code), np.full(count, pt), np.full(count, eta), np.zeros(count))


@pytest.mark.parametrize(
    ("code", "eta", "fraction"),
    [
        (NEUTRINO, 0.0, 0.0),
        (PHOTON, 5.1, 0.0),
        (PHOTON, -4.9, 1.0),
        (MUON, 0.0, 0.95),
        (MUON, 2.39, 0.85),
        (MUON, 2.41, 0.0),
        (PION, 2.6, 1.0),
        (PION, 0.0, 1.0),
    ],
)
def test_who_is_seen(code, eta, fraction):
    # one particle in an event, so that no two share a cell
    measured = measure(many(code, 20.0, eta), np.random.default_rng(1))
    assert len(measured.particles.pt) / 20_000 == pytest.approx(fraction, abs=0.01)


@pytest.mark.parametrize(("code", "eta"), [(PHOTON, 1.0), (PION, 1.0), (KLONG, 2.0), (ELECTRON, 4.0), (MUON, 2.0)])
def test_the_mean_of_the_measured_momentum_is_the_true_one(code, eta):
    measured = measure(many(code, 20.0, eta), np.random.default_rng(2)).particles
    error = measured.pt.std() / np.sqrt(len(measured.pt))
    assert measured.pt.mean() == pytest.approx(20.0, abs=4 * error)
    assert (measured.pt > 0).all()


def test_charged_hadrons_muons_and_electrons_leave_tracks():
    codes = np.array([PION, KLONG, ELECTRON, PHOTON, MUON, PION, PION, ELECTRON])
    etas = np.array([0, 0, -2.9, 0, 2.0, 2.51, 0, 3.01])
    momenta = np.array([5.0, 5, 5, 5, 5, 5, 0.5, 5])
    particles = Particles(np.zeros(8, int), codes, momenta, etas, np.zeros(8))
    np.testing.assert_allclose(track_efficiency(particles), [0.95, 0, 0.85, 0, 0.85, 0, 0.76, 0])


def test_resolution_of_the_calorimeters_and_of_tracks():
    # Delphes' CMS card: sqrt(E² 0.007² + E 0.07² + 0.35²) at 100 GeV is 1.05 GeV, sqrt(E² 0.05² + E 1.5²) is 15.8 GeV
    energy, centre, edge = np.array([100.0]), np.array([0.0]), np.array([4.0])
    assert electromagnetic_resolution(energy, centre) == pytest.approx(0.010500, abs=1e-6)
    assert hadronic_resolution(energy, centre) == pytest.approx(0.158114, abs=1e-6)
    assert electromagnetic_resolution(energy, edge) == pytest.approx(0.233908, abs=1e-6)
    assert hadronic_resolution(energy, edge) == pytest.approx(0.299666, abs=1e-6)
    assert track_resolution(energy, centre) == pytest.approx(np.hypot(0.01, 0.01))
    assert track_resolution(energy, np.array([-2.0])) == pytest.approx(np.hypot(0.025, 0.035))


def test_resolution_by_what_was_measured():
    four = Particles(
        np.zeros(4, int), np.array([PION, KLONG, PHOTON, MUON]), np.full(4, 10.0), np.zeros(4), np.zeros(4)
    )
    expected = [np.hypot(0.01, 0.001), np.hypot(0.05, 1.5 / np.sqrt(10)), 0.042, np.hypot(0.01, 0.001)]
    np.testing.assert_allclose(resolution(four), expected, atol=1e-6)


def test_particles_of_one_cell_are_one_tower():
    # a calorimeter does not resolve the two photons of a hard neutral pion
    event, phi = np.array([0, 0, 0, 1]), np.array([0.001, 0.002, 0.3, 0.001])
    photons = Particles(event, np.full(4, PHOTON), np.array([5.0, 15, 7, 9]), np.full(4, 0.001), phi)
    found = towers(photons, PHOTON)
    assert sorted(zip(found.event, found.pt, found.phi, strict=True)) == [(0, 7, 0.3), (0, 20, 0.002), (1, 9, 0.001)]
    assert (found.code == PHOTON).all()


def test_cells_of_hadrons_are_larger_and_those_forward_the_largest():
    def count(code, eta, apart):
        etas = np.array([eta, eta + apart])
        pair = Particles(np.zeros(2, int), np.full(2, code), np.ones(2), etas, np.full(2, 0.001))
        return len(towers(pair, code).pt)

    assert (count(PHOTON, 0.001, 0.01), count(PHOTON, 0.001, 0.08)) == (1, 2)
    assert (count(KLONG, 0.001, 0.08), count(KLONG, 0.001, 0.15)) == (1, 2)
    assert (count(KLONG, 3.501, 0.15), count(PHOTON, 3.501, 0.15)) == (1, 1)


def test_a_tower_counts_from_twice_its_resolution_on():
    # 1.5 GeV √E twice is E at 9 GeV; a photon's 0.35 GeV twice is at 0.7 GeV
    for code, faint, clear in ((KLONG, 4.0, 30.0), (PHOTON, 0.3, 3.0)):
        found = [len(measure(many(code, pt, 0.0), np.random.default_rng(5)).particles.pt) for pt in (faint, clear)]
        assert found[0] < 0.2 * 20_000 < 0.95 * 20_000 < found[1]


@pytest.mark.parametrize("width", [0.01, 0.3, 1.5])
def test_factors_have_mean_1_and_the_width(width):
    factors = positive_factor(np.full(400_000, width), np.random.default_rng(3))
    assert factors.mean() == pytest.approx(1, abs=5 * width / np.sqrt(400_000))
    assert factors.std() == pytest.approx(width, rel=0.05)
    assert factors.min() > 0


def test_the_same_random_numbers_give_the_same_answer():
    first, second = (measure(many(PION, 3.0, 1.0), np.random.default_rng(4)).particles.pt for _ in range(2))
    np.testing.assert_array_equal(first, second)
