"""The shipped sample of simulated jets against the real data: distributions in raw units, class means and widths."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from nanotrigger import data
from nanotrigger.files import sha256

SAMPLE = Path(data.__file__).parent / "samples" / "jets.h5"
CONSTITUENTS = SAMPLE.with_name("constituents.h5")
REFERENCE = Path(__file__).parents[2] / "reference"
MOMENTS = json.loads((REFERENCE / "jets_moments.json").read_text())
MARGINALS = json.loads((REFERENCE / "jets_marginals.json").read_text())


@pytest.fixture(scope="module")
def sample():
    """Features standardized over the sample, shape (jets, 16), and labels, shape (jets,)."""
    with h5py.File(SAMPLE) as file:
        features, labels = file["X"][:].astype(float), file["y"][:]
        assert file.attrs["feature_names"].tolist() == MOMENTS["features"]
        assert file.attrs["class_names"].tolist() == MOMENTS["classes"]
    return (features - features.mean(axis=0)) / features.std(axis=0), labels


@pytest.fixture(scope="module")
def in_real_widths():
    """Features less the real mean, in real widths, by name: nothing is fitted to the sample."""
    with h5py.File(SAMPLE) as file:
        features = (file["X"][:].astype(float) - MARGINALS["mean"]) / MARGINALS["std"]
    return dict(zip(MARGINALS["features"], features.T, strict=True))


@pytest.mark.parametrize("feature", MARGINALS["features"])
def test_mean_and_width_in_raw_units(in_real_widths, feature):
    values = in_real_widths[feature]
    assert abs(values.mean()) <= 0.12
    assert 0.9 <= values.std() <= 1.1


@pytest.mark.parametrize("feature", MARGINALS["features"])
def test_distance_of_the_distribution_functions(in_real_widths, feature):
    values = np.sort(in_real_widths[feature])
    quantiles = MARGINALS["quantiles"][MARGINALS["features"].index(feature)]
    levels = np.arange(1, 201) / 201
    below, not_above = (np.searchsorted(values, quantiles, side) / len(values) for side in ("left", "right"))
    # counts of particles are whole: any level between the two is that of the quantile
    assert np.maximum(below - levels, levels - not_above).max() <= 0.05


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


@pytest.mark.parametrize("path", [SAMPLE, CONSTITUENTS])
def test_the_file_is_small_and_the_one_that_its_readme_describes(path):
    assert path.stat().st_size <= 3_000_000
    assert sha256(path) in path.with_name("README.md").read_text()


def test_the_constituents_are_those_of_the_same_jets(sample):
    with h5py.File(SAMPLE) as jets, h5py.File(CONSTITUENTS) as file:
        multiplicity = jets["X"][:, MOMENTS["features"].index("multiplicity")]
        np.testing.assert_array_equal(file["y"][:], sample[1])
        assert file.attrs["class_names"].tolist() == MOMENTS["classes"]
        particles = file["constituents"][:].astype(float)
    share = particles[..., 0]
    np.testing.assert_array_equal((share > 0).sum(axis=1), np.minimum(multiplicity, 16))
    assert not particles[share == 0].any()
    assert (np.diff(share) <= 0).all()
    assert share.sum(axis=1).max() < 1.01
    assert np.mean(np.abs(particles[..., 1:]).max(axis=2) < 0.4) > 0.999
