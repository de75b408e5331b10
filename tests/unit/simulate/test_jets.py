"""Jets: their selection, small generations of every class, whole samples and the file's layout."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.simulate.generator import Chunk
from nanotrigger.simulate.jets import (
    HARD_PROCESSES,
    SimulatedJets,
    class_counts,
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


@pytest.fixture
def sample():
    features = np.arange(160, dtype=np.float32).reshape(10, 16)
    return SimulatedJets(features, np.arange(10, dtype=np.int8) % 5, {"source": "made up", "seed": 3})


@pytest.mark.parametrize("n", [1, 5, 13, 50_000])
def test_classes_are_balanced(n):
    counts = class_counts(n).values()
    assert sum(counts) == n
    assert max(counts) - min(counts) <= 1


@pytest.mark.slow
def test_the_file_does_not_depend_on_the_number_of_processes(tmp_path):
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")
    for processes in (1, 3):
        write_sample(tmp_path / f"{processes}.h5", simulate_sample(13, seed=5, processes=processes))
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "3.h5").read_bytes()
    with h5py.File(tmp_path / "1.h5") as file:
        assert np.bincount(file["y"][:]).tolist() == [3, 3, 3, 2, 2]
        assert file["y"][:].tolist() != sorted(file["y"][:])
        assert file.attrs["command"] == "python -m nanotrigger.simulate jets --n 13 --seed 5"
        assert {"source", "seed", "pythia", "fastjet"} <= set(file.attrs)


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


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n": 0, "seed": 1}, "n = 0"),
        ({"n": 5, "seed": -1}, "seed = -1"),
        ({"n": 5, "seed": 2**63}, "seed = 9223372036854775808"),
        ({"n": 5, "seed": 1, "processes": 0}, "processes = 0"),
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
