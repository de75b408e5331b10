"""The staircases of fixed-point formats."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import quantizer_staircases
from nanotrigger.evaluation.figures.staircase import describe
from nanotrigger.numbers import FixedPoint


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


def test_no_formats_are_refused() -> None:
    with pytest.raises(InputError, match="formats is empty"):
        quantizer_staircases({})
