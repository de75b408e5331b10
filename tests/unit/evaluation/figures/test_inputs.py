"""Distributions of inputs: bins, normalization, absent objects and refusals."""

import numpy as np
import pytest
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import (
    Sample,
    feature_distributions,
    input_distributions,
)
from nanotrigger.evaluation.figures.inputs import JET_FEATURE_LABELS, bin_edges

SAMPLE = Sample("Random collisions", 1000, "test", unit="events")
NAMES = ["met_pt", "met_eta", "met_phi", "muon_1_pt", "muon_1_eta", "muon_1_phi"]
CLASSES = ["background", "hTo4l"]
LABELS = np.repeat([0, 1], [600, 400])
OBJECTS = {"met": "missing momentum", "muon_1": "leading muon"}


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


@pytest.mark.parametrize("steps", [256, 4096])
def test_bins_of_rounded_values_hold_equally_many_of_them(steps) -> None:
    values = np.arange(-600, 601) / steps
    held = np.histogram(values, bin_edges(values))[0]
    assert len(set(held[1:-1])) == 1


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


def events() -> np.ndarray:
    random = np.random.default_rng(2)
    features = random.uniform(-3, 3, (1000, 6))
    features[:, [0, 3]] = random.exponential(30, (1000, 2))
    features[:, 1] = 0
    features[:150, 3:] = 0  # no muon in a quarter of the background
    return features


def draw_inputs(features=None, **changes):
    arguments = {"feature_names": NAMES, "class_names": CLASSES, "sample": SAMPLE, "objects": OBJECTS} | changes
    return input_distributions(events() if features is None else features, LABELS, **arguments)


def written(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


@pytest.fixture(scope="module")
def inputs():
    """Return the figure of the inputs; not to be changed."""
    return draw_inputs()


def test_densities_are_those_of_the_objects_that_are_there(inputs) -> None:
    features = events()
    for column in (0, 2, 3, 4, 5):
        axes = inputs.axes[column]
        present = features[:, 3 * (column // 3)] > 0
        for index, stairs in enumerate(axes.patches):
            values, edges, _ = stairs.get_data()
            members = features[present & (index == LABELS), column]
            inside = np.mean((members >= edges[0]) & (members <= edges[-1]))
            assert np.sum(values * np.diff(edges)) == pytest.approx(inside)
            assert inside > 0.98


def test_share_of_absent_objects_is_named(inputs) -> None:
    texts = written(inputs)
    assert texts.count("absent") == 1  # of the muon only
    assert texts.count("25.0 %") == 1
    assert texts.count("0.0 %") == 1


def test_quantity_that_never_changes_is_named_and_not_drawn(inputs) -> None:
    assert not inputs.axes[1].axison
    assert r"$\eta$ = 0 in all events" in written(inputs)


def test_columns_are_found_by_name(inputs) -> None:
    order = [3, 5, 4, 2, 0, 1]
    figure = draw_inputs(events()[:, order], feature_names=[NAMES[index] for index in order])
    for axes, expected in zip(figure.axes, inputs.axes, strict=True):
        for stairs, same in zip(axes.patches, expected.patches, strict=True):
            np.testing.assert_array_equal(stairs.get_data().values, same.get_data().values)


def test_wrong_inputs_are_refused() -> None:
    with pytest.raises(InputError, match="no feature is named 'jet_1_pt'"):
        draw_inputs(objects={"jet_1": "leading jet"})
    with pytest.raises(InputError, match=r"features have shape \(1000, 6\); give \(events, 5\)"):
        draw_inputs(feature_names=NAMES[:5])
    broken = events()
    broken[1, 4] = np.inf
    with pytest.raises(InputError, match="'muon_1_eta' holds NaN"):
        draw_inputs(broken)
