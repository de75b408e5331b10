"""Jets from particles: clustered, groomed, and described by the 16 features of the LHC jet-tagging data set.

FastJet (arXiv:1111.6097) clusters and grooms. The features are those of Duarte et al., arXiv:1804.06913, table 1.
Suffixes name the angular exponents: `d2_a1_b2_mmdt` is D2 with alpha = 1 and beta = 2 on the groomed (mMDT) jet.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEATURE_NAMES = (
    "zlogz",
    "c1_b0_mmdt",
    "c1_b1_mmdt",
    "c1_b2_mmdt",
    "c2_b1_mmdt",
    "c2_b2_mmdt",
    "d2_b1_mmdt",
    "d2_b2_mmdt",
    "d2_a1_b1_mmdt",
    "d2_a1_b2_mmdt",
    "m2_b1_mmdt",
    "m2_b2_mmdt",
    "n2_b1_mmdt",
    "n2_b2_mmdt",
    "mass_mmdt",
    "multiplicity",
)

_UNLIMITED = 1000.0  # FastJet's largest radius: everything ends in one jet


def jet_features(constituents: Array, groomed: Array) -> Array:
    """Return the features of one jet in the order of `FEATURE_NAMES`, shape (16,).

    A ratio whose denominator vanishes, as in a jet of one particle, is 0. `d2_a1_b1` equals `d2_b1`, as
    in the public data.

    Args:
        constituents: px, py, pz, E of every particle of the jet in GeV, shape (particles, 4).
        groomed: the same of the particles that grooming kept, shape (kept, 4).
    """
    z = momentum_fractions(groomed)
    theta = angles(groomed)
    e2_b0, e2_b1, e2_b2 = (pair_correlation(z, theta**beta) for beta in (0, 1, 2))
    one_b1, two_b1, three_b1 = triple_correlations(z, theta)
    one_b2, two_b2, three_b2 = triple_correlations(z, theta**2)
    features = {
        "zlogz": sum_z_log_z(momentum_fractions(constituents)),
        "c1_b0_mmdt": e2_b0,
        "c1_b1_mmdt": e2_b1,
        "c1_b2_mmdt": e2_b2,
        "c2_b1_mmdt": _ratio(three_b1, e2_b1**2),
        "c2_b2_mmdt": _ratio(three_b2, e2_b2**2),
        "d2_b1_mmdt": _ratio(three_b1, e2_b1**3),
        "d2_b2_mmdt": _ratio(three_b2, e2_b2**3),
        "d2_a1_b1_mmdt": _ratio(three_b1, e2_b1**3),
        "d2_a1_b2_mmdt": _ratio(three_b1, e2_b2**1.5),
        "m2_b1_mmdt": _ratio(one_b1, e2_b1),
        "m2_b2_mmdt": _ratio(one_b2, e2_b2),
        "n2_b1_mmdt": _ratio(two_b1, e2_b1**2),
        "n2_b2_mmdt": _ratio(two_b2, e2_b2**2),
        "mass_mmdt": mass(groomed),
        "multiplicity": len(constituents),
    }
    return np.array([features[name] for name in FEATURE_NAMES])


def hardest_constituents(constituents: Array, count: int) -> Array:
    """Return the constituents of largest transverse momentum, hardest first, shape (count, 3), padded with zeros.

    Columns are the transverse momentum as a share of the jet's, and the distances Δη and Δφ from the jet's axis.

    Args:
        constituents: px, py, pz, E of every particle of the jet in GeV, shape (particles, 4).
        count: how many.

    >>> hardest_constituents(np.array([[1.0, 0.0, 0.0, 1.0], [3.0, 0.0, 0.0, 3.0]]), 3).tolist()
    [[0.75, 0.0, 0.0], [0.25, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    pt, eta, phi = _cylindrical(constituents)
    (jet_pt,), (jet_eta,), (jet_phi,) = _cylindrical(constituents.sum(axis=0, keepdims=True))
    around = (phi - jet_phi + np.pi) % (2 * np.pi) - np.pi
    hardest = np.argsort(-pt, kind="stable")[:count]
    found = np.zeros((count, 3))
    found[: len(hardest)] = np.stack([pt / jet_pt, eta - jet_eta, around], axis=1)[hardest]
    return found


def _cylindrical(particles: Array) -> tuple[Array, Array, Array]:
    """Return pT, η and φ, each of shape (particles,)."""
    px, py, pz, _ = particles.T
    pt = np.hypot(px, py)
    return pt, np.arcsinh(pz / pt), np.arctan2(py, px)


def momentum_fractions(particles: Array) -> Array:
    """Return z, each particle's share of the scalar sum of transverse momenta, shape (particles,).

    >>> momentum_fractions(np.array([[3.0, 4.0, 0.0, 5.0], [15.0, 0.0, 9.0, 20.0]]))
    array([0.25, 0.75])
    """
    pt = np.hypot(particles[:, 0], particles[:, 1])
    return pt / pt.sum()


def angles(particles: Array) -> Array:
    """Return θ = ΔR = sqrt(Δy² + Δφ²) of every pair, y the rapidity, shape (particles, particles).

    >>> float(angles(np.array([[5.0, 0.0, 0.0, 5.0], [0.0, 5.0, 0.0, 5.0]]))[0, 1])  # a quarter turn
    1.5707963267948966
    """
    px, py, pz, energy = particles.T
    rapidity, phi = np.arctanh(pz / energy), np.arctan2(py, px)
    turn = np.abs(np.subtract.outer(phi, phi))
    return np.hypot(np.subtract.outer(rapidity, rapidity), np.minimum(turn, 2 * np.pi - turn))


def pair_correlation(z: Array, theta: Array) -> float:
    """Return e2 = Σ_{i<j} z_i z_j θ_ij^β, the ECF(2, β) of arXiv:1305.0007; as Σ z = 1, it is also its C1.

    Args:
        z: momentum fractions, shape (particles,).
        theta: angles already raised to β, shape (particles, particles).

    >>> pair_correlation(np.array([0.25, 0.75]), np.array([[0.0, 0.5], [0.5, 0.0]]))
    0.09375
    """
    return float(np.sum(np.triu(np.multiply.outer(z, z) * theta, k=1)))


def triple_correlations(z: Array, theta: Array) -> Array:
    """Return 1e3, 2e3 and 3e3, shape (3,): Σ_{i<j<k} z_i z_j z_k × the product of the 1, 2, 3 smallest θ^β.

    They are the generalized energy correlation functions of arXiv:1609.07483, which builds M2 = 1e3 / e2 and
    N2 = 2e3 / e2² from them. 3e3 is the e3 of C2 = e3 / e2² (arXiv:1305.0007) and of D2 = e3 / e2³
    (arXiv:1409.6298), whose form with two exponents is D2(α, β) = e3(α) / e2(β)^(3α/β).

    Args:
        z: momentum fractions, shape (particles,).
        theta: angles already raised to β, shape (particles, particles), 0 on the diagonal.

    >>> theta = np.array([[0.0, 0.1, 0.2], [0.1, 0.0, 0.4], [0.2, 0.4, 0.0]])
    >>> triple_correlations(np.array([0.5, 0.25, 0.25]), theta) * 32
    array([0.1  , 0.02 , 0.008])
    """
    total = np.zeros(3)
    for first in range(len(z) - 2):
        rest = slice(first + 1, None)
        near, far = theta[first, rest, None], theta[first, None, rest]
        opposite, smaller = theta[rest, rest], np.minimum(near, far)
        one = np.minimum(smaller, opposite)
        two = np.minimum(near * far, smaller * opposite)
        three = near * far * opposite
        weights = z[first] * np.multiply.outer(z[rest], z[rest])
        total += [np.sum(weights * product) for product in (one, two, three)]
    return total / 2  # second and third particle came in both orders; as the same particle they gave zero


def sum_z_log_z(z: Array) -> float:
    """Return Σ z ln z, minus the entropy of the momentum fractions.

    >>> round(sum_z_log_z(np.array([0.5, 0.5])), 4)
    -0.6931
    """
    return float(np.sum(z * np.log(z)))


def mass(particles: Array) -> float:
    """Return the invariant mass of all particles together in GeV.

    >>> mass(np.array([[3.0, 0.0, 0.0, 3.0], [0.0, 4.0, 0.0, 4.0]]))  # 7² - 3² - 4²
    4.898979485566356
    """
    px, py, pz, energy = particles.sum(axis=0)
    return float(np.sqrt(max(energy**2 - px**2 - py**2 - pz**2, 0.0)))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else 0.0


def leading_jets(particles: Array, *, radius: float, count: int) -> list[Array]:
    """Cluster particles with anti-kT (arXiv:0802.1189) and return the jets of largest transverse momentum.

    Args:
        particles: px, py, pz, E in GeV, shape (particles, 4).
        radius: R, a distance in rapidity and azimuth.
        count: how many jets at most.

    Returns:
        The constituents of each jet, shape (constituents, 4), the hardest jet first.
    """
    sequence = cluster(particles, "antikt_algorithm", radius)
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
    sequence = cluster(constituents, "cambridge_algorithm", _UNLIMITED)
    (jet,) = sequence.inclusive_jets()
    while branches := jet.pieces():
        softer, harder = sorted(branches, key=lambda branch: branch.pt())
        if softer.pt() > cut * (softer.pt() + harder.pt()):
            break
        jet = harder
    return _momenta(jet.constituents())


def cluster(particles: Array, algorithm: str, radius: float) -> Any:
    """Cluster four-momenta, shape (particles, 4), and return FastJet's ClusterSequence; its jets live no longer."""
    import fastjet  # late: only simulation needs it, and it is an optional dependency

    definition = fastjet.JetDefinition(getattr(fastjet, algorithm), radius)
    return fastjet.ClusterSequence([fastjet.PseudoJet(*row) for row in particles.tolist()], definition)


def _momenta(pseudojets: Sequence[Any]) -> Array:
    return np.array([(jet.px(), jet.py(), jet.pz(), jet.e()) for jet in pseudojets])
