"""The trade-off: its points, its fronts and its scale."""

import numpy as np
import pytest
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import TradeoffPoints, tradeoff_figure

UNKNOWN = [np.nan] * 3


def points(label: str = "qat", *, aluts=(100, 300, 200), ffs=(5, 6, 7), source: str = "Quartus fit") -> TradeoffPoints:
    accuracy = np.array([0.66, 0.7, 0.68])
    interval = accuracy[:, None] + [-0.02, 0.01]
    return TradeoffPoints(label, accuracy, {"aluts": aluts, "ffs": ffs}, source, interval)


def fronts(panel) -> list[np.ndarray]:
    return [line.get_xydata() for line in panel.get_lines() if line.get_drawstyle() == "steps-post"]


def legend(figure) -> list[str]:
    (found,) = figure.subfigs[1].legends
    return [text.get_text() for text in found.get_texts()]


def test_front_is_a_staircase_to_the_right_end() -> None:
    figure = tradeoff_figure([points(aluts=(100, 150, 200))], notes=[])
    (front,) = fronts(figure.axes[0])
    right = figure.axes[0].get_xlim()[1]
    np.testing.assert_allclose(front, [[100, 0.66], [150, 0.7], [right, 0.7]])
    assert right > 200


def test_studies_of_one_source_share_a_front() -> None:
    figure = tradeoff_figure([points("a"), points("b", aluts=(90, 80, 70))], notes=[])
    assert legend(figure) == ["a", "b", "Pareto front"]
    (front,) = fronts(figure.axes[0])
    np.testing.assert_allclose(front[:-1], [[70, 0.68], [80, 0.7]])


def test_sources_are_never_mixed() -> None:
    figure = tradeoff_figure([points("a"), points("b", source="Open synthesis")], notes=[])
    assert legend(figure)[2:] == ["Pareto front, Quartus fit", "Pareto front, Open synthesis"]
    assert len(fronts(figure.axes[0])) == 2


def test_reference_is_beside_the_front() -> None:
    figure = tradeoff_figure([points()], notes=[], reference=[points("published", aluts=(1, 1, 1))])
    (front,) = fronts(figure.axes[0])
    assert front[:, 0].min() == 100
    assert legend(figure) == ["qat", "published", "Pareto front"]


def test_error_bars_are_the_interval() -> None:
    figure = tradeoff_figure([points()], notes=[])
    bars = figure.axes[0].collections[0]
    np.testing.assert_allclose(next(segment[:, 1] for segment in bars.get_segments()), [0.64, 0.67])
    assert "68 %" in " ".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize(
    ("aluts", "scale"), [((100, 300, 1001), "log"), ((100, 300, 999), "linear"), ((0, 3, 999), "linear")]
)
def test_more_than_a_decade_is_logarithmic(aluts, scale: str) -> None:
    figure = tradeoff_figure([points(aluts=aluts)], notes=[])
    assert figure.axes[0].get_xscale() == scale


def test_a_cost_may_be_unknown() -> None:
    figure = tradeoff_figure([points(ffs=UNKNOWN)], notes=[])
    assert "not known" in [text.get_text() for text in figure.axes[1].findobj(Text)]
    assert not fronts(figure.axes[1])


def test_wrong_points_are_refused() -> None:
    with pytest.raises(InputError, match="no known cost"):
        tradeoff_figure([points(aluts=UNKNOWN, ffs=UNKNOWN)], notes=[])
    with pytest.raises(InputError, match="one number for each point"):
        points(aluts=(1, 2))
    with pytest.raises(InputError, match=r"interval has shape \(1,\)"):
        TradeoffPoints("a", [0.5], {"aluts": [1], "ffs": [1]}, "Quartus fit", [0.1])


def test_networks_far_below_the_best_are_left_out_and_counted() -> None:
    quality, costs = np.array([0.2, 0.7, 0.65]), {"aluts": [1, 3, 2], "ffs": UNKNOWN}
    study = TradeoffPoints("qat", quality, costs, "Quartus fit", names=["worst", "best", "cheap"])
    figure = tradeoff_figure([study], notes=[])
    (front,) = fronts(figure.axes[0])
    np.testing.assert_allclose(front[:-1], [[2, 0.65], [3, 0.7]])
    written = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "1 networks that are worse than 0.64 are left out" in written
    assert "best" in written
    assert "worst" not in written
