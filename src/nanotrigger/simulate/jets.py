"""Simulated jets of five classes, a stand-in for the OpenML data set `hls4ml_lhc_jets_hlf`.

Proton-proton collisions at 13 TeV in Pythia 8 (arXiv:2203.11601) with two hard partons or bosons of about
1 TeV, seen as anti-kT jets of R = 0.4 and groomed with mMDT.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nanotrigger.simulate.chunks import Chunk
from nanotrigger.simulate.clustering import groom, leading_jets
from nanotrigger.simulate.generator import start_pythia
from nanotrigger.simulate.substructure import FEATURE_NAMES, Array, angles, jet_features

HARD_PROCESSES = {
    "g": ("HardQCD:gg2gg = on",),
    "q": ("HardQCD:qq2qq = on",),
    "t": ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on"),
    "w": ("WeakDoubleBoson:ffbar2WW = on",),
    "z": ("WeakDoubleBoson:ffbar2gmZgmZ = on", "WeakZ0:gmZmode = 2"),  # 2: Z alone, no virtual photon
}
"""Pythia's settings of each class."""

_COMMON_SETTINGS = (  # the rest is Pythia's default: showers and multiple interactions on
    "PhaseSpace:pTHatMin = 975.",
    "PhaseSpace:pTHatMax = 1025.",
    "23:onMode = off",  # Z and W decay to quarks only
    "23:onIfAny = 1 2 3 4 5",
    "24:onMode = off",
    "24:onIfAny = 1 2 3 4 5",
)
_HARD_PARTONS = (5, 6)  # places in Pythia's process record, after the beams and the two incoming partons
_FAILURES = 100  # in a row; Pythia gives up on an event now and then, and that one is skipped


def simulate_jets(chunk: Chunk) -> Array:
    """Return the features of `chunk.size` jets of class `chunk.label`, shape (size, 16); equal chunks agree.

    Raises:
        RuntimeError: Pythia refuses the settings, or fails to make events.
    """
    jets: list[Array] = []
    for particles, partons in _events(chunk):
        candidates = leading_jets(particles, radius=0.4, count=2)
        accepted = [jet for jet in candidates if is_accepted(jet, partons)]
        jets += [jet_features(jet, groom(jet, cut=0.1)) for jet in accepted]
        if len(jets) >= chunk.size:
            break
    return np.reshape(jets[: chunk.size], (chunk.size, len(FEATURE_NAMES)))


def is_accepted(constituents: Array, partons: Array) -> bool:
    """Whether a jet has 950 < pT < 1050 GeV and |η| < 2.5 and lies within ΔR < 0.1 of a hard parton.

    Args:
        constituents: px, py, pz, E in GeV, shape (constituents, 4).
        partons: the same of the hard partons, shape (partons, 4).
    """
    jet = constituents.sum(axis=0)
    pt = np.hypot(jet[0], jet[1])
    distances = angles(np.vstack([jet, partons]))[0, 1:]
    return bool(950 < pt < 1050 and abs(np.arcsinh(jet[2] / pt)) < 2.5 and distances.min() < 0.1)


def _events(chunk: Chunk) -> Iterator[tuple[Array, Array]]:
    """Yield the visible particles with |η| < 5 and the two hard partons of event after event, each (n, 4)."""
    pythia = start_pythia((*_COMMON_SETTINGS, *HARD_PROCESSES[chunk.label]), seed=chunk.seed)
    while any(pythia.next() for _ in range(_FAILURES)):
        visible = (particle for particle in pythia.event if particle.isFinal() and particle.isVisible())
        particles = [_momentum(particle) for particle in visible if abs(particle.eta()) < 5]
        yield np.array(particles), np.array([_momentum(pythia.process[place]) for place in _HARD_PARTONS])
    raise RuntimeError(f"Pythia failed on {_FAILURES} events in a row of class {chunk.label!r}")


def _momentum(particle: Any) -> tuple[float, float, float, float]:
    return particle.px(), particle.py(), particle.pz(), particle.e()
