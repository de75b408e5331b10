"""Whole samples: balance, determinism, the file's layout and bad input."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.simulate.sample import SimulatedJets, class_counts, simulate_sample, write_sample
from nanotrigger.simulate.substructure import FEATURE_NAMES


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
