"""Multijets with an isolated lepton: pairs of beauty quarks, of which one decays to an electron or a muon.

Few multijets have an isolated lepton of 23 GeV: one pair of beauty quarks in 300 above 40 GeV, fewer below. So each
beauty hadron that could give one is let decay up to twenty times, and the first decay that gives one is taken. Charm,
gluons that split to beauty, and further interactions of the same two protons are left out.
"""

from collections.abc import Iterator

import numpy as np

from nanotrigger.simulate.detector import ELECTRON, MUON_CODE, NEUTRINOS
from nanotrigger.simulate.generator import Particles, collisions, final_particles, joined, pythia_seed, start_pythia

_BEAUTY_HADRONS = (511, 521, 531, 5122)
_PAIRS = (
    "HardQCD:hardbbbar = on",
    "PhaseSpace:pTHatMin = 40.",
    "PartonLevel:MPI = off",
    *(f"{code}:mayDecay = off" for code in _BEAUTY_HADRONS),
)
_LEPTONS = (ELECTRON, MUON_CODE)
_DECAYS = ("ProcessLevel:all = off",)
_TO_LEPTONS = (
    *_DECAYS,
    *(f"{code}:onMode = off" for code in _BEAUTY_HADRONS),
    *(f"{code}:onIfAny = {ELECTRON} {MUON_CODE}" for code in _BEAUTY_HADRONS),
)
_TRIES = 20  # decays of a hadron; more would favour hadrons that rarely give a lepton
_HADRON_PT, _HADRON_ETA = 26.0, 3.2  # what a hadron needs to give one
_LEPTON_PT = 20.0  # GeV; in the end the detector decides
_CONE, _ISOLATION = 0.3, 0.5


def multijets(seed: int) -> Iterator[Particles]:
    """Yield the final particles of event after event with a nearly isolated lepton of more than 20 GeV.

    Args:
        seed: 1 to 900,000,000.
    """
    pairs = start_pythia(_PAIRS, seed=seed)
    to_leptons = _Decays(_TO_LEPTONS, seed=pythia_seed(seed, 1))
    to_anything = _Decays(_DECAYS, seed=pythia_seed(seed, 2))
    for event in collisions(pairs):
        is_beauty = np.isin(event.code, _BEAUTY_HADRONS)
        promising = is_beauty & (event.pt > _HADRON_PT) & (np.abs(event.eta) < _HADRON_ETA)
        for place in np.flatnonzero(promising).tolist():
            others = [to_anything.decay(event, other) for other in np.flatnonzero(is_beauty).tolist() if other != place]
            rest = joined([event.take(~is_beauty), *others])
            decays = (joined([to_leptons.decay(event, place), rest]) for _ in range(_TRIES))
            found = next((decay for decay in decays if _has_isolated_lepton(decay)), None)
            if found is not None:
                yield found
                break


class _Decays:
    """A Pythia that does nothing but let hadrons decay."""

    def __init__(self, settings: tuple[str, ...], *, seed: int) -> None:
        self._pythia = start_pythia(settings, seed=seed)

    def decay(self, event: Particles, place: int) -> Particles:
        """Return the final particles of a decay of one of an event's hadrons."""
        code = int(event.code[place])
        mass = self._pythia.particleData.m0(code)
        ((px, py, pz, momentum),) = event.take(slice(place, place + 1)).momenta
        self._pythia.event.reset()
        self._pythia.event.append(code, 1, 0, 0, px, py, pz, np.hypot(momentum, mass), mass)
        self._pythia.moreDecays()
        return final_particles(self._pythia.event)


def _has_isolated_lepton(event: Particles) -> bool:
    """Whether there is a lepton above 20 GeV of whose momentum others around it have less than half."""
    leptons = event.take(np.isin(event.code, _LEPTONS) & (event.pt > _LEPTON_PT))
    visible = event.take(~np.isin(event.code, NEUTRINOS))
    around = (visible.phi - leptons.phi[:, None] + np.pi) % (2 * np.pi) - np.pi
    near = np.hypot(visible.eta - leptons.eta[:, None], around) < _CONE
    return bool(np.any((near * visible.pt).sum(axis=1) < (1 + _ISOLATION) * leptons.pt))
