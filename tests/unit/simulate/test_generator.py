"""Starting Pythia, settings that it refuses, and its collisions as particles in flat arrays."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.simulate.generator import Particles, collide, start_pythia


@pytest.mark.parametrize(
    ("settings", "message"),
    [(["Colour:blue = on"], "does not know the setting 'Colour:blue = on'"), ([], "cannot start")],
)
def test_bad_settings_are_named(settings, message):
    pytest.importorskip("pythia8mc")
    with pytest.raises(RuntimeError, match=message):
        start_pythia([*settings, "ProcessLevel:all = on"], seed=1)


def test_momenta_of_massless_particles():
    particles = Particles(
        np.array([0]), np.array([22]), np.array([3.0]), np.array([np.arcsinh(4 / 3)]), np.array([0.0])
    )
    np.testing.assert_allclose(particles.momenta, [[3, 0, 4, 5]], atol=1e-12)
    np.testing.assert_allclose(particles.energy, [5])


def test_takes_by_mask_by_place_and_by_slice():
    three = Particles(np.arange(3), np.array([11, 13, 22]), np.arange(3.0), np.zeros(3), np.zeros(3))
    assert three.take(three.pt > 0.5).code.tolist() == [13, 22]
    assert three.take(np.array([2, 0])).code.tolist() == [22, 11]
    assert three.take(slice(1, 2)).event.tolist() == [1]


def test_collisions_conserve_transverse_momentum():
    pytest.importorskip("pythia8mc")
    pytest.importorskip("awkward")
    quick = ("WeakSingleBoson:ffbar2W = on", "PartonLevel:MPI = off")
    particles = collide(start_pythia(quick, seed=1), 5)
    assert set(particles.event) == set(range(5))
    assert (np.diff(particles.event) >= 0).all()
    for component in (np.cos, np.sin):
        sums = np.bincount(particles.event, particles.pt * component(particles.phi))
        np.testing.assert_allclose(sums, 0, atol=1e-4)


def test_a_generator_that_makes_nothing_is_an_error():
    awkward = pytest.importorskip("awkward")

    class Failing:
        def nextBatch(self, events):  # noqa: N802 - Pythia calls it so
            return awkward.Array({"prt": awkward.Array([[], []])})

    with pytest.raises(InputError, match="Pythia failed on 100 events in a row"):
        collide(Failing(), 100)
