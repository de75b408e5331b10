"""Jets: their selection, small generations of every class, whole samples and the file's layout."""

import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest

import nanotrigger.simulate.jets as module
from nanotrigger.errors import InputError
from nanotrigger.simulate.generator import Chunk
from nanotrigger.simulate.jets import (
    HARD_PROCESSES,
    SimulatedJets,
    class_counts,
    digitized_constituents,
    is_accepted,
    simulate_jets,
    simulate_sample,
    write_sample,
)
from nanotrigger.simulate.substructure import FEATURE_NAMES


def momenta(pt, eta, phi):
    return np.array([[pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]])


@pytest.mark.parametrize(
    ("pt", "eta", "phi", "accepted"),
    [
        (1000, 0.0, 0.0, True),
        (799, 0.0, 0.0, False),
        (801, 0.0, 0.0, True),
        (1599, 0.0, 0.0, True),
        (1601, 0.0, 0.0, False),
        (1000, 0.0, 0.19, True),
        (1000, 0.0, 0.21, False),
        (1000, 2.45, 3.0, True),
        (1000, 2.55, 3.0, False),
    ],
)
def test_selection_in_momentum_direction_and_distance_to_a_parton(pt, eta, phi, accepted):
    partons = np.vstack([momenta(1000, 0, 0), momenta(1000, 2.5, 3.0)])
    assert is_accepted(momenta(pt, eta, phi), partons) is accepted


@pytest.fixture
def _generators():
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")


@pytest.mark.slow
@pytest.mark.usefixtures("_generators")
@pytest.mark.parametrize("label", HARD_PROCESSES)
def test_every_class_gives_finite_features_and_equal_seeds_equal_jets(label):
    jets, none = simulate_jets(Chunk(label, 5, seed=1))
    assert jets.shape == (5, 16)
    assert none.size == 0
    assert np.isfinite(jets).all()
    again, hardest = simulate_jets(Chunk(label, 3, seed=1), constituents=4)
    np.testing.assert_array_equal(again, jets[:3])
    assert hardest.shape == (3, 4, 3)
    without, same = simulate_jets(Chunk(label, 3, seed=1), constituents=4, features=False)
    assert without.shape == (3, 0)
    np.testing.assert_array_equal(same, hardest)
    assert not np.array_equal(simulate_jets(Chunk(label, 3, seed=2))[0], jets[:3])


class Unreliable:
    """A Pythia that fails on all events but every hundredth."""

    def __init__(self, pythia):
        self.pythia, self.calls = pythia, 0

    def __getattr__(self, name):
        return getattr(self.pythia, name)

    def next(self):
        self.calls += 1
        return self.calls % 100 == 0 and self.pythia.next()


@pytest.mark.usefixtures("_generators")
def test_events_on_which_pythia_fails_are_skipped(monkeypatch):
    started = module.start_pythia
    expected, _ = simulate_jets(Chunk("w", 3, seed=1))
    monkeypatch.setattr(module, "start_pythia", lambda *settings, **more: Unreliable(started(*settings, **more)))
    np.testing.assert_array_equal(simulate_jets(Chunk("w", 3, seed=1))[0], expected)


@pytest.mark.usefixtures("_generators")
def test_a_pythia_that_fails_on_every_event_is_an_error_of_one_line(monkeypatch):
    class Failing:
        def next(self):
            return False

    monkeypatch.setattr(module, "start_pythia", lambda *settings, **more: Failing())
    with pytest.raises(InputError, match=r"Pythia failed on 100 events in a row; another --seed"):
        simulate_jets(Chunk("w", 3, seed=1))


@pytest.fixture
def sample():
    features = np.arange(160, dtype=np.float32).reshape(10, 16)
    return SimulatedJets(features, np.arange(10, dtype=np.int8) % 5, {"source": "made up", "seed": 3})


@pytest.fixture
def sample_with_constituents(sample):
    return replace(sample, constituents=np.arange(60, dtype=np.float16).reshape(10, 2, 3))


@pytest.mark.parametrize("n", [1, 5, 13, 50_000])
def test_classes_are_balanced(n):
    counts = class_counts(n).values()
    assert sum(counts) == n
    assert max(counts) - min(counts) <= 1


