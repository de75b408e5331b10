"""A classifier's numbers against values worked out by hand, and the record that becomes test.json."""

import json
import math

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.classification import (
    accuracy,
    accuracy_interval,
    classification_summary,
    confusion_matrix,
    cross_entropy,
    row_normalized,
)
from nanotrigger.evaluation.intervals import ONE_SIGMA

# Six events of three classes; predicted 0 1 1 2 0 2.
LOGITS = np.array([[3, 0, 0], [0, 3, 0], [0, 3, 0], [0, 0, 3], [3, 0, 0], [0, 0, 3]], np.float32)
LABELS = np.array([0, 0, 1, 2, 2, 2])

NAMES = ["g", "q", "t"]


def test_accuracy_by_hand() -> None:
    assert accuracy(LOGITS, LABELS) == 4 / 6


def test_accuracy_interval_covers_in_simulation() -> None:
    random = np.random.default_rng(20)
    truth, events, trials = 0.76, 500, 1000
    covered = 0
    for correct in random.binomial(events, truth, trials):
        labels = np.zeros(events, np.int64)
        logits = np.zeros((events, 2))
        logits[correct:, 1] = 1.0  # the rest is taken for class 1
        lower, upper = accuracy_interval(logits, labels)
        covered += lower <= truth <= upper
    deviation = math.sqrt(ONE_SIGMA * (1 - ONE_SIGMA) / trials)
    assert ONE_SIGMA - 3 * deviation < covered / trials < ONE_SIGMA + 0.05 + 3 * deviation  # conservative


def test_cross_entropy_of_uniform_outputs_is_the_logarithm_of_the_classes() -> None:
    assert cross_entropy(np.zeros((4, 5)), [0, 1, 2, 4]) == pytest.approx(math.log(5), rel=1e-15)


def test_cross_entropy_by_hand() -> None:
    right, wrong = -math.log(math.e**3 / (math.e**3 + 2)), -math.log(1 / (math.e**3 + 2))
    assert cross_entropy(LOGITS, LABELS) == pytest.approx((4 * right + 2 * wrong) / 6, rel=1e-14)


def test_cross_entropy_of_an_impossible_probability_is_not_clipped() -> None:
    assert cross_entropy([[1000.0, 0.0]], [1]) == 1000.0


def test_confusion_matrix_by_hand() -> None:
    np.testing.assert_array_equal(confusion_matrix(LOGITS, LABELS), [[1, 1, 0], [0, 1, 0], [1, 0, 2]])


def test_confusion_matrix_agrees_with_the_accuracy() -> None:
    random = np.random.default_rng(3)
    logits, labels = random.normal(size=(1000, 5)), random.integers(0, 5, 1000)
    counts = confusion_matrix(logits, labels)
    assert counts.sum() == 1000
    assert np.trace(counts) / 1000 == accuracy(logits, labels)
    np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(labels))


def test_rows_are_normalized_and_an_absent_class_is_undefined() -> None:
    fractions = row_normalized([[1, 1, 0], [0, 0, 0], [1, 0, 3]])
    np.testing.assert_array_equal(fractions, [[0.5, 0.5, 0.0], [np.nan] * 3, [0.25, 0.0, 0.75]])


def test_record_by_hand() -> None:
    logits = [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0], [0.0, 2.0, 0.0]]
    record = classification_summary(logits, [0, 1, 2, 2], class_names=NAMES)
    assert record["samples"] == 4
    assert record["class_names"] == NAMES
    assert record["accuracy"] == 0.75
    assert record["accuracy_interval"][0] < 0.75 < record["accuracy_interval"][1]
    assert record["auc"] == {"g": 1.0, "q": pytest.approx(2.5 / 3), "t": 0.75}
    assert record["auc_pairwise"]["q"] == {"g": 1.0, "t": 0.75}
    assert record["confusion_matrix"]["counts"] == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert record["confusion_matrix"]["row_normalized"][2] == [0.0, 0.5, 0.5]


def test_record_survives_strict_json() -> None:
    random = np.random.default_rng(4)
    logits, labels = random.normal(size=(500, 3)).astype(np.float32), random.integers(0, 3, 500, np.int8)
    record = classification_summary(logits, labels, class_names=NAMES)
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_pairwise_areas_are_symmetric() -> None:
    random = np.random.default_rng(5)
    logits, labels = random.normal(size=(500, 3)), random.integers(0, 3, 500)
    areas = classification_summary(logits, labels, class_names=NAMES)["auc_pairwise"]
    assert all(areas[one][other] == areas[other][one] for one in areas for other in areas[one])
    assert [sorted(areas[name]) for name in NAMES] == [["q", "t"], ["g", "t"], ["g", "q"]]


def test_perfect_classifier() -> None:
    labels = np.arange(30) % 3
    record = classification_summary(20 * np.eye(3)[labels], labels, class_names=NAMES)
    assert record["accuracy"] == record["accuracy_interval"][1] == 1
    assert set(record["auc"].values()) == {1.0}
    assert record["cross_entropy"] < 1e-8


def test_absent_class_is_undefined_and_the_rest_is_not() -> None:
    labels = np.array([0, 2, 0, 2])
    record = classification_summary(np.eye(3)[labels], labels, class_names=NAMES)
    assert record["auc"] == {"g": 1.0, "q": None, "t": 1.0}
    assert record["auc_pairwise"]["g"] == {"q": None, "t": 1.0}
    assert record["confusion_matrix"]["row_normalized"][1] == [None, None, None]
    json.dumps(record, allow_nan=False)


def test_only_one_class() -> None:
    record = classification_summary(np.eye(3), [0, 0, 0], class_names=NAMES)
    assert set(record["auc"].values()) == {None}
    assert record["accuracy"] == 1 / 3


def test_names_must_match_the_logits() -> None:
    with pytest.raises(InputError, match="give 3 different names"):
        classification_summary(np.eye(3), [0, 1, 2], class_names=["g", "q"])
