"""The record of an anomaly detector: complete, ready for JSON, silent where nothing is known."""

import json

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.anomaly import detection_summary, trigger_rate
from nanotrigger.evaluation.auc import area_interval, area_under_curve
from nanotrigger.evaluation.working_point import working_point

NAMES = ["background", "hTo4l", "leptoquark", "hToTauTau"]


@pytest.fixture(scope="module")
def sample() -> tuple[dict[str, np.ndarray], np.ndarray]:
    random = np.random.default_rng(9)
    labels = random.permutation(np.repeat([0, 1, 2], [5000, 300, 1]))
    return {"error": random.normal(size=5301) + labels, "distance": random.normal(size=5301) - labels}, labels


def test_trigger_rate_at_40_megahertz() -> None:
    assert trigger_rate(1e-5) == pytest.approx(0.4)
    assert trigger_rate(1.0) == 40_000


def test_counts_and_supported_rate(sample) -> None:
    summary = detection_summary(*sample, class_names=NAMES)
    assert summary["events"] == {"background": 5000, "hTo4l": 300, "leptoquark": 1, "hToTauTau": 0}
    assert summary["supported_rate"] == 2e-4
    assert list(summary["signals"]) == NAMES[1:]
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_numbers_are_those_of_the_two_classes_alone(sample) -> None:
    scores, labels = sample
    summary = detection_summary(scores, labels, class_names=NAMES, rates=[0.01, 1e-3])
    for score, values in scores.items():
        background, signal = values[labels == 0], values[labels == 1]
        found = summary["signals"]["hTo4l"][score]
        assert found["auc"] == area_under_curve(background, signal)
        assert tuple(found["auc_interval"]) == area_interval(background, signal)
        for entry, rate in zip(found["working_points"], [0.01, 1e-3], strict=True):
            point = working_point(background, signal, rate)
            assert entry == {
                "false_positive_rate": rate,
                "trigger_rate_khz": trigger_rate(rate),
                "threshold": point.threshold,
                "background_events": point.background_events,
                "true_positive_rate": point.true_positive_rate,
                "interval": list(point.interval),
                "reason": None,
            }


def test_unsupported_rate_has_a_reason_instead(sample) -> None:
    points = detection_summary(*sample, class_names=NAMES)["signals"]["hTo4l"]["error"]["working_points"]
    assert [point["false_positive_rate"] for point in points] == [1e-3, 1e-4, 1e-5]
    assert points[0]["reason"] is None
    for point in points[1:]:
        unknown = ("threshold", "background_events", "true_positive_rate", "interval")
        assert [point[key] for key in unknown] == [None] * 4
        assert "5,000 background events support a false-positive rate of at least 0.0002" in point["reason"]


def test_zero_is_a_number_and_not_unknown(sample) -> None:
    labels = sample[1]
    summary = detection_summary({"constant": np.zeros(len(labels))}, labels, class_names=NAMES, rates=[0.1])
    (point,) = summary["signals"]["hTo4l"]["constant"]["working_points"]
    assert (point["threshold"], point["background_events"], point["true_positive_rate"]) == (0.0, 0, 0.0)


def test_rare_and_absent_signals(sample) -> None:
    signals = detection_summary(*sample, class_names=NAMES, rates=[0.01])["signals"]
    assert 0 <= signals["leptoquark"]["error"]["auc"] <= 1
    assert signals["leptoquark"]["error"]["auc_interval"] is None
    absent = signals["hToTauTau"]["error"]
    assert (absent["auc"], absent["auc_interval"]) == (None, None)
    assert absent["working_points"][0]["reason"] == "no signal events"


def test_impossible_rate_is_refused(sample) -> None:
    with pytest.raises(InputError, match=r"false-positive rate 1\.5"):
        detection_summary(*sample, class_names=NAMES, rates=[1.5])
