"""The numbers that the figures of anomaly detection show."""

import dataclasses

import numpy as np
import pytest
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import detection_summary, trigger_rate
from nanotrigger.evaluation.figures import (
    DetectorCurve,
    Sample,
    detection_roc,
    detector_comparison,
    efficiency_over_rate,
    score_histograms,
)
from nanotrigger.evaluation.figures.scores import score_bins
from nanotrigger.evaluation.roc import roc_points
from nanotrigger.evaluation.working_point import WorkingPoint, working_point

NAMES = ("background", "hTo4l", "leptoquark")
SAMPLE = Sample("Normal scores", 1000, "test", unit="events")
LABELS = np.repeat([0, 1], [800, 200])  # there is no leptoquark
SCORES = {"error": np.random.default_rng(8).normal(size=1000) + LABELS, "distance": np.arange(1000.0)}
ARGUMENTS = {"class_names": NAMES, "sample": SAMPLE}


def written(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_roc_shows_areas_of_the_summary_and_the_points() -> None:
    figure = detection_roc(SCORES, LABELS, **ARGUMENTS)
    summary = detection_summary(SCORES, LABELS, class_names=NAMES)["signals"]["hTo4l"]
    assert {f"{summary[score]['auc']:.3f}" for score in SCORES} <= set(written(figure))
    for score, line in zip(SCORES, figure.axes[0].lines, strict=False):
        points = roc_points(SCORES[score][:800], SCORES[score][800:])
        np.testing.assert_array_equal(line.get_data(), points)


def test_thresholds_are_written_along_the_first_curve() -> None:
    axes = detection_roc(SCORES, LABELS, **ARGUMENTS).axes[0]
    point = working_point(SCORES["error"][:800], SCORES["error"][800:], 0.01)
    (mark,) = [text for text in axes.texts if text.get_text() == f"{point.threshold:.3g}"]
    assert mark.xy == (point.false_positive_rate, point.true_positive_rate)


def test_scores_of_a_run_share_its_colour() -> None:
    curves = [DetectorCurve(label, [0.1, 1], [0.2, 1], run=label[:2]) for label in ("ae, error", "va, error", "va, KL")]
    ae, error, kl = detector_comparison({"hTo4l": curves}, notes=[]).axes[0].lines[:3]
    assert ae.get_color() != error.get_color() == kl.get_color()
    assert ae.get_linestyle() == error.get_linestyle() != kl.get_linestyle()


def test_roc_says_which_signal_is_absent() -> None:
    assert "no leptoquark events" in written(detection_roc(SCORES, LABELS, **ARGUMENTS))


def test_roc_greys_what_the_background_does_not_support() -> None:
    axes = detection_roc(SCORES, LABELS, **ARGUMENTS).axes[0]
    (grey,) = axes.patches
    assert grey.get_x() + grey.get_width() == pytest.approx(1 / 800)
    assert axes.get_xlim()[0] < 1e-5 < 1 / 800


def test_rate_shows_working_points_in_kilohertz() -> None:
    (axes,) = efficiency_over_rate(SCORES["error"], LABELS, score_name="error", **ARGUMENTS).axes
    (line,) = axes.lines
    kilohertz, efficiency = line.get_data()
    assert (kilohertz[0], kilohertz[-1], efficiency[-1]) == (pytest.approx(50), 40_000, 1)
    for index in (5, 20, 35):
        point = working_point(SCORES["error"][:800], SCORES["error"][800:], kilohertz[index] / trigger_rate(1.0))
        assert efficiency[index] == point.true_positive_rate
    (band,) = axes.collections
    height = band.get_paths()[0].vertices[:, 1]
    assert (height.min(), height.max()) == (0, 1)


def test_rate_names_absent_signals_and_the_score() -> None:
    texts = written(efficiency_over_rate(SCORES["error"], LABELS, score_name="error", **ARGUMENTS))
    assert "leptoquark, none" in texts
    assert any("Score: error; bands: 68 % confidence" in text for text in texts)


def test_histograms_hold_every_event() -> None:
    figure = score_histograms({"tail": np.exp(4 * SCORES["error"]), **SCORES}, LABELS, **ARGUMENTS)
    for axes in figure.axes:
        assert [stairs.get_data().values.sum() for stairs in axes.patches] == pytest.approx([1, 1, 0])
    assert [axes.get_xscale() for axes in figure.axes] == ["log", "linear", "linear"]


def test_zeros_of_a_quantized_score_are_in_the_first_bin() -> None:
    values = np.array([0.0] * 900 + [0.25] * 50 + [64.0] * 50)
    edges, logarithmic = score_bins(values)
    assert logarithmic
    assert (edges[0], edges[-1]) == (0.25, 64)
    (axes,) = score_histograms({"quantized": values}, LABELS, **ARGUMENTS).axes
    assert axes.patches[0].get_data().values[0] == 1
    assert axes.patches[1].get_data().values[[0, -1]].tolist() == [0.75, 0.25]


def test_bins_hold_equally_many_values_of_a_quantized_score() -> None:
    values = np.arange(0, 200) / 4
    edges, _ = score_bins(values)
    assert set(np.histogram(values, edges)[0].tolist()) == {4}


@pytest.mark.parametrize("values", [[3.0, 3.0], [-1.0, 100.0], [0.0, 0.0, 5.0]])
def test_scores_that_a_logarithm_cannot_show_stay_linear(values: list[float]) -> None:
    edges, logarithmic = score_bins(np.array(values))
    assert not logarithmic
    assert edges[0] <= min(values) <= max(values) <= edges[-1]
    assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize("draw", [detection_roc, score_histograms])
def test_size_must_be_that_of_the_data(draw) -> None:
    wrong = dataclasses.replace(SAMPLE, size=999)
    with pytest.raises(InputError, match="shows 1000 events, but its sample says 999"):
        draw(SCORES, LABELS, class_names=NAMES, sample=wrong)
    with pytest.raises(InputError, match="shows 1000 events, but its sample says 999"):
        efficiency_over_rate(SCORES["error"], LABELS, class_names=NAMES, score_name="error", sample=wrong)


def test_detectors_keep_their_colour_and_show_intervals() -> None:
    point = WorkingPoint(1e-2, 3.0, 8, 0.2, (0.1, 0.4))
    quantized = DetectorCurve("4 bits", [1e-3, 1.0], [0.1, 1.0], [point])
    figure = detector_comparison(
        {"hTo4l": [DetectorCurve("float", [1e-3, 0.1, 1.0], [0.0, 0.3, 1.0]), quantized], "leptoquark": [quantized]},
        notes=["Simulated collisions", "test split"],
    )
    first, second = figure.axes
    assert first.lines[0].get_xdata().tolist() == [0.1, 1.0]  # a logarithm shows no zero
    assert first.lines[1].get_color() == second.lines[0].get_color() != first.lines[0].get_color()
    (bar,) = second.collections[0].get_segments()
    assert bar[:, 1] == pytest.approx([0.1, 0.4])
    assert bar[0, 0] == pytest.approx(1e-2, rel=0.1)
    assert any("Error bars: 68 % confidence" in text for text in written(figure))


@pytest.mark.parametrize(
    ("across", "up", "message"),
    [
        ([0.1, 1.0], [1.0], r"shape \(2,\), true-positive \(1,\)"),
        ([], [], r"shape \(0,\)"),
        ([0.0, 1.0], [0.0, 1.0], "must be fractions"),
        ([0.5, 0.1], [0.5, 0.6], "must be fractions"),
        ([0.5, 1.1], [0.5, 0.6], "must be fractions"),
        ([0.5, 1.0], [np.nan, 0.6], "must be fractions"),
    ],
)
def test_wrong_curves_are_refused(across: list[float], up: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DetectorCurve("float", across, up)


def test_missing_curves_are_refused() -> None:
    with pytest.raises(InputError, match="curves are empty"):
        detector_comparison({}, notes=["nothing"])
    with pytest.raises(InputError, match="signal 'hTo4l' has no curve"):
        detector_comparison({"hTo4l": []}, notes=["nothing"])


def test_rate_of_other_crossings() -> None:
    (axes,) = efficiency_over_rate(SCORES["error"], LABELS, score_name="error", crossings=28e3, **ARGUMENTS).axes
    kilohertz, _ = axes.lines[0].get_data()
    assert (kilohertz[0], kilohertz[-1]) == (pytest.approx(35), 28_000)
    assert axes.get_xlabel() == "Accepted background at 28 MHz [kHz]"


def test_dots_are_what_the_menu_does_not_accept() -> None:
    accepted = np.arange(1000) % 4 == 0
    figure = efficiency_over_rate(SCORES["error"], LABELS, score_name="error", accepted=accepted, **ARGUMENTS)
    (axes,) = figure.axes
    kilohertz, pure = axes.lines[1].get_data()
    signal, counted = SCORES["error"][800:], ~accepted[800:]
    for index in (5, 20, 35):
        point = working_point(SCORES["error"][:800], signal, kilohertz[index] / trigger_rate(1.0), counted=counted)
        assert np.nan_to_num(pure[index]) == point.true_positive_rate
    assert pure[-1] == 0.75
    assert any("Dots: not accepted by the menu" in text for text in written(figure))
