"""Jets from particles: anti-kT clustering and mMDT grooming, with FastJet (arXiv:1111.6097)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nanotrigger.simulate.substructure import Array

_UNLIMITED = 1000.0  # FastJet's largest radius: everything ends in one jet


def leading_jets(particles: Array, *, radius: float, count: int) -> list[Array]:
    """Cluster particles with anti-kT (arXiv:0802.1189) and return the jets of largest transverse momentum.

    Args:
        particles: px, py, pz, E in GeV, shape (particles, 4).
        radius: R, a distance in rapidity and azimuth.
        count: how many jets at most.

    Returns:
        The constituents of each jet, shape (constituents, 4), the hardest jet first.
    """
    sequence = _cluster(particles, "antikt_algorithm", radius)
    jets = sorted(sequence.inclusive_jets(), key=lambda jet: jet.pt(), reverse=True)
    return [_momenta(jet.constituents()) for jet in jets[:count]]


def groom(constituents: Array, *, cut: float) -> Array:
    """Return the constituents that the modified mass-drop tagger keeps, shape (kept, 4).

    The jet is clustered again with Cambridge/Aachen and undone step by step; the softer branch is dropped
    until it carries more than the fraction `cut` of the transverse momentum of the two. This is the mMDT of
    arXiv:1307.0007 without its mass-drop condition, equal to soft drop with beta = 0 (arXiv:1402.2657). A jet
    in which no step passes ends as one particle.

    Args:
        constituents: px, py, pz, E in GeV, shape (constituents, 4).
        cut: z_cut.
    """
    sequence = _cluster(constituents, "cambridge_algorithm", _UNLIMITED)
    (jet,) = sequence.inclusive_jets()
    while branches := jet.pieces():
        softer, harder = sorted(branches, key=lambda branch: branch.pt())
        if softer.pt() > cut * (softer.pt() + harder.pt()):
            break
        jet = harder
    return _momenta(jet.constituents())


def _cluster(particles: Array, algorithm: str, radius: float) -> Any:
    """Return FastJet's ClusterSequence; its jets are valid only as long as it lives."""
    import fastjet  # late: only simulation needs it, and it is an optional dependency

    definition = fastjet.JetDefinition(getattr(fastjet, algorithm), radius)
    return fastjet.ClusterSequence([fastjet.PseudoJet(*row) for row in particles.tolist()], definition)


def _momenta(pseudojets: Sequence[Any]) -> Array:
    return np.array([(jet.px(), jet.py(), jet.pz(), jet.e()) for jet in pseudojets])
