"""Simulated collisions of ADC2021's background and signals (arXiv:2107.02157), as trigger objects.

Proton-proton collisions at 13 TeV in Pythia 8 (arXiv:2203.11601), leading order with its default tune, showers and
multiple interactions; a parametrized detector; and the filter of one e/gamma or muon above 23 GeV. Choices that make
it differ from ADC2021:

- The filter does not ask for isolation, and photons count as leptons do: at Level 1 both are e/gamma.
- Multijets start at pTHat = 80 GeV, where one in five passes the filter; from 50 to 80 GeV it is one in twenty, from 30
  to 50 GeV one in two hundred. Two thirds of the multijets above 30 GeV that would pass have less than 80 GeV, so those
  here are harder than real ones. Their share of the background is given, not computed.
- Z includes the virtual photon above 50 GeV; W and Z decay to all three leptons, t to everything.
- No further collisions in the same crossing.
"""

from collections.abc import Iterator

import numpy as np

from nanotrigger.simulate.chunks import Chunk
from nanotrigger.simulate.detector import measure
from nanotrigger.simulate.generator import start_pythia
from nanotrigger.simulate.objects import (
    JET_ROWS,
    ROWS,
    Array,
    jets,
    leptons_and_missing,
    passes_lepton_filter,
)
from nanotrigger.simulate.particles import collide

BACKGROUND_PROCESSES = {
    "w": ("WeakSingleBoson:ffbar2W = on", "24:onMode = off", "24:onIfAny = 11 13 15"),
    "qcd": ("HardQCD:all = on", "PhaseSpace:pTHatMin = 80."),
    "z": ("WeakSingleBoson:ffbar2gmZ = on", "23:mMin = 50.", "23:onMode = off", "23:onIfAny = 11 13 15"),
    "tt": ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on"),
}
"""Pythia's settings of each part of the background."""

SIGNAL_PROCESSES = {
    "hTo4l": (  # A of 50 GeV to Z*Z* to four electrons or muons
        "HiggsSM:gg2H = on",
        "25:m0 = 50.",
        "25:onMode = off",
        "25:onIfMatch = 23 23",
        "23:onMode = off",
        "23:onIfAny = 11 13",
    ),
    "hToTauTau": ("HiggsSM:gg2H = on", "25:m0 = 60.", "25:onMode = off", "25:onIfAny = 15"),
    "hChToTauNu": (
        "Higgs:useBSM = on",
        "HiggsBSM:ffbar2H+- = on",
        "37:m0 = 60.",
        "37:onMode = off",
        "37:onIfAny = 15",
    ),
    "leptoquark": (  # pairs of 80 GeV, each to b and tau
        "LeptoQuark:gg2LQLQbar = on",
        "LeptoQuark:qqbar2LQLQbar = on",
        "42:m0 = 80.",
        "42:0:products = 5 -15",
    ),
}
"""Pythia's settings of each signal, with the masses of ADC2021."""

PROCESSES = BACKGROUND_PROCESSES | SIGNAL_PROCESSES

_BATCH = 100  # collisions made at once; another value, other events


def simulate_events(chunk: Chunk) -> Array:
    """Return `chunk.size` events of the process `chunk.label` that pass the filter, shape (size, 19, 4).

    Equal chunks agree, and of two that differ only in size the larger one starts with the events of the smaller.

    Raises:
        RuntimeError: Pythia refuses the settings, or fails to make events.
    """
    found: list[Array] = []
    for event in _passing_events(chunk):
        found.append(event)
        if len(found) >= chunk.size:
            break
    return np.reshape(found, (chunk.size, ROWS, 4))


def _passing_events(chunk: Chunk) -> Iterator[Array]:
    """Yield event after event that passes the filter, shape (19, 4); only those are clustered into jets."""
    pythia = start_pythia(PROCESSES[chunk.label], seed=chunk.seed)
    random = np.random.default_rng(chunk.seed)
    while True:
        measured = measure(collide(pythia, _BATCH), random)
        objects = leptons_and_missing(measured, _BATCH, random)
        for place in np.flatnonzero(passes_lepton_filter(objects)):
            first, last = np.searchsorted(measured.event, [place, place + 1])
            objects[place, JET_ROWS] = jets(measured.take(slice(first, last)))
            yield objects[place]
