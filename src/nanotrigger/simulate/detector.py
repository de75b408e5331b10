"""A detector with a tracker, two calorimeters and muon chambers: who is seen, how precisely, and as which objects.

Acceptance, efficiency and resolution are those of the CMS card of Delphes 3 (arXiv:1307.6346). Not modelled: the
magnetic field, material, the cells of the hadronic calorimeter, noise and further collisions in the same crossing
(ADC2021 has 20 of them).
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nanotrigger.data.particles import EGAMMA, EVENT_SHAPE, JET, MET, MUON, ObjectKind
from nanotrigger.simulate.generator import Particles
from nanotrigger.simulate.substructure import leading_jets

ELECTRON, MUON_CODE, PHOTON = 11, 13, 22
NEUTRINOS = (12, 14, 16)
CHARGED_HADRONS = (211, 321, 2212, 3112, 3222, 3312, 3334)  # long-lived enough to leave a track

CALORIMETER_ETA = 5.0
FINE_CALORIMETER_ETA = 3.0  # e/gamma are recognized up to here
TRACKER_ETA = 2.5
MUON_ETA = 2.4
_BARREL_ETA = 1.5

LEPTON_THRESHOLD = 23.0  # GeV: an event needs one e/gamma or muon above it
_CANDIDATE_PT = 3.0  # GeV, e/gamma and muons
_JET_PT = 15.0  # GeV
_JET_ETA = 4.0
_CLUSTER_WIDTH = 0.0525  # in η and φ: three crystals of the CMS barrel
_MOST_JETS = 40  # hardest clustered jets that are looked at; no event has so many above 15 GeV
_STEPS = np.array([64.0, 1024.0, 1024.0])  # in a unit of pT, η and φ: rounded numbers compress well

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


def leptons_and_missing(measured: Particles, events: int, random: Generator) -> Array:
    """Return the objects of every event without its jets, shape (events, 19, 4), in steps of 1/64 GeV and 1/1024."""
    objects = np.zeros((events, *EVENT_SHAPE))
    muons = _above_threshold(measured.take(measured.code == MUON_CODE))
    objects[:, MET.rows] = _missing(measured, events)
    objects[:, EGAMMA.rows] = _leading(egamma_clusters(measured, random), events, EGAMMA)
    objects[:, MUON.rows] = _leading(muons, events, MUON)
    return digitized(objects)


def passes_lepton_filter(objects: Array) -> NDArray[np.bool_]:
    """Return which events, shape (events, 19, 4), have an e/gamma or a muon of more than 23 GeV."""
    return (objects[:, EGAMMA.rows.start, 0] > LEPTON_THRESHOLD) | (objects[:, MUON.rows.start, 0] > LEPTON_THRESHOLD)


def egamma_clusters(measured: Particles, random: Generator) -> Particles:
    """Merge electrons and photons of one cell of 0.05 x 0.05 in η and φ, and draw which clusters are found.

    A calorimeter does not resolve the two photons of a neutral pion of more than 5 GeV. A cluster has the sum of
    the transverse momenta and the direction of its hardest particle; those above 3 GeV are found with 95 %
    (|η| ≤ 1.5) or 85 % (to |η| = 3). There is no isolation: clusters inside jets count.
    """
    electromagnetic = np.isin(measured.code, (ELECTRON, PHOTON)) & (np.abs(measured.eta) < FINE_CALORIMETER_ETA)
    parts = measured.take(electromagnetic)
    parts = parts.take(np.lexsort((-parts.pt, parts.event)))
    cells = np.stack([parts.event, parts.eta // _CLUSTER_WIDTH, parts.phi // _CLUSTER_WIDTH], axis=1)
    _, hardest, cluster = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    sums = np.bincount(cluster.ravel(), parts.pt).astype(np.float64)  # it is float64; NumPy's stubs do not say so
    leading = parts.take(hardest)
    clusters = Particles(leading.event, leading.code, sums, leading.eta, leading.phi)
    found = random.random(len(sums)) < barrel_or_endcap(clusters.eta)
    return _above_threshold(clusters.take(found))


def jets(measured: Particles) -> Array:
    """Return the leading jets of one event, shape (10, 4), in steps of 1/64 GeV and 1/1024.

    Anti-kT with R = 0.4 of everything visible, leptons included, with more than 15 GeV and |η| < 4. An isolated
    electron is therefore a jet too, as it is at Level 1.
    """
    found = np.zeros((JET.count, EVENT_SHAPE[1]))
    momenta = [jet.sum(axis=0) for jet in leading_jets(measured.momenta, radius=0.4, count=_MOST_JETS)]
    rows = [(pt := np.hypot(px, py), np.arcsinh(pz / pt), np.arctan2(py, px), JET.type) for px, py, pz, _ in momenta]
    accepted = [row for row in rows if row[0] > _JET_PT and abs(row[1]) < _JET_ETA][: len(found)]
    found[: len(accepted)] = np.reshape(accepted, (-1, 4))
    return digitized(found)


def digitized(objects: Array) -> Array:
    """Round pT, η and φ towards zero in steps of 1/64 GeV, 1/1024 and 1/1024, so that none leaves its range.

    >>> digitized(np.array([23.0199, -1.0001, 3.1415, 2])).tolist()
    [23.015625, -1.0, 3.140625, 2.0]
    """
    return np.concatenate([np.trunc(objects[..., :3] * _STEPS) / _STEPS + 0.0, objects[..., 3:]], axis=-1)  # no -0


def _missing(measured: Particles, events: int) -> Array:
    """Return the missing transverse momentum, shape (events, 1, 4): minus the sum over all that is visible."""
    px = -np.bincount(measured.event, measured.pt * np.cos(measured.phi), minlength=events)
    py = -np.bincount(measured.event, measured.pt * np.sin(measured.phi), minlength=events)
    return np.stack([np.hypot(px, py), np.zeros(events), np.arctan2(py, px), np.full(events, MET.type)], axis=1)[
        :, None
    ]


def _above_threshold(candidates: Particles) -> Particles:
    return candidates.take(candidates.pt > _CANDIDATE_PT)


def _leading(candidates: Particles, events: int, kind: ObjectKind) -> Array:
    """Return the hardest candidates of each event, shape (events, kind.count, 4), zeros where there are fewer."""
    found = np.zeros((events, kind.count, EVENT_SHAPE[1]))
    ordered = candidates.take(np.lexsort((-candidates.pt, candidates.event)))
    rank = np.arange(len(ordered.pt)) - np.searchsorted(ordered.event, ordered.event)
    kept = ordered.take(rank < kind.count)
    values = np.stack([kept.pt, kept.eta, kept.phi, np.full(len(kept.pt), kind.type)], axis=1)
    found[kept.event, rank[rank < kind.count]] = values
    return found
