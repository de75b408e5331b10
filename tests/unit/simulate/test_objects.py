"""Trigger objects of events drawn by hand."""

import numpy as np
import pytest

from nanotrigger.simulate.detector import egamma_clusters, jets, leptons_and_missing, passes_lepton_filter
from nanotrigger.simulate.generator import Particles

ELECTRON, MUON, PHOTON, PION = 11, 13, 22, 211


class Lucky:
    """Random numbers of 0: everything is found."""

    def random(self, count):
        return np.zeros(count)


def particles(*rows):
    """Particles given as (event, code, pT, η, φ)."""
    event, code, pt, eta, phi = np.array(rows, dtype=float).reshape(-1, 5).T
    return Particles(event.astype(int), code.astype(int), pt, eta, phi)


def test_objects_are_ordered_and_padded_with_zeros():
    measured = particles(
        (0, MUON, 10, 1.0, 0.5), (0, MUON, 20, -1.0, 0.5), (2, ELECTRON, 30, 0.5, -1.0), (2, PHOTON, 40, -0.5, 2.0)
    )
    objects = leptons_and_missing(measured, 3, Lucky())
    assert objects.shape == (3, 19, 4)
    assert objects[0, 5:7].tolist() == [[20, -1.0, 0.5, 3], [10, 1.0, 0.5, 3]]
    assert objects[2, 1:3].tolist() == [[40, -0.5, 2.0, 2], [30, 0.5, -1.0, 2]]
    assert not objects[:, 3:5].any()
    assert not objects[:, 7:].any()
    assert not objects[1, 1:].any()


def test_more_than_four_candidates_are_cut():
    measured = particles(*((0, MUON, pt, 0.0, 0.1 * pt) for pt in range(4, 12)))
    assert leptons_and_missing(measured, 1, Lucky())[0, 5:9, 0].tolist() == [11, 10, 9, 8]


def test_missing_energy_balances_the_visible():
    measured = particles((0, PION, 3, 2.0, 0.0), (0, PHOTON, 4, -4.0, np.pi / 2))
    missing = leptons_and_missing(measured, 1, Lucky())[0, 0]
    assert missing[0] == 5
    assert missing[1] == 0
    assert missing[2] == pytest.approx(np.arctan2(-4, -3), abs=1 / 1024)
    assert missing[3] == 1


def test_electrons_and_photons_of_one_cell_are_one_cluster():
    measured = particles(
        (0, PHOTON, 10, 0.01, 0.01),
        (0, ELECTRON, 15, 0.02, 0.02),
        (0, PHOTON, 5, 0.2, 0.01),
        (1, PHOTON, 7, 0.01, 0.01),
    )
    clusters = egamma_clusters(measured, Lucky())
    assert sorted(zip(clusters.event, clusters.pt, clusters.eta, strict=True)) == [
        (0, 5, 0.2),
        (0, 25, 0.02),
        (1, 7, 0.01),
    ]


@pytest.mark.parametrize(("pt", "eta", "count"), [(3.1, 0, 1), (2.9, 0, 0), (50, 2.99, 1), (50, -3.01, 0)])
def test_acceptance_of_clusters(pt, eta, count):
    assert len(egamma_clusters(particles((0, PHOTON, pt, eta, 0)), Lucky()).pt) == count


def test_one_cluster_in_twenty_of_the_barrel_is_missed():
    measured = particles(*((event, PHOTON, 30, 0.5, 0.0) for event in range(20_000)))
    assert len(egamma_clusters(measured, np.random.default_rng(1)).pt) == pytest.approx(19_000, abs=150)


@pytest.mark.parametrize(
    ("code", "pt", "passes"),
    [(ELECTRON, 24, True), (PHOTON, 24, True), (MUON, 23.1, True), (MUON, 23, False), (PION, 99, False)],
)
def test_lepton_filter(code, pt, passes):
    objects = leptons_and_missing(particles((0, code, pt, 1.0, 1.0)), 1, Lucky())
    assert passes_lepton_filter(objects).tolist() == [passes]


def test_jets_above_15_gev_within_4_with_leptons_among_them():
    pytest.importorskip("fastjet")
    measured = particles(
        (0, PION, 12, 0.0, 0.0),
        (0, PION, 8, 0.1, 0.1),
        (0, MUON, 50, 1.0, 2.0),
        (0, PION, 14.9, -1.0, -2.0),
        (0, PION, 90, 4.1, 0),
    )
    found = jets(measured)
    assert found.shape == (10, 4)
    assert found[0].tolist() == [50, 1, 2, 4]
    assert found[1, 0] == pytest.approx(20, abs=0.1)
    assert not found[2:].any()


def test_an_event_without_jets():
    pytest.importorskip("fastjet")
    assert not jets(particles((0, PION, 5, 0, 0))).any()
