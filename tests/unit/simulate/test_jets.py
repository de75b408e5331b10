"""The selection of jets, and small generations of every class."""

import numpy as np
import pytest

from nanotrigger.simulate.chunks import Chunk
from nanotrigger.simulate.jets import HARD_PROCESSES, is_accepted, simulate_jets


def momenta(pt, eta, phi):
    return np.array([[pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]])


@pytest.mark.parametrize(
    ("pt", "eta", "phi", "accepted"),
    [
        (1000, 0.0, 0.0, True),
        (949, 0.0, 0.0, False),
        (1051, 0.0, 0.0, False),
        (1000, 0.0, 0.09, True),
        (1000, 0.0, 0.11, False),
        (1000, 2.45, 3.0, True),
        (1000, 2.55, 3.0, False),
    ],
)
def test_selection_in_momentum_direction_and_distance_to_a_parton(pt, eta, phi, accepted):
    partons = np.vstack([momenta(1000, 0, 0), momenta(1000, 2.5, 3.0)])
    assert is_accepted(momenta(pt, eta, phi), partons) is accepted


@pytest.mark.slow
@pytest.mark.parametrize("label", HARD_PROCESSES)
def test_every_class_gives_finite_features_and_equal_seeds_equal_jets(label):
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")
    jets = simulate_jets(Chunk(label, 5, seed=1))
    assert jets.shape == (5, 16)
    assert np.isfinite(jets).all()
    np.testing.assert_array_equal(simulate_jets(Chunk(label, 3, seed=1)), jets[:3])
    assert not np.array_equal(simulate_jets(Chunk(label, 3, seed=2)), jets[:3])
