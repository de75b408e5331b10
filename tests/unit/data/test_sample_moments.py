"""The shipped sample of simulated jets against the class means and widths of the real data."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from nanotrigger import data
from nanotrigger.files import sha256

SAMPLE = Path(data.__file__).parent / "samples" / "jets.h5"
MOMENTS = json.loads((Path(__file__).parents[2] / "reference" / "jets_moments.json").read_text())


@pytest.fixture(scope="module")
def sample():
    """Features standardized over the sample, shape (jets, 16), and labels, shape (jets,)."""
    with h5py.File(SAMPLE) as file:
        features, labels = file["X"][:].astype(float), file["y"][:]
        assert file.attrs["feature_names"].tolist() == MOMENTS["features"]
        assert file.attrs["class_names"].tolist() == MOMENTS["classes"]
    return (features - features.mean(axis=0)) / features.std(axis=0), labels


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


def test_class_means(sample):
    # The reference is 1,024 real jets, so its statistical error alone contributes about 0.07.
    features, labels = sample
    means = [features[labels == label].mean(axis=0) for label in range(5)]
    assert rms(np.subtract(means, MOMENTS["mean"])) <= 0.12


def test_class_widths(sample):
    # About 0.05 is the statistical error of the reference; simulated W and Z are wider by 0.06 and 0.08.
    features, labels = sample
    widths = [features[labels == label].std(axis=0) for label in range(5)]
    assert rms(np.subtract(widths, MOMENTS["std"])) <= 0.10


def test_classes_are_balanced(sample):
    assert np.bincount(sample[1]).tolist() == [10_000] * 5


def test_the_file_is_small_and_the_one_that_its_readme_describes():
    assert SAMPLE.stat().st_size <= 3_000_000
    assert sha256(SAMPLE) in SAMPLE.with_name("README.md").read_text()
