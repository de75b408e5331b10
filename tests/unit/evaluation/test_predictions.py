"""The door: what logits, labels and names must look like."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.predictions import (
    check_class_names,
    check_predictions,
    class_probabilities,
    predicted_classes,
)

LOGITS = np.zeros((4, 3), np.float32)


def test_types_are_widened() -> None:
    logits, labels = check_predictions(LOGITS, np.array([0, 1, 2, 0], np.int8))
    assert logits.dtype == np.float64
    assert labels.dtype == np.int64


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros(4), [0, 1, 2, 0], r"shape \(4,\)"),
        (np.zeros((4, 1)), [0, 0, 0, 0], "two classes or more"),
        (np.zeros((0, 3)), [], "two classes or more"),
        (np.array([[0, np.nan, 0], [0, np.inf, 0]]), [0, 1], "2 of 2 events are NaN or infinite"),
        (LOGITS, [0, 1, 2], "give 4 integers"),
        (LOGITS, np.eye(3)[[0, 1, 2, 0]], "give 4 integers"),
        (LOGITS, [0.0, 1.0, 2.0, 0.0], "labels are float64"),
        (LOGITS, [True, False, True, False], "labels are bool"),
        (LOGITS, [0, 1, 3, 0], "labels run from 0 to 3, but there are 3 classes"),
        (LOGITS, [0, 1, -1, 0], "labels run from -1 to 1"),
    ],
)
def test_wrong_predictions_are_refused(logits: np.ndarray, labels: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_predictions(logits, labels)


@pytest.mark.parametrize("names", [["g", "q"], ["g", "q", "t", "w"], ["g", "q", "g"]])
def test_wrong_class_names_are_refused(names: list[str]) -> None:
    with pytest.raises(InputError, match="give 3 different names"):
        check_class_names(names, classes=3)


def test_softmax_of_huge_and_tiny_logits() -> None:
    probabilities = class_probabilities([[1000.0, 0.0], [-1000.0, -1000.0]])
    np.testing.assert_array_equal(probabilities, [[1.0, 0.0], [0.5, 0.5]])


def test_logarithms_of_probabilities_serve_as_logits() -> None:
    probabilities = np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]])
    np.testing.assert_allclose(class_probabilities(np.log(probabilities)), probabilities, rtol=1e-15)


def test_equal_logits_go_to_the_lowest_class() -> None:
    np.testing.assert_array_equal(predicted_classes([[1, 1, 1], [0, 2, 2], [-1, -2, -1]]), [0, 1, 0])
