"""Pile-up: how many soft collisions, and that equal seeds give equal ones."""

import numpy as np
import pytest

import nanotrigger.simulate.pileup as module
from nanotrigger.simulate.generator import Particles
from nanotrigger.simulate.pileup import MEAN_COLLISIONS, Pileup

pytest.importorskip("pythia8mc")


@pytest.fixture
def counted(monkeypatch):
    """Collisions of one particle each, whose pT says which collision it is."""

    def one_by_one(pythia):
        number = 0.0
        while True:
            number += 1
            yield Particles(np.zeros(1, int), np.array([211]), np.array([number]), np.array([2.0]), np.array([3.0]))

    monkeypatch.setattr(module, "start_pythia", lambda settings, *, seed: None)
    monkeypatch.setattr(module, "collisions", one_by_one)
    return Pileup(1, np.random.default_rng(1))


def test_the_number_of_collisions_is_poisson(counted):
    counts = [len(counted.draw().pt) for _ in range(2_000)]
    assert np.mean(counts) == pytest.approx(MEAN_COLLISIONS, abs=0.5)
    assert np.var(counts) == pytest.approx(MEAN_COLLISIONS, rel=0.15)


def test_collisions_are_used_once_before_they_are_drawn_again(counted):
    numbers = np.concatenate([counted.draw().pt for _ in range(100)])
    assert numbers[:300].tolist() == list(range(1, 301))
    assert numbers[300:].max() <= 300
    assert len(set(numbers[300:])) > 290


def test_collisions_are_turned_and_mirrored(counted):
    drawn = [counted.draw() for _ in range(100)]
    eta, phi = (np.concatenate([getattr(particles, name) for particles in drawn]) for name in ("eta", "phi"))
    assert np.mean(eta == 2.0) == pytest.approx(0.5, abs=0.05)
    assert (np.abs(eta) == 2.0).all()
    assert (np.abs(phi) <= np.pi).all()
    assert np.histogram(phi, 8, (-np.pi, np.pi))[0].min() > 0.7 * len(phi) / 8


def test_equal_seeds_give_equal_crossings():
    crossings = [Pileup(3, np.random.default_rng(4)).draw() for _ in range(2)]
    np.testing.assert_array_equal(crossings[0].pt, crossings[1].pt)
    assert 500 < len(crossings[0].pt) < 10_000
