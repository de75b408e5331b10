"""The record that becomes test.json."""

import json

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.summary import classification_summary

NAMES = ["g", "q", "t"]


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
