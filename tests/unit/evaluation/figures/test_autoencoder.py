"""The numbers that the figures of an autoencoder show: reconstruction and latent space."""

import numpy as np
import pytest
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import (
    Sample,
    latent_scatter,
    momentum_distributions,
    reconstructed_momenta,
)

SAMPLE = Sample("Random collisions", 1000, "test", unit="events")
CLASSES = ["background", "hTo4l"]
LABELS = np.repeat([0, 1], [600, 400])


def events() -> np.ndarray:
    random = np.random.default_rng(2)
    features = random.uniform(-3, 3, (1000, 6))
    features[:, [0, 3]] = random.exponential(30, (1000, 2))
    features[:, 1] = 0
    features[:150, 3:] = 0  # no muon in a quarter of the background
    return features


def written(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


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
        inside = [row for row in points.tolist() if np.abs(row).max() < 2]  # others stand at the edge
        assert len(inside) > 300
        assert {tuple(row) for row in inside} <= members
        np.testing.assert_array_equal(figure.axes[1].lines[index].get_xdata(), points[:, 0])


def test_every_signal_has_a_panel_over_the_background_and_axes_of_percentiles() -> None:
    latent = np.random.default_rng(3).normal(size=(1000, 2))
    latent[-1] = 1e6  # one event far away
    labels = np.repeat([0, 1, 2], [600, 200, 200])
    names = ["background", "hTo4l", "leptoquark"]
    figure = latent_scatter(latent, labels, axis_names=["a", "b"], class_names=names, sample=SAMPLE)
    assert [axes.get_title() for axes in figure.axes] == names[1:]
    assert [len(axes.lines[1].get_xdata()) for axes in figure.axes] == [200, 200]
    right = figure.axes[1].get_xlim()[1]
    assert right < 5
    assert figure.axes[1].lines[1].get_xdata().max() == right  # where the event far away stands


def test_distributions_of_momenta_leave_out_absent_objects() -> None:
    truth = events()[:, [0, 3]]
    figure = momentum_distributions(truth, truth / 2, object_names=["MET", "muon"], sample=SAMPLE)
    true, found = (stairs.get_data() for stairs in figure.axes[1].patches)
    edges = true.edges
    present = truth[truth[:, 1] > 0, 1]
    np.testing.assert_array_equal(true.values, np.histogram(present, edges)[0])
    np.testing.assert_array_equal(found.values, np.histogram(present / 2, edges)[0])


def test_wrong_coordinates_are_refused() -> None:
    for columns in (1, 5):
        with pytest.raises(InputError, match=rf"shape \(1000, {columns}\), {columns} names; give \(events, 2 to 4\)"):
            scatter(columns)
    with pytest.raises(InputError, match="2 names"):
        scatter(3, axis_names=["z0", "z1"])
    with pytest.raises(InputError, match="NaN"):
        latent_scatter(np.full((1000, 2), np.nan), LABELS, axis_names=["a", "b"], class_names=CLASSES, sample=SAMPLE)
