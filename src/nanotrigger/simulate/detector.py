"""A detector with a tracker, two calorimeters and muon chambers: who is seen, where, and how precisely.

Acceptance, efficiency, resolution and thresholds are those of the CMS card of Delphes 3 (arXiv:1307.6346), but for
electrons, which are found up to |η| = 3 as e/γ are at Level 1. Not modelled: the magnetic field and material.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nanotrigger.simulate.generator import Particles, joined

ELECTRON, MUON_CODE, PHOTON, KLONG = 11, 13, 22, 130
NEUTRINOS = (12, 14, 16)
CHARGED_HADRONS = (211, 321, 2212, 3112, 3222, 3312, 3334)  # long-lived enough to leave a track

CALORIMETER_ETA = 5.0
FINE_CALORIMETER_ETA = 3.0  # electrons are recognized up to here
TRACKER_ETA = 2.5
MUON_ETA = 2.4
_BARREL_ETA = 1.5

_FINE_CELL, _HADRONIC_CELL, _FORWARD_CELL = 0.0174, 0.087, 0.175  # widths in η and φ
_SIGNIFICANCE = 2.0  # a tower counts from this many times its resolution on
_ELECTROMAGNETIC_ENERGY, _HADRONIC_ENERGY = 0.5, 1.0  # GeV, the least that counts

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """What the detector sees of a batch of events: tracks, and towers of the calorimeters without a track.

    Attributes:
        particles: with the measured transverse momenta; towers have the code of a photon or of a K_L.
        tracked: which of them are tracks, shape (particles,).
    """

    particles: Particles
    tracked: Mask


def measure(particles: Particles, random: Generator) -> Measured:
    """Return what the detector sees.

    Neutrinos, everything beyond |η| = 5 and muons that leave no track are lost; other particles without a track
    add up in the cells of the calorimeters. The same particles and the same state of `random` give the same answer.
    """
    seen = ~np.isin(particles.code, NEUTRINOS) & (np.abs(particles.eta) < CALORIMETER_ETA)
    particles = particles.take(seen)
    tracked = is_tracked(particles, random)
    tracks = particles.take(tracked)
    tracks = _smeared(tracks, resolution(tracks), random)
    electromagnetic = np.isin(particles.code, (ELECTRON, PHOTON))
    hadronic = ~electromagnetic & (particles.code != MUON_CODE)
    found = [
        _measured_towers(towers(particles.take(~tracked & deposited), code), least, random)
        for deposited, code, least in (
            (electromagnetic, PHOTON, _ELECTROMAGNETIC_ENERGY),
            (hadronic, KLONG, _HADRONIC_ENERGY),
        )
    ]
    everything = joined([tracks, *found])
    by_event = np.argsort(everything.event, kind="stable")
    is_track = np.arange(len(by_event)) < len(tracks.pt)
    return Measured(everything.take(by_event), is_track[by_event])


def is_tracked(particles: Particles, random: Generator) -> Mask:
    """Draw which particles leave a track; the chance is `track_efficiency`."""
    return random.random(len(particles.pt)) < track_efficiency(particles)


def track_efficiency(particles: Particles) -> Array:
    """Return the chance of a track, 0 to 1.

    Charged hadrons have one within |η| < 2.5, muons within |η| < 2.4; electrons within |η| < 3.
    """
    eta = np.abs(particles.eta)
    hadron = np.isin(particles.code, CHARGED_HADRONS) & (eta < TRACKER_ETA)
    muon = (particles.code == MUON_CODE) & (eta < MUON_ETA)
    electron = (particles.code == ELECTRON) & (eta < FINE_CALORIMETER_ETA)
    return np.where(hadron | muon | electron, barrel_or_endcap(eta), 0.0) * np.where(particles.pt > 1, 1.0, 0.8)


def barrel_or_endcap(eta: Array) -> Array:
    """Return the efficiency of 0.95 up to |η| = 1.5 and 0.85 beyond.

    >>> barrel_or_endcap(np.array([-0.3, 2.0])).tolist()
    [0.95, 0.85]
    """
    return np.where(np.abs(eta) <= _BARREL_ETA, 0.95, 0.85)


def towers(particles: Particles, code: int) -> Particles:
    """Add up the transverse momenta of particles in each cell of a calorimeter, photons' or hadrons'.

    A tower has the direction of its hardest particle.
    """
    fine = _FINE_CELL if code == PHOTON else _HADRONIC_CELL
    cell = np.where(np.abs(particles.eta) < FINE_CALORIMETER_ETA, fine, _FORWARD_CELL)
    particles = particles.take(order := np.argsort(-particles.pt, kind="stable"))
    places = [(angle // cell[order]).astype(np.int64) for angle in (particles.eta, particles.phi)]
    key = (particles.event * 2_000 + places[0] + 1_000) * 1_000 + places[1] + 500
    _, hardest, tower = np.unique(key, return_index=True, return_inverse=True)
    leading = particles.take(hardest)
    sums = np.bincount(tower, particles.pt, minlength=len(hardest)).astype(np.float64)
    return Particles(leading.event, np.full(len(hardest), code), sums, leading.eta, leading.phi)


def _measured_towers(sums: Particles, least: float, random: Generator) -> Particles:
    width = resolution(sums)
    measured = _smeared(sums, width, random)
    return measured.take((measured.energy > least) & (measured.energy > _SIGNIFICANCE * width * sums.energy))


def _smeared(particles: Particles, width: Array, random: Generator) -> Particles:
    pt = particles.pt * positive_factor(width, random)
    return Particles(particles.event, particles.code, pt, particles.eta, particles.phi)


def resolution(particles: Particles) -> Array:
    """Return the relative width of the measured momentum: of the track, or of the calorimeter that it stops in."""
    kinds = [np.isin(particles.code, (ELECTRON, PHOTON)), np.isin(particles.code, (MUON_CODE, *CHARGED_HADRONS))]
    electromagnetic = electromagnetic_resolution(particles.energy, particles.eta)
    tracks = track_resolution(particles.pt, particles.eta)
    return np.select(kinds, [electromagnetic, tracks], hadronic_resolution(particles.energy, particles.eta))


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
