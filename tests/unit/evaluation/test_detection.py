"""Anomaly scores beside the true classes: what is refused at the door."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import check_detection

NAMES = ["background", "hTo4l", "leptoquark"]
SCORES = {"error": [0.0, 1.0, 2.0, 3.0], "distance": [5, 6, 7, 8]}
LABELS = np.array([0, 1, 0, 1])


def test_classes_are_taken_apart() -> None:
    detection = check_detection(SCORES, LABELS, NAMES)
    assert detection.signals == ("hTo4l", "leptoquark")
    assert detection.background_events == 2
    np.testing.assert_array_equal(detection.background("distance"), [5, 7])
    np.testing.assert_array_equal(detection.of_class("error", "hTo4l"), [1, 3])
    assert detection.of_class("error", "leptoquark").shape == (0,)


@pytest.mark.parametrize(
    ("scores", "labels", "names", "message"),
    [
        ({}, LABELS, NAMES, "scores are empty"),
        (SCORES, LABELS, ["background"], "hold no signal"),
        (SCORES, LABELS, ["a", "b", "b"], "different names"),
        (SCORES, LABELS + 1, NAMES, "no event has label 0, the background"),
        (SCORES, LABELS * 3, NAMES, "labels run from 0 to 3, but there are 3 classes"),
        (SCORES, LABELS.astype(float), NAMES, "labels are float64"),
        (SCORES, LABELS[1:], NAMES, r"score 'error' has shape \(4,\), labels \(3,\)"),
        ({"error": [[1.0]] * 4}, LABELS, NAMES, r"score 'error' has shape \(4, 1\)"),
        ({"error": [1.0, np.inf, 0.0, np.nan]}, LABELS, NAMES, "score 'error' of 2 of 4 events is NaN or infinite"),
    ],
)
def test_what_does_not_fit_is_refused(scores, labels, names, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_detection(scores, labels, names)
