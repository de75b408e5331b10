"""ROC curves and their stored points against counts of pairs, which need no curve."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.predictions import class_probabilities
from nanotrigger.evaluation.roc import one_against_all_roc, pairwise_roc, roc_curve, roc_points


def pair_area(scores: NDArray, is_signal: NDArray) -> float:
    """Return the fraction of (signal, background) pairs in the right order, ties counting one half."""
    difference = scores[is_signal][:, None] - scores[~is_signal][None, :]
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def jets(seed: int = 1, events: int = 400) -> tuple[NDArray, NDArray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 5, events)
    return random.normal(size=(events, 5)) + np.eye(5)[labels], labels


def test_curve_of_four_points_by_hand() -> None:
    curve = roc_curve([0.9, 0.7, 0.4, 0.2], [True, False, True, False])
    assert curve is not None
    np.testing.assert_array_equal(curve.signal_efficiency, [0, 0.5, 0.5, 1, 1])
    np.testing.assert_array_equal(curve.background_efficiency, [0, 0, 0.5, 0.5, 1])
    assert curve.auc == 0.75  # three of the four pairs are in order


@pytest.mark.parametrize("levels", [3, 1000])
def test_area_counts_pairs(levels: int) -> None:
    random = np.random.default_rng(2)
    scores, is_signal = random.integers(0, levels, 300), random.random(300) < 0.3
    curve = roc_curve(scores, is_signal)
    assert curve is not None
    assert curve.auc == pytest.approx(pair_area(scores, is_signal), abs=1e-12)


@pytest.mark.parametrize(("scores", "area"), [([2, 3, 0, 1], 1.0), ([0, 1, 2, 3], 0.0), ([5, 5, 5, 5], 0.5)])
def test_perfect_reversed_and_constant_scores(scores: list[int], area: float) -> None:
    curve = roc_curve(scores, [True, True, False, False])
    assert curve is not None
    assert curve.auc == area


def test_curve_runs_from_nothing_to_everything() -> None:
    logits, labels = jets()
    curve = one_against_all_roc(logits, labels, signal=2)
    assert curve is not None
    for efficiency in (curve.signal_efficiency, curve.background_efficiency):
        assert (efficiency[0], efficiency[-1]) == (0, 1)
        assert (np.diff(efficiency) >= 0).all()


@pytest.mark.parametrize("is_signal", [[True, True], [False, False]])
def test_absent_signal_or_background_has_no_curve(is_signal: list[bool]) -> None:
    assert roc_curve([0.1, 0.2], is_signal) is None


@pytest.mark.parametrize("signal", range(5))
def test_one_against_all_orders_events_by_probability(signal: int) -> None:
    logits, labels = jets()
    curve = one_against_all_roc(logits, labels, signal=signal)
    assert curve is not None
    expected = pair_area(class_probabilities(logits)[:, signal], labels == signal)
    assert curve.auc == pytest.approx(expected, abs=1e-12)


def test_saturated_probabilities_are_still_told_apart() -> None:
    logits = np.array([[60.0, 0.0], [50.0, 0.0]])
    assert (class_probabilities(logits)[:, 0] == 1).all()
    curve = one_against_all_roc(logits, [0, 1], signal=0)
    assert curve is not None
    assert curve.auc == 1


def test_quantized_logits_of_equal_odds_tie() -> None:
    logits = np.array([[1.0, 0.25, 0.5, 0.75], [1.0, 0.75, 0.25, 0.5], [2.0, 1.25, 1.75, 1.5]])
    curve = one_against_all_roc(logits, [0, 1, 2], signal=0)
    assert curve is not None
    assert curve.auc == 0.5


@pytest.mark.parametrize(("signal", "background"), [(0, 1), (4, 2), (1, 3)])
def test_pairwise_compares_two_classes_only(signal: int, background: int) -> None:
    logits, labels = jets()
    chosen = np.isin(labels, [signal, background])
    ratio = (logits[:, signal] - logits[:, background])[chosen]
    curve = pairwise_roc(logits, labels, signal=signal, background=background)
    mirrored = pairwise_roc(logits, labels, signal=background, background=signal)
    assert curve is not None
    assert mirrored is not None
    assert curve.auc == pytest.approx(pair_area(ratio, labels[chosen] == signal), abs=1e-12)
    assert mirrored.auc == pytest.approx(curve.auc, abs=1e-12)


def test_pairwise_without_one_of_the_two_has_no_curve() -> None:
    logits, labels = jets()
    present = labels != 3
    assert pairwise_roc(logits[present], labels[present], signal=0, background=3) is None
    assert one_against_all_roc(logits[present], labels[present], signal=3) is None


def test_wrong_scores_and_classes_are_refused() -> None:
    logits, labels = jets()
    with pytest.raises(InputError, match=r"scores have shape \(2,\), labels \(3,\)"):
        roc_curve([0.1, 0.2], [True, False, True])
    with pytest.raises(InputError, match="NaN"):
        roc_curve([0.1, np.nan], [True, False])
    with pytest.raises(InputError, match="class 5 does not exist; give an index 0 to 4"):
        one_against_all_roc(logits, labels, signal=5)
    with pytest.raises(InputError, match="class -1 does not exist"):
        pairwise_roc(logits, labels, signal=0, background=-1)


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
