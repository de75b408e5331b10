"""The stored points of a ROC curve, against the whole curve."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.roc_points import roc_points


@pytest.mark.parametrize("levels", [None, 40])
def test_every_point_lies_on_the_curve(levels: int | None) -> None:
    random = np.random.default_rng(4)
    background, signal = random.normal(size=5000), random.normal(1, size=700)
    if levels:
        background, signal = (np.round(scores * levels / 8) for scores in (background, signal))
    false_positives, true_positives = roc_points(background, signal)
    assert len(false_positives) <= 200
    assert (np.diff(false_positives) > 0).all()
    assert (np.diff(true_positives) >= 0).all()
    assert (false_positives[-1], true_positives[-1]) == (1, 1)
    thresholds = np.append(np.unique(background), -np.inf)
    every = {(np.mean(background > cut), np.mean(signal > cut)) for cut in thresholds}
    assert set(zip(false_positives.tolist(), true_positives.tolist(), strict=True)) <= every


def test_points_begin_with_the_first_background_event_and_are_even_in_their_logarithm() -> None:
    background = np.arange(100_000.0)
    false_positives, true_positives = roc_points(background, background)
    assert false_positives[0] == 1e-5
    np.testing.assert_array_equal(true_positives, false_positives)
    ratios = np.diff(np.log(false_positives[false_positives > 1e-3]))
    assert ratios.max() / ratios.min() < 1.2
    assert 150 < len(false_positives) <= 200


def test_ties_at_the_top_leave_the_points_out_that_nothing_passes() -> None:
    false_positives, true_positives = roc_points([0.0, 1.0, 1.0, 1.0], [1.0, 2.0])
    np.testing.assert_array_equal(false_positives, [0.75, 1.0])
    np.testing.assert_array_equal(true_positives, [1.0, 1.0])


def test_one_background_event_has_one_point() -> None:
    assert [rates.tolist() for rates in roc_points([0.0], [1.0, -1.0])] == [[1.0], [1.0]]


def test_one_point_is_no_curve() -> None:
    with pytest.raises(InputError, match="points=1"):
        roc_points([0.0, 1.0], [1.0], 1)
