"""The table of detectors, as it stands in a terminal."""

import io

import numpy as np
from rich.console import Console

from nanotrigger.evaluation.anomaly import detection_summary
from nanotrigger.evaluation.detection_table import detection_table

NAMES = ("background", "hTo4l", "leptoquark")


def printed(summary, **options) -> str:
    text = io.StringIO()
    Console(file=text, width=160).print(detection_table(summary, **options))
    return text.getvalue()


def summary(background=2000):
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [background, 300, 300])
    scores = {name: random.normal(size=len(labels)) + 2 * labels for name in ("error", "radius")}
    return detection_summary(scores, labels, class_names=NAMES)


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
    found = detection_summary(scores, labels, class_names=NAMES[:2])
    row = next(line for line in printed(found).splitlines() if "hTo4l" in line)
    assert row.count("–") == 4


def test_without_signals_it_is_empty():
    assert "AUC" in printed({"signals": {}})