@pytest.mark.slow
@pytest.mark.usefixtures("_generators")
def test_the_file_does_not_depend_on_the_number_of_processes(tmp_path):
    for processes in (1, 3):
        sample = simulate_sample(13, seed=5, constituents=300, processes=processes)
        write_sample(tmp_path / f"{processes}.h5", sample)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "3.h5").read_bytes()
    with h5py.File(tmp_path / "1.h5") as file:
        assert np.bincount(file["y"][:]).tolist() == [3, 3, 3, 2, 2]
        assert file["y"][:].tolist() != sorted(file["y"][:])
        assert file.attrs["command"] == "python -m nanotrigger.simulate jets --n 13 --seed 5 --constituents 300"
        assert {"source", "seed", "pythia", "fastjet"} <= set(file.attrs)
        share = file["constituents"][:, :, 0]
        np.testing.assert_array_equal((share > 0).sum(axis=1), file["X"][:, -1])  # each jet's own: its multiplicity


def test_layout_of_the_file(tmp_path, sample):
    write_sample(tmp_path / "jets.h5", sample)
    with h5py.File(tmp_path / "jets.h5") as file:
        assert file["X"].dtype == np.float32
        assert file["y"].dtype == np.int8
        np.testing.assert_array_equal(file["X"][:], sample.features)
        np.testing.assert_array_equal(file["y"][:], sample.labels)
        assert tuple(file.attrs["feature_names"]) == FEATURE_NAMES
        assert tuple(file.attrs["class_names"]) == ("g", "q", "t", "w", "z")
        assert (file.attrs["source"], file.attrs["seed"]) == ("made up", 3)
        assert "constituents" not in file


def test_layout_of_the_constituents(tmp_path, sample_with_constituents):
    write_sample(tmp_path / "jets.h5", sample_with_constituents)
    with h5py.File(tmp_path / "jets.h5") as file:
        assert file["constituents"].dtype == np.float16
        np.testing.assert_array_equal(file["constituents"][:], sample_with_constituents.constituents)
        assert tuple(file.attrs["constituent_names"]) == ("pt_fraction", "delta_eta", "delta_phi")
        np.testing.assert_array_equal(file["X"][:], sample_with_constituents.features)


def test_layout_without_features(tmp_path, sample_with_constituents):
    write_sample(tmp_path / "jets.h5", replace(sample_with_constituents, features=np.zeros((10, 0), np.float32)))
    with h5py.File(tmp_path / "jets.h5") as file:
        assert sorted(file) == ["constituents", "y"]
        assert {"class_names", "constituent_names", "source", "seed"} == set(file.attrs)


def test_constituents_are_rounded_and_none_vanishes():
    random = np.random.default_rng(1)
    exact = random.uniform([0, -0.4, -0.4], [0.5, 0.4, 0.4], (200, 7, 3)).astype(np.float32)
    exact[:, 3, 0] = 1e-7
    exact[:, 5:] = 0
    found = digitized_constituents(exact)
    assert not found[:, 5:].any()
    assert (found[:, 3, 0] == 1 / 4096).all()
    assert not (found.astype(float) * [4096, 256, 256] % 1).any()
    np.testing.assert_array_less(np.abs(found - exact), np.broadcast_to([1 / 4096, 1 / 500, 1 / 500], exact.shape))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n": 0, "seed": 1}, "n = 0"),
        ({"n": 5, "seed": -1}, "seed = -1"),
        ({"n": 5, "seed": 2**63}, "seed = 9223372036854775808"),
        ({"n": 5, "seed": 1, "processes": 0}, "processes = 0"),
        ({"n": 5, "seed": 1, "constituents": -1}, "constituents = -1"),
        ({"n": 5, "seed": 1, "constituents": 1001}, "constituents = 1001"),
        ({"n": 5, "seed": 1, "features": False}, "constituents = 0: must be 1 to 1000"),
    ],
)
def test_numbers_out_of_range_are_named(numbers, message):
    with pytest.raises(InputError, match=message):
        simulate_sample(**numbers)


@pytest.mark.parametrize("package", ["pythia8mc", "fastjet"])
def test_a_missing_generator_comes_with_the_remedy(monkeypatch, package):
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")
    monkeypatch.setitem(sys.modules, package, None)  # makes its import fail
    with pytest.raises(InputError, match=rf"needs {package}: pip install \"nanotrigger\[simulate\]\""):
        simulate_sample(5, seed=1)


def test_importing_the_simulation_imports_no_generator():
    code = "import sys, nanotrigger.simulate.__main__; print({'pythia8mc', 'fastjet'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
