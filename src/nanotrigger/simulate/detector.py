"""A detector with a tracker, two calorimeters and muon chambers: who is seen, and how precisely.

Acceptance, efficiency and resolution are those of the CMS card of Delphes 3 (arXiv:1307.6346). Not modelled: the
magnetic field, material, the cells of the hadronic calorimeter, noise and further collisions in the same crossing
(ADC2021 has 20 of them).
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nanotrigger.simulate.generator import Particles

ELECTRON, MUON_CODE, PHOTON = 11, 13, 22
NEUTRINOS = (12, 14, 16)
CHARGED_HADRONS = (211, 321, 2212, 3112, 3222, 3312, 3334)  # long-lived enough to leave a track

CALORIMETER_ETA = 5.0
FINE_CALORIMETER_ETA = 3.0  # e/gamma are recognized up to here
TRACKER_ETA = 2.5
MUON_ETA = 2.4
_BARREL_ETA = 1.5

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def measure(particles: Particles, random: Generator) -> Particles:
    """Return the particles that the detector sees, with the transverse momenta that it measures.

    Neutrinos, everything beyond |η| = 5 and muons that leave no track are lost; other particles without a track
    are left to the calorimeters. Directions are exact. The same particles and the same state of `random` give the
    same answer.
    """
    seen = ~np.isin(particles.code, NEUTRINOS) & (np.abs(particles.eta) < CALORIMETER_ETA)
    particles = particles.take(seen)
    tracked = is_tracked(particles, random)
    particles, tracked = particles.take(kept := tracked | (particles.code != MUON_CODE)), tracked[kept]
    factor = positive_factor(resolution(particles, tracked), random)
    return Particles(particles.event, particles.code, particles.pt * factor, particles.eta, particles.phi)


def is_tracked(particles: Particles, random: Generator) -> Mask:
    """Draw which muons and charged hadrons leave a track; the chance is `track_efficiency`."""
    return random.random(len(particles.pt)) < track_efficiency(particles)


def track_efficiency(particles: Particles) -> Array:
    """Return the chance of a track, 0 to 1: charged hadrons within |η| < 2.5 and muons within |η| < 2.4."""
    eta = np.abs(particles.eta)
    hadron = np.isin(particles.code, CHARGED_HADRONS) & (eta < TRACKER_ETA)
    muon = (particles.code == MUON_CODE) & (eta < MUON_ETA)
    return np.where(hadron | muon, barrel_or_endcap(eta), 0.0) * np.where(particles.pt > 1, 1.0, 0.8)


def barrel_or_endcap(eta: Array) -> Array:
    """Return the efficiency of 0.95 up to |η| = 1.5 and 0.85 beyond.

    >>> barrel_or_endcap(np.array([-0.3, 2.0])).tolist()
    [0.95, 0.85]
    """
    return np.where(np.abs(eta) <= _BARREL_ETA, 0.95, 0.85)


def resolution(particles: Particles, tracked: Mask) -> Array:
    """Return the relative width of the measured momentum: of the track, else of the calorimeter that it stops in."""
    electromagnetic = np.isin(particles.code, (ELECTRON, PHOTON))
    calorimeter = np.where(
        electromagnetic,
        electromagnetic_resolution(particles.energy, particles.eta),
        hadronic_resolution(particles.energy, particles.eta),
    )
    return np.where(tracked, track_resolution(particles.pt, particles.eta), calorimeter)


def track_resolution(pt: Array, eta: Array) -> Array:
    """Return σ(pT)/pT of a track: from 1 % in the centre to 2.5 % at |η| = 2.5, growing with pT."""
    regions = [np.abs(eta) <= 0.5, np.abs(eta) <= _BARREL_ETA]
    floor = np.select(regions, [0.01, 0.015], 0.025)
    return np.hypot(floor, pt * np.select(regions, [1.0e-4, 1.5e-4], 3.5e-4))


def electromagnetic_resolution(energy: Array, eta: Array) -> Array:
    """Return σ(E)/E of electrons and photons: 7 %/√E, 0.35 GeV/E and 0.7 % up to |η| = 3, coarse beyond."""
    fine = np.sqrt(0.007**2 + 0.07**2 / energy + 0.35**2 / energy**2)
    return np.where(np.abs(eta) < FINE_CALORIMETER_ETA, fine, np.sqrt(0.107**2 + 2.08**2 / energy))


def hadronic_resolution(energy: Array, eta: Array) -> Array:
    """Return σ(E)/E of hadrons: 150 %/√E and 5 % up to |η| = 3, 270 %/√E and 13 % beyond."""
    central = np.abs(eta) < FINE_CALORIMETER_ETA
    return np.hypot(np.where(central, 0.05, 0.13), np.where(central, 1.50, 2.70) / np.sqrt(energy))


def positive_factor(width: Array, random: Generator) -> Array:
    """Draw factors of mean 1 and relative width `width`, log-normal as in Delphes: Gaussian where it is small.

    A Gaussian would make energies of soft hadrons negative, and clipping them would raise their mean.
    """
    variance = np.log1p(np.square(width))
    return np.exp(np.sqrt(variance) * random.standard_normal(len(width)) - variance / 2)
