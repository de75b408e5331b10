"""Staircases of formats, bars of weights, inputs before and after quantization."""

import numpy as np
import pytest
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import (
    Sample,
    quantized_inputs,
    quantizer_staircases,
)
from nanotrigger.evaluation.figures.quantization import describe, staircase_family, word_edges
from nanotrigger.evaluation.figures.weights import weight_comparison, weight_histograms
from nanotrigger.numbers import FixedPoint

NARROW = FixedPoint(4, 2, narrow=True)

SAMPLE = Sample("Random collisions", 1000, "test", unit="events")


def staircase(fixed_point: FixedPoint) -> np.ndarray:
    (axes,) = quantizer_staircases({"weight": fixed_point}).axes
    (line,) = [line for line in axes.get_lines() if line.get_label() == "Quantized"]
    return np.asarray(line.get_ydata())


@pytest.mark.parametrize(
    "fixed_point",
    [FixedPoint(4, 2), FixedPoint(4, 2, narrow=True), FixedPoint(3, 0, signed=False), FixedPoint(1, 1)],
    ids=str,
)
def test_every_value_of_the_format_and_no_other_is_a_stair(fixed_point: FixedPoint) -> None:
    words = np.unique(staircase(fixed_point)) / fixed_point.step
    every = np.arange(fixed_point.minimum_word, fixed_point.maximum_word + 1)
    np.testing.assert_array_equal(words, [-1, 1] if fixed_point.is_binary else every)


@pytest.mark.parametrize(("fixed_point", "insets"), [(FixedPoint(4, 2), 0), (FixedPoint(16, 6), 1)], ids=str)
def test_fine_steps_are_magnified(fixed_point: FixedPoint, insets: int) -> None:
    (axes,) = quantizer_staircases({"weight": fixed_point}).axes
    assert len(axes.child_axes) == insets


def test_range_is_written_exactly() -> None:
    assert describe(FixedPoint(32, 16)).endswith("Minimum −32768\nMaximum 32767.99998")


def test_tensors_of_one_format_share_a_panel() -> None:
    down = FixedPoint(8, 2, signed=False, rounding="down")
    figure = quantizer_staircases(
        {"input": FixedPoint(16, 6), "relu": down, "weight": NARROW, "output": FixedPoint(16, 6)}
    )
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["input, output: fixed<16,6>", "relu: ufixed<8,2>, down", "weight: fixed<4,2>, narrow"]
    assert any("round to nearest even or down, saturate" in text.get_text() for text in figure.findobj(Text))


def test_no_formats_are_refused() -> None:
    with pytest.raises(InputError, match="formats is empty"):
        quantizer_staircases({})


def test_family_has_one_and_two_integer_bits_at_every_width() -> None:
    for width, axes in enumerate(staircase_family().axes, start=1):
        ends = [[line.get_ydata().min(), line.get_ydata().max()] for line in axes.get_lines()[1:]]
        formats = [FixedPoint(width, integer) for integer in ((2, 1) if width > 1 else (1,))]
        assert ends == [[number.minimum, number.maximum] for number in formats]


def heights(axes) -> float:
    bars = (bar.get_data().values.sum() if isinstance(bar, StepPatch) else bar.get_height() for bar in axes.patches)
    return sum(bars)


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


def test_quantizers_of_their_own_are_no_floats():
    own, floats = weight_histograms({"own": np.ones(3), "other": np.ones(3)}, {"own": None}).axes
    assert (own.get_title(), floats.get_title()) == ("own: quantized", "other: floating point")


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


def test_weights_without_zeros_have_no_entry_for_them():
    (legend,) = weight_histograms({"dense": np.array([0.25, -0.5])}, {"dense": NARROW}).subfigs[1].legends
    assert [text.get_text() for text in legend.get_texts()] == ["weights, none of which is zero"]


def test_networks_over_each_other_share_bins_and_hold_every_weight():
    values = np.random.default_rng(4).normal(size=(16, 8))
    pruned = np.where(np.abs(values) > 1, values, 0)
    (axes,) = weight_comparison({"float": {"dense": values}, "pruned": {"dense": pruned}}).axes
    one, other = (stairs.get_data() for stairs in axes.patches)
    np.testing.assert_array_equal(one.edges, other.edges)
    assert one.values.sum() == other.values.sum() == values.size
    assert other.values[np.searchsorted(other.edges, 0) - 1] == np.count_nonzero(pruned == 0)
    with pytest.raises(InputError, match="at least one layer"):
        weight_comparison({"float": {}})


def test_constant_weights():
    weight_histograms({"zero": np.zeros((2, 2)), "one": np.ones((2, 2))}, {})


def test_no_layer():
    with pytest.raises(InputError, match="at least one layer"):
        weight_histograms({}, {})


def written(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


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
    before = axes.patches[1].get_data().edges
    assert not set(before) & set(np.unique(number.quantize(values)))  # a peak of equal values is never split
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
