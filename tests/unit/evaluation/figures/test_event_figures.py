"""The numbers that the figures of collision events show: inputs, reconstruction, latent space, quantization."""

import numpy as np
import pytest
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import (
    Sample,
    input_distributions,
    latent_scatter,
    quantized_inputs,
    reconstructed_momenta,
)
from nanotrigger.evaluation.figures.quantized_inputs import word_edges
from nanotrigger.numbers import FixedPoint

SAMPLE = Sample("Random collisions", 1000, "test", unit="events")
NAMES = ["met_pt", "met_eta", "met_phi", "muon_1_pt", "muon_1_eta", "muon_1_phi"]
CLASSES = ["background", "hTo4l"]
LABELS = np.repeat([0, 1], [600, 400])
OBJECTS = {"met": "missing momentum", "muon_1": "leading muon"}


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


def test_reconstruction_counts_every_object_that_is_there() -> None:
    truth = events()[:, [0, 3]]
    found = truth * [0.5, 1.0] - [0.0, 500.0]
    figure = reconstructed_momenta(truth, found, object_names=["MET", "muon"], sample=SAMPLE)
    met, muon = (axes.collections[0].get_array() for axes in figure.axes[:2])
    assert met.sum() == np.count_nonzero(truth[:, 0] <= np.quantile(truth[:, 0], 0.995))
    assert not muon.count()  # all below the axes
    texts = written(figure)
    assert "MET\nabsent in 0.0 %, 0.5 % of the others beyond the axes" in texts
    assert "muon\nabsent in 15.0 %, 100.0 % of the others beyond the axes" in texts


def test_object_that_is_never_there() -> None:
    figure = reconstructed_momenta(np.zeros((1000, 1)), np.ones((1000, 1)), object_names=["muon"], sample=SAMPLE)
    assert "muon\nabsent in all events" in written(figure)


def test_wrong_momenta_are_refused() -> None:
    truth = events()[:, [0, 3]]
    with pytest.raises(InputError, match=r"true pT has shape \(1000, 2\); give \(events, 1\)"):
        reconstructed_momenta(truth, truth, object_names=["MET"], sample=SAMPLE)
    with pytest.raises(InputError, match="reconstructed pT holds NaN"):
        reconstructed_momenta(truth, truth * np.nan, object_names=["MET", "muon"], sample=SAMPLE)
    with pytest.raises(InputError, match="1000 events have a true pT, 999 a reconstructed one"):
        reconstructed_momenta(truth, truth[1:], object_names=["MET", "muon"], sample=SAMPLE)


def scatter(columns: int, **changes):
    latent = np.random.default_rng(3).normal(size=(1000, columns))
    arguments = {"axis_names": [f"z{index}" for index in range(columns)], "class_names": CLASSES, "sample": SAMPLE}
    return latent, latent_scatter(latent, LABELS, **(arguments | changes))


@pytest.mark.parametrize(("columns", "pairs"), [(2, 1), (3, 3), (4, 6)])
def test_every_pair_of_coordinates_has_a_panel(columns: int, pairs: int) -> None:
    _, figure = scatter(columns)
    labels = {(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes}
    assert len(labels) == len(figure.axes) == pairs


def test_points_are_events_of_their_class_and_the_same_in_every_panel() -> None:
    latent, figure = scatter(3, events_per_class=450)
    for index, most in enumerate([450, 400]):
        points = figure.axes[0].lines[index].get_xydata()
        members = {tuple(row) for row in latent[index == LABELS, :2].tolist()}
        assert len(points) == most
        assert {tuple(row) for row in points.tolist()} <= members
        np.testing.assert_array_equal(figure.axes[1].lines[index].get_xdata(), points[:, 0])


def test_wrong_coordinates_are_refused() -> None:
    for columns in (1, 5):
        with pytest.raises(InputError, match=rf"shape \(1000, {columns}\), {columns} names; give \(events, 2 to 4\)"):
            scatter(columns)
    with pytest.raises(InputError, match="2 names"):
        scatter(3, axis_names=["z0", "z1"])
    with pytest.raises(InputError, match="NaN"):
        latent_scatter(np.full((1000, 2), np.nan), LABELS, axis_names=["a", "b"], class_names=CLASSES, sample=SAMPLE)


def test_quantized_bins_hold_equally_many_words_and_saturation_is_named() -> None:
    number = FixedPoint(3, 2)  # −2 to 1.5 in steps of 0.5
    values = np.linspace(-3, 3, 1000)[:, None]
    figure = quantized_inputs(values, number.quantize(values), number=number, feature_names=["x"], sample=SAMPLE)
    (axes,) = figure.axes
    densities, edges, _ = axes.patches[0].get_data()
    np.testing.assert_allclose(np.diff(edges), 0.5)
    centres = (edges[:-1] + edges[1:]) / 2
    assert centres[densities > 0].tolist() == np.unique(number.quantize(values)).tolist()
    assert np.sum(densities * 0.5) == pytest.approx(1)
    assert "33.40 % saturate" in written(figure)  # below −2.25 and above 1.75: 2 of 6, to the next of 1000 values
    assert any("Inputs quantized to fixed<3,2>" in text for text in written(figure))


@pytest.mark.parametrize("step", [2.0**-9, 0.25, 4.0])
def test_bins_of_words_enclose_the_range(step: float) -> None:
    edges = word_edges(-1.3, 7.9, step)
    words = np.diff(edges) / step
    assert edges[0] <= -1.3 + step / 2
    assert edges[-1] >= 7.9 - step / 2
    assert (words == words[0]).all()
    assert words[0] == np.rint(words[0])
    assert len(words) <= 62


def test_quantized_inputs_must_fit_together() -> None:
    arguments = {"number": FixedPoint(4, 2), "feature_names": ["x"], "sample": SAMPLE}
    with pytest.raises(InputError, match=r"shape \(1000, 1\) before and \(1000,\) after"):
        quantized_inputs(np.zeros((1000, 1)), np.zeros(1000), **arguments)
    with pytest.raises(InputError, match="inputs hold NaN"):
        quantized_inputs(np.full((1000, 1), np.nan), np.zeros((1000, 1)), **arguments)
