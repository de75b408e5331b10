"""Feature distributions: bins, normalization and refusals."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import Sample, feature_distributions
from nanotrigger.evaluation.figures.features import JET_FEATURE_LABELS, bin_edges


def test_all_sixteen_jet_features_have_a_symbol() -> None:
    assert len(set(JET_FEATURE_LABELS.values())) == 16
    assert JET_FEATURE_LABELS["mass_mmdt"].endswith("[GeV]")


def test_outliers_do_not_stretch_the_axis() -> None:
    column = np.append(np.random.default_rng(0).random(10_000), [1e6, -1e6])
    edges = bin_edges(column)
    assert 0 < edges[0] < edges[-1] < 1


def test_all_of_a_tiny_sample_is_shown() -> None:
    edges = bin_edges(np.array([-3.5, 0.1, 7.25]))
    assert (edges[0], edges[-1]) == (-3.5, 7.25)


@pytest.mark.parametrize("events", [1, 5, 1000])
def test_constant_feature_gets_a_bin(events: int) -> None:
    edges = bin_edges(np.full(events, 0.25))
    assert edges[0] < 0.25 < edges[-1]


def test_bins_of_integers_hold_equally_many_of_them() -> None:
    edges = bin_edges(np.arange(1000.0))
    held = np.histogram(np.arange(1000.0), edges)[0]
    assert len(set(held[1:-1])) == 1
    assert len(held) <= 50


def test_density_integrates_to_the_fraction_on_the_axis() -> None:
    random = np.random.default_rng(1)
    column, labels = random.normal(size=(2000, 1)), random.integers(0, 2, 2000)
    figure = feature_distributions(
        column, labels, feature_names=["x"], class_names=["a", "b"], sample=Sample("Normal", 2000, "test")
    )
    for index, stairs in enumerate(figure.axes[0].patches):
        values, edges, _ = stairs.get_data()
        members = column[labels == index, 0]
        inside = np.mean((members >= edges[0]) & (members <= edges[-1]))
        assert np.sum(values * np.diff(edges)) == pytest.approx(inside)
        assert 0.98 < inside < 1


def test_wrong_features_are_refused(some_jets) -> None:
    arguments = {"class_names": some_jets.class_names, "sample": some_jets.sample}
    with pytest.raises(InputError, match=r"features have shape \(50, 4\); give \(events, 2\)"):
        feature_distributions(some_jets.features, some_jets.labels, feature_names=["zlogz", "mass_mmdt"], **arguments)
    broken = some_jets.features.copy()
    broken[3, 1] = np.nan
    with pytest.raises(InputError, match="'mass_mmdt' holds NaN"):
        feature_distributions(broken, some_jets.labels, feature_names=some_jets.feature_names, **arguments)
