import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.weights import weight_histograms
from nanotrigger.numbers import FixedPoint

NARROW = FixedPoint(4, 2, narrow=True)


def heights(axes) -> float:
    return sum(bar.get_height() for bar in axes.patches)


@pytest.mark.parametrize("number", [NARROW, FixedPoint(16, 6), FixedPoint(1, 1), None])
@pytest.mark.parametrize("layers", [1, 4, 9])
def test_every_weight_is_in_a_bar(number, layers):
    random = np.random.default_rng(layers)
    values = random.normal(0, 0.5, (16, 8)) * (random.random((16, 8)) > 0.5)
    values = values if number is None else number.quantize(values)
    weights = {f"dense_{depth}": values for depth in range(layers)}
    figure = weight_histograms(weights, {} if number is None else dict.fromkeys(weights, number))
    assert len(figure.axes) == layers
    assert [heights(axes) for axes in figure.axes] == [values.size] * layers


def test_zeros_have_a_bar_of_their_own():
    (axes,) = weight_histograms({"dense": np.array([[0.0, 0.0, 0.25], [0.0, -0.5, 0.25]])}, {"dense": NARROW}).axes
    assert sorted((bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in axes.patches) == [
        (-0.5, 1),
        (0, 3),
        (0.25, 2),
    ]


def test_formats_that_differ_stand_above_the_panels():
    weights = {"dense_1": np.array([0.25, -0.5]), "dense_2": np.array([1.0, -1.0])}
    one, other = weight_histograms(weights, {"dense_1": NARROW, "dense_2": FixedPoint(1, 1)}).axes
    assert (one.get_title(), other.get_title()) == ("dense_1: fixed<4,2>", "dense_2: fixed<1,1>")
    assert max(bar.get_width() for bar in one.patches) == pytest.approx(0.8 * NARROW.step)
    assert max(bar.get_width() for bar in other.patches) == pytest.approx(0.8)
    assert weight_histograms(weights, dict.fromkeys(weights, NARROW)).axes[0].get_title() == "dense_1"


def test_constant_weights():
    weight_histograms({"zero": np.zeros((2, 2)), "one": np.ones((2, 2))}, {})


def test_no_layer():
    with pytest.raises(InputError, match="at least one layer"):
        weight_histograms({}, {})
