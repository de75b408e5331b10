"""Starting Pythia, settings that it refuses, and its collisions as particles in flat arrays."""

from itertools import islice

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.simulate.generator import Particles, collisions, joined, start_pythia


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


def quick_pythia():
    pytest.importorskip("pythia8mc")
    return start_pythia(("WeakSingleBoson:ffbar2W = on", "PartonLevel:MPI = off"), seed=1)


def test_collisions_conserve_transverse_momentum():
    for particles in islice(collisions(quick_pythia()), 5):
        assert len(particles.pt) > 2
        assert not particles.event.any()
        for component in (np.cos, np.sin):
            assert np.sum(particles.pt * component(particles.phi)) == pytest.approx(0, abs=1e-3)


def test_collisions_that_are_not_wanted_are_left_out():
    def has_muon(event):
        return any(entry.isFinal() and entry.idAbs() == 13 and entry.pT() > 20 for entry in event)

    for particles in islice(collisions(quick_pythia(), has_muon), 5):
        assert particles.pt[particles.code == 13].max() > 20


def test_a_generator_that_makes_nothing_is_an_error():
    class Failing:
        def next(self):
            return False

    with pytest.raises(InputError, match="Pythia failed on 100 events in a row; another --seed"):
        next(collisions(Failing()))


def test_particles_one_after_the_other():
    two = Particles(np.zeros(2, int), np.array([11, 13]), np.arange(2.0), np.zeros(2), np.zeros(2))
    assert joined([two, two.take(slice(1))]).code.tolist() == [11, 13, 11]
    assert len(joined([]).pt) == 0
