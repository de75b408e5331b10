"""Trigger objects of events drawn by hand."""

import numpy as np
import pytest

from nanotrigger.simulate.detector import Measured
from nanotrigger.simulate.generator import Particles
from nanotrigger.simulate.objects import (
    is_lepton,
    isolation,
    jets,
    passes_lepton_filter,
    pileup_density,
    trigger_objects,
)

ELECTRON, MUON, PHOTON, PION, KLONG = 11, 13, 22, 211, 130
TRACKS = (ELECTRON, MUON, PION)


def particles(*rows):
    """Particles given as (code, pT, η, φ)."""
    code, pt, eta, phi = np.array(rows, dtype=float).reshape(-1, 4).T
    return Particles(np.zeros(len(code), int), code.astype(int), pt, eta, phi)


def measured(*rows):
    found = particles(*rows)
    return Measured(found, np.isin(found.code, TRACKS))


def objects(*rows, soft=()):
    pytest.importorskip("fastjet")
    return trigger_objects(measured(*rows), measured(*soft))


def test_leptons_are_ordered_and_padded_with_zeros():
    found = objects((MUON, 10, 1.0, 0.5), (MUON, 20, -1.0, 0.5), (ELECTRON, 30, 0.5, -1.0), (ELECTRON, 40, -0.5, 2.0))
    assert found.shape == (19, 4)
    assert found[1:3].tolist() == [[40, -0.5, 2.0, 2], [30, 0.5, -1.0, 2]]
    assert found[5:7].tolist() == [[20, -1.0, 0.5, 3], [10, 1.0, 0.5, 3]]
    assert not found[[3, 4, *range(7, 19)]].any()


def test_more_than_four_candidates_are_cut():
    found = objects(*((MUON, pt, 0.0, 0.5 * pt - 4) for pt in range(4, 12)))
    assert found[5:9, 0].tolist() == [11, 10, 9, 8]


@pytest.mark.parametrize(
    ("code", "pt", "eta", "count"),
    [
        (ELECTRON, 3.1, 0, 1),
        (ELECTRON, 2.9, 0, 0),
        (ELECTRON, 50, 2.99, 1),
        (ELECTRON, 50, -3.01, 0),
        (MUON, 50, 2.09, 1),
        (MUON, 50, 2.11, 0),
        (PHOTON, 50, 0, 0),
        (PION, 50, 0, 0),
    ],
)
def test_acceptance_of_leptons(code, pt, eta, count):
    assert is_lepton(particles((code, pt, eta, 0))).sum() == count


def test_an_electron_without_a_track_is_none():
    pytest.importorskip("fastjet")
    electron = Measured(particles((ELECTRON, 50, 0, 0)), np.array([False]))
    assert not trigger_objects(electron, measured())[1:5].any()


def test_isolation_is_the_share_of_what_is_near_less_that_of_pileup():
    flow = particles((MUON, 20, 1.0, 3.1), (KLONG, 6, 1.1, -3.1), (PHOTON, 4, 0.9, 3.1), (PION, 99, 1.0, 2.7))
    assert isolation(flow, np.array([0]), 0.0) == pytest.approx([0.5])
    assert isolation(flow, np.array([0]), 10.0) == pytest.approx([(10 - 10 * np.pi * 0.09) / 20])


def test_a_lepton_in_a_jet_is_part_of_the_jet():
    found = objects((MUON, 20, 1.0, 1.0), (PION, 12, 1.1, 1.0))
    assert not found[1:9].any()
    assert found[9, 0] == pytest.approx(32, abs=0.2)


def test_tracks_of_other_collisions_are_left_out_but_for_missing_energy():
    found = objects((MUON, 30, 1.0, 0.0), soft=[(PION, 40, 1.1, 0.0), (MUON, 25, -1.0, 0.0)])
    assert found[5:7, 0].tolist() == [30, 0]
    assert not found[9:].any()
    assert found[0, 0] == 95


def test_neutral_particles_of_other_collisions_are_in_jets():
    found = objects((PION, 20, 1.0, 1.0), soft=[(PHOTON, 10, 1.1, 1.0)])
    assert found[9, 0] == pytest.approx(30, abs=0.2)


def test_density_is_the_median_over_cells_inside_and_outside():
    cells = [(row - 4.5, (column + 0.5) * np.pi / 3 - np.pi) for row in range(10) for column in range(6)]
    area = np.pi / 3
    even = [(PHOTON, (3.0 if abs(eta) < 2.5 else 5.0) * area, eta, phi) for eta, phi in cells]
    assert pileup_density(particles(*even, (PION, 500, 0.1, 0.1))) == pytest.approx((3, 5))


def test_the_density_is_subtracted_from_jets():
    pytest.importorskip("fastjet")
    area = np.pi * 0.4**2
    flow = particles((PION, 50, 0.0, 0.0), (PION, 40, 3.0, 2.0), (PION, 17, 0.0, -2.0))
    found = jets(flow, (10.0, 20.0))
    assert sorted(found.pt) == pytest.approx([40 - 20 * area, 50 - 10 * area])


def test_missing_energy_balances_the_visible():
    found = objects((PION, 3, 2.0, 0.0), (PHOTON, 4, -4.0, np.pi / 2))
    assert found[0, 0] == 5
    assert found[0, 1] == 0
    assert found[0, 2] == pytest.approx(np.arctan2(-4, -3), abs=1 / 1024)
    assert found[0, 3] == 1


@pytest.mark.parametrize(
    ("code", "pt", "passes"), [(ELECTRON, 24, True), (MUON, 23.1, True), (MUON, 23, False), (PHOTON, 99, False)]
)
def test_lepton_filter(code, pt, passes):
    assert passes_lepton_filter(objects((code, pt, 1.0, 1.0))) == passes


def test_jets_above_15_gev_within_4_without_isolated_leptons():
    found = objects(
        (PION, 12, 0.0, 0.0), (PION, 8, 0.1, 0.1), (MUON, 50, 1.0, 2.0), (PION, 14.9, -1.0, -2.0), (PION, 90, 4.1, 0)
    )[9:]
    assert found[0, 0] == pytest.approx(20, abs=0.1)
    assert found[0, 3] == 4
    assert not found[1:].any()


def test_an_event_without_jets():
    assert not objects((PION, 5, 0, 0))[9:].any()
