"""Anomaly detection: what is refused at the door, the record, and its table in a terminal."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import check_detection, detection_summary, detection_table, trigger_rate
from nanotrigger.evaluation.intervals import area_interval
from nanotrigger.evaluation.roc import area_under_curve
from nanotrigger.evaluation.working_point import working_point

NAMES = ["background", "hTo4l", "leptoquark"]
SCORES = {"error": [0.0, 1.0, 2.0, 3.0], "distance": [5, 6, 7, 8]}
LABELS = np.array([0, 1, 0, 1])

SAMPLE_NAMES = ["background", "hTo4l", "leptoquark", "hToTauTau"]

TABLE_NAMES = ("background", "hTo4l", "leptoquark")


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


@pytest.fixture(scope="module")
def sample() -> tuple[dict[str, np.ndarray], np.ndarray]:
    random = np.random.default_rng(9)
    labels = random.permutation(np.repeat([0, 1, 2], [5000, 300, 1]))
    return {"error": random.normal(size=5301) + labels, "distance": random.normal(size=5301) - labels}, labels


def test_trigger_rate_at_40_megahertz() -> None:
    assert trigger_rate(1e-5) == pytest.approx(0.4)
    assert trigger_rate(1.0) == 40_000


def test_counts_and_supported_rate(sample) -> None:
    summary = detection_summary(*sample, class_names=SAMPLE_NAMES)
    assert summary["events"] == {"background": 5000, "hTo4l": 300, "leptoquark": 1, "hToTauTau": 0}
    assert summary["supported_rate"] == 2e-4
    assert list(summary["signals"]) == SAMPLE_NAMES[1:]
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_numbers_are_those_of_the_two_classes_alone(sample) -> None:
    scores, labels = sample
    summary = detection_summary(scores, labels, class_names=SAMPLE_NAMES, rates=[0.01, 1e-3])
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
    points = detection_summary(*sample, class_names=SAMPLE_NAMES)["signals"]["hTo4l"]["error"]["working_points"]
    assert [point["false_positive_rate"] for point in points] == [1e-3, 1e-4, 1e-5]
    assert points[0]["reason"] is None
    for point in points[1:]:
        unknown = ("threshold", "background_events", "true_positive_rate", "interval")
        assert [point[key] for key in unknown] == [None] * 4
        assert "5,000 background events support a false-positive rate of at least 0.0002" in point["reason"]


def test_zero_is_a_number_and_not_unknown(sample) -> None:
    labels = sample[1]
    summary = detection_summary({"constant": np.zeros(len(labels))}, labels, class_names=SAMPLE_NAMES, rates=[0.1])
    (point,) = summary["signals"]["hTo4l"]["constant"]["working_points"]
    assert (point["threshold"], point["background_events"], point["true_positive_rate"]) == (0.0, 0, 0.0)


def test_rare_and_absent_signals(sample) -> None:
    signals = detection_summary(*sample, class_names=SAMPLE_NAMES, rates=[0.01])["signals"]
    assert 0 <= signals["leptoquark"]["error"]["auc"] <= 1
    assert signals["leptoquark"]["error"]["auc_interval"] is None
    absent = signals["hToTauTau"]["error"]
    assert (absent["auc"], absent["auc_interval"]) == (None, None)
    assert absent["working_points"][0]["reason"] == "no signal events"


def test_impossible_rate_is_refused(sample) -> None:
    with pytest.raises(InputError, match=r"false-positive rate 1\.5"):
        detection_summary(*sample, class_names=SAMPLE_NAMES, rates=[1.5])


def printed(summary, **options) -> str:
    text = io.StringIO()
    Console(file=text, width=160).print(detection_table(summary, **options))
    return text.getvalue()


def summary(background=2000):
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [background, 300, 300])
    scores = {name: random.normal(size=len(labels)) + 2 * labels for name in ("error", "radius")}
    return detection_summary(scores, labels, class_names=TABLE_NAMES)


def test_a_row_for_each_signal_and_score():
    found = summary()
    text = printed(found, title="Test")
    assert text.lstrip().startswith("Test")
    for words in ("AUC", "TPR % at 1e-03", "TPR % at 1e-05"):
        assert words in text
    rows = [line for line in text.splitlines() if line.startswith("│")]
    assert ["error" in row for row in rows] == [True, False, True, False]
    assert [name in row for row, name in zip(rows, ("hTo4l", "hTo4l", "leptoquark", "leptoquark"), strict=True)] == [
        *(True, False),
        *(True, False),
    ]
    area = found["signals"]["leptoquark"]["radius"]["auc"]
    assert f"{area:.3f} +" in rows[3]


def test_what_the_background_does_not_support_is_a_dash_and_a_reason():
    found = summary()
    row = next(line for line in printed(found).splitlines() if "hTo4l" in line)
    cells = [cell.strip() for cell in row.split("│")]
    point = found["signals"]["hTo4l"]["error"]["working_points"][0]
    assert cells[4].startswith(f"{100 * point['true_positive_rate']:.2f} +")
    assert cells[5] == cells[6] == "–"
    assert "–: 2,000 background events support a false-positive rate of at least 0.0005" in printed(found)


def test_a_signal_without_events_has_dashes_only():
    scores, labels = {"error": np.arange(2000.0)}, np.zeros(2000, np.int64)
    found = detection_summary(scores, labels, class_names=TABLE_NAMES[:2])
    row = next(line for line in printed(found).splitlines() if "hTo4l" in line)
    assert row.count("–") == 4


def test_without_signals_it_is_empty():
    assert "AUC" in printed({"signals": {}})
