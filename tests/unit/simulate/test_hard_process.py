"""Hard processes alone, and the Pythia that goes on with them."""

import numpy as np
import pytest

from nanotrigger.simulate.generator import start_pythia
from nanotrigger.simulate.hard_process import PARTONS, hard_process
from nanotrigger.simulate.jets import HARD_PROCESSES

pytest.importorskip("pythia8mc")

WITHOUT_SHOWERS = ("PartonLevel:all = off", "24:onMode = off", "24:onIfAny = 1 2 3 4 5")


def momentum(particle):
    return np.array([particle.e(), particle.px(), particle.py(), particle.pz()])


def boosted(vector, frame):
    """Return a four-momentum, as E, px, py, pz, in the rest frame of another."""
    beta = frame[1:] / frame[0]
    gamma = 1 / np.sqrt(1 - beta @ beta)
    along = beta @ vector[1:]
    return vector[1:] + beta * ((gamma - 1) * along / (beta @ beta) - gamma * vector[0])


@pytest.mark.parametrize(
    ("label", "codes", "pt", "mass"),
    [
        ("g", {21}, (1000, 2000), (0, 0.01)),
        ("q", {1, 2, 3, 4, 5}, (1000, 1030), (0, 5)),
        ("t", {6}, (1000, 1040), (172.9, 173.1)),
        ("w", {24}, (990, 1030), (76.385, 84.385)),
        ("z", {23}, (990, 1030), (87.188, 95.188)),
    ],
)
def test_what_each_class_is_made_of(label, codes, pt, mass):
    events = hard_process(HARD_PROCESSES[label], scale=1000.0, seed=1)
    pythia = start_pythia(("PartonLevel:all = off",), seed=2, events=events)
    for _ in range(10):
        assert pythia.next()
        for place in PARTONS:
            parton = pythia.process[place]
            assert parton.idAbs() in codes
            assert pt[0] <= parton.pT() <= pt[1]
            assert mass[0] <= parton.m() <= mass[1]


def test_bosons_decay_isotropically():
    # a W of 1 TeV made with its decay is transverse: the mean of cos² would be 0.4
    events = hard_process(HARD_PROCESSES["w"], scale=1000.0, seed=1)
    pythia = start_pythia(WITHOUT_SHOWERS, seed=2, events=events)
    cosines = []
    for _ in range(1500):
        assert pythia.next()
        for place in PARTONS:
            boson = pythia.process[place]
            quark = boosted(momentum(pythia.process[boson.daughter1()]), momentum(boson))
            flight = momentum(boson)[1:]
            cosines.append(quark @ flight / np.linalg.norm(quark) / np.linalg.norm(flight))
    assert np.mean(np.square(cosines)) == pytest.approx(1 / 3, abs=0.025)
    assert np.mean(cosines) == pytest.approx(0, abs=0.05)


def test_showers_start_at_the_scale():
    # without a scale nothing would radiate: two gluons would come out as two strings of few particles
    sizes = {}
    for scale in (1.0, 1000.0):
        events = hard_process(HARD_PROCESSES["g"], scale=scale, seed=1)
        pythia = start_pythia(("PartonLevel:MPI = off", "HadronLevel:all = off"), seed=2, events=events)
        sizes[scale] = np.mean([pythia.event.nFinal() for _ in range(20) if pythia.next()])
    assert sizes[1000.0] > 3 * sizes[1.0]


def test_what_comes_in_hardly_radiates_before_a_pair_of_tops():
    # with the scale of the showers as factorization scale, the pair would get 200 GeV of transverse momentum
    events = hard_process(HARD_PROCESSES["t"], scale=1000.0, seed=1)
    settings = (
        "PartonLevel:MPI = off",
        "PartonLevel:FSR = off",
        "HadronLevel:all = off",
        "BeamRemnants:primordialKT = off",
    )
    pythia = start_pythia(settings, seed=2, events=events)
    recoils = []
    for _ in range(100):
        assert pythia.next()
        tops = [entry for entry in pythia.event if entry.idAbs() == 6 and entry.status() == -62]
        recoils.append(np.hypot(sum(top.px() for top in tops), sum(top.py() for top in tops)))
    assert np.mean(recoils) < 50


def test_events_that_cannot_be_made_end_the_second_pythia():
    events = hard_process(HARD_PROCESSES["g"], scale=1000.0, seed=1)
    pythia = start_pythia(("PartonLevel:all = off",), seed=2, events=events)

    class Failing:
        def next(self):
            return False

    events.pythia = Failing()
    assert not pythia.next()
