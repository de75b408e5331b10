"""Pile-up: soft collisions in the same crossing."""

import numpy as np
from numpy.random import Generator

from nanotrigger.simulate.generator import Particles, collisions, joined, start_pythia

MEAN_COLLISIONS = 20.0
_SOFT = ("SoftQCD:nonDiffractive = on",)
_POOL = 300  # different collisions; changing it changes the events


class Pileup:
    """Soft collisions, Poisson many in each crossing.

    The first 300 are made as they are needed, later ones are drawn among them. Each is turned by a random angle and
    mirrored at random, so that no two crossings share a pattern.

    Args:
        seed: 1 to 900,000,000, of Pythia.
        random: how many, which, and how they are turned.
    """

    def __init__(self, seed: int, random: Generator) -> None:
        self._collisions = collisions(start_pythia(_SOFT, seed=seed))
        self._random = random
        self._pool: list[Particles] = []

    def draw(self) -> Particles:
        """Return the final particles of the soft collisions of one crossing, as of event 0."""
        count = int(self._random.poisson(MEAN_COLLISIONS))
        return joined([_turned(self._next(), self._random) for _ in range(count)])

    def _next(self) -> Particles:
        if len(self._pool) == _POOL:
            return self._pool[self._random.integers(_POOL)]
        self._pool.append(next(self._collisions))
        return self._pool[-1]


def _turned(particles: Particles, random: Generator) -> Particles:
    phi = (particles.phi + random.uniform(0, 2 * np.pi) + np.pi) % (2 * np.pi) - np.pi
    eta = particles.eta * random.choice([-1.0, 1.0])
    return Particles(particles.event, particles.code, particles.pt, eta, phi)
