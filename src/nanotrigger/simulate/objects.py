"""The trigger objects of an event: missing energy, isolated electrons and muons, and jets, freed of pile-up.

As in Delphes' CMS card with pile-up (arXiv:1307.6346): tracks of other collisions are known and left out of jets and
of isolation, what their neutral particles add is subtracted by the median density, and missing energy has everything.
"""

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.particles import EGAMMA, EVENT_SHAPE, JET, MET, MUON, ObjectKind
from nanotrigger.simulate.detector import CALORIMETER_ETA, ELECTRON, MUON_CODE, TRACKER_ETA, Array, Mask, Measured
from nanotrigger.simulate.generator import Particles, joined
from nanotrigger.simulate.substructure import cluster

LEPTON_THRESHOLD = 23.0  # GeV: of the lepton filter
_LEPTON_PT = 3.0  # GeV
_LEPTON_ETA = {ELECTRON: 3.0, MUON_CODE: 2.1}
_CONE, _ISOLATION = 0.3, 0.45  # the most that others in this distance have of a lepton's transverse momentum
_JET_PT = 15.0  # GeV
_JET_ETA = 4.0
_RADIUS = 0.4
_COLUMNS = 6  # of cells in φ, of about one unit as in η: for the density of pile-up
_STEPS = np.array([64.0, 1024.0, 1024.0])  # in a unit of pT, η and φ: rounded numbers compress well


def is_lepton(tracks: Particles) -> Mask:
    """Return which tracks are electrons or muons above 3 GeV, |η| < 3 or 2.1, shape (tracks,)."""
    inside = [(tracks.code == code) & (np.abs(tracks.eta) < reach) for code, reach in _LEPTON_ETA.items()]
    return np.asarray(np.any(inside, axis=0) & (tracks.pt > _LEPTON_PT))


def trigger_objects(hard: Measured, soft: Measured) -> Array:
    """Return the objects of one event, shape (19, 4), in steps of 1/64 GeV and 1/1024.

    Args:
        hard: of the collision.
        soft: of the others in the same crossing.
    """
    tracks = hard.particles.take(hard.tracked)
    towers = joined([hard.particles.take(~hard.tracked), soft.particles.take(~soft.tracked)])
    flow = joined([tracks, towers])
    density = pileup_density(flow)
    candidates = np.flatnonzero(is_lepton(tracks))
    isolated = candidates[isolation(flow, candidates, density[0]) < _ISOLATION]
    leptons = flow.take(isolated)
    rest = flow.take(np.delete(np.arange(len(flow.pt)), isolated))
    objects = np.zeros(EVENT_SHAPE)
    objects[MET.rows] = _missing(joined([hard.particles, soft.particles]))
    objects[EGAMMA.rows] = _leading(leptons.take(leptons.code == ELECTRON), EGAMMA)
    objects[MUON.rows] = _leading(leptons.take(leptons.code == MUON_CODE), MUON)
    objects[JET.rows] = _leading(jets(rest, density), JET)
    return digitized(objects)


def passes_lepton_filter(objects: Array) -> NDArray[np.bool_]:
    """Return which events, shape (..., 19, 4), have an electron or a muon of more than 23 GeV."""
    leading = objects[..., [EGAMMA.rows.start, MUON.rows.start], 0]
    return np.asarray(leading.max(axis=-1) > LEPTON_THRESHOLD)


def isolation(flow: Particles, places: NDArray[np.int64], density: float) -> Array:
    """Return what others within ΔR < 0.3 have of the transverse momentum of some entries, less pile-up's share.

    Args:
        flow: all entries of an event.
        places: of the entries that are asked about, shape (leptons,).
        density: of pile-up, in GeV per unit of η and φ.
    """
    lepton = flow.take(places)
    around = (flow.phi - lepton.phi[:, None] + np.pi) % (2 * np.pi) - np.pi
    near = np.hypot(flow.eta - lepton.eta[:, None], around) < _CONE
    return ((near * flow.pt).sum(axis=1) - lepton.pt - density * np.pi * _CONE**2) / lepton.pt


def pileup_density(flow: Particles) -> tuple[float, float]:
    """Return the median transverse momentum per unit of η and φ within |η| < 2 and within 3 < |η| < 5."""
    row, column = np.floor(flow.eta + CALORIMETER_ETA), np.floor((flow.phi + np.pi) / (2 * np.pi) * _COLUMNS)
    cell = (np.clip(row, 0, 9) * _COLUMNS + np.clip(column, 0, _COLUMNS - 1)).astype(np.int64)
    sums = np.bincount(cell, flow.pt, minlength=10 * _COLUMNS).reshape(10, _COLUMNS) / (2 * np.pi / _COLUMNS)
    return float(np.median(sums[3:7])), float(np.median(sums[[0, 1, 8, 9]]))


def jets(flow: Particles, density: tuple[float, float]) -> Particles:
    """Return the jets of one event above 15 GeV and |η| < 4: anti-kT with R = 0.4, less the density of pile-up."""
    sequence = cluster(flow.momenta, "antikt_algorithm", _RADIUS)
    found = [(jet.pt(), jet.eta(), jet.phi_std()) for jet in sequence.inclusive_jets(_JET_PT)]
    pt, eta, phi = np.reshape(found, (-1, 3)).T
    pt = pt - np.where(np.abs(eta) < TRACKER_ETA, *density) * np.pi * _RADIUS**2
    codes = np.zeros(len(pt), np.int64)
    return Particles(codes, codes, pt, eta, phi).take((pt > _JET_PT) & (np.abs(eta) < _JET_ETA))


def digitized(objects: Array) -> Array:
    """Round pT, η and φ towards zero in steps of 1/64 GeV, 1/1024 and 1/1024, so that none leaves its range.

    >>> digitized(np.array([23.0199, -1.0001, 3.1415, 2])).tolist()
    [23.015625, -1.0, 3.140625, 2.0]
    """
    return np.concatenate([np.trunc(objects[..., :3] * _STEPS) / _STEPS + 0.0, objects[..., 3:]], axis=-1)  # no -0


def _missing(everything: Particles) -> Array:
    """Return the missing transverse momentum, shape (4,): minus the sum over all that is visible."""
    px, py = (-np.sum(everything.pt * component(everything.phi)) for component in (np.cos, np.sin))
    return np.array([np.hypot(px, py), 0.0, np.arctan2(py, px), MET.type])


def _leading(found: Particles, kind: ObjectKind) -> Array:
    """Return the hardest, shape (kind.count, 4), zeros where there are fewer."""
    hardest = found.take(np.argsort(-found.pt, kind="stable")[: kind.count])
    rows = np.zeros((kind.count, EVENT_SHAPE[1]))
    rows[: len(hardest.pt)] = np.stack(
        [hardest.pt, hardest.eta, hardest.phi, np.full(len(hardest.pt), kind.type)], axis=1
    )
    return rows
