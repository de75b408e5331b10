"""Names of any spelling are drawn, and of many things as many as can be seen; what is left out is said."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from nanotrigger.evaluation.figures import (
    DetectorCurve,
    Sample,
    ScanCurve,
    TradeoffPoints,
    confusion_figure,
    detection_roc,
    detector_comparison,
    efficiency_over_rate,
    feature_distributions,
    latent_scatter,
    pairwise_roc_curves,
    probability_histograms,
    quantized_inputs,
    quantizer_staircases,
    roc_curves,
    save_figure,
    scan_curves,
    score_histograms,
    tradeoff_figure,
    weight_histograms,
)
from nanotrigger.evaluation.figures.labels import shortened
from nanotrigger.numbers import FixedPoint

ODD = (r"$\PW$", r"$\frac{1$", "_hidden", "", "a_b 50%", "<b>&", "粒子", "x" * 150, "two\nlines", r"$W$ of $\PQ$")
EVENTS = 60
RANDOM = np.random.default_rng(0)


def drawings(names: tuple[str, ...]) -> dict[str, Callable[[], Figure]]:
    """Return every figure that writes names, of as many classes, features and curves as there are names."""
    count = len(names)
    labels = np.arange(EVENTS) % count
    values = RANDOM.normal(size=(EVENTS, count))
    common = {"class_names": names, "sample": Sample(names[0], EVENTS, "test")}
    number = FixedPoint(8, 4)
    curves = {"quality": RANDOM.random(count), "aluts": RANDOM.random(count)}
    costs = {name: RANDOM.random(count) for name in ("aluts", "ffs")}
    rates = [0.1, 0.5, 1]
    return {
        "roc": lambda: roc_curves(values, labels, **common),
        "pairwise": lambda: pairwise_roc_curves(values, labels, **common),
        "confusion": lambda: confusion_figure(values, labels, **common),
        "probabilities": lambda: probability_histograms(values, labels, **common),
        "features": lambda: feature_distributions(values, labels, feature_names=names, **common),
        "inputs": lambda: quantized_inputs(
            values, number.quantize(values), number=number, feature_names=names, sample=common["sample"]
        ),
        "scores": lambda: score_histograms({names[0]: values[:, 0]}, labels, **common),
        "efficiency": lambda: efficiency_over_rate(values[:, 0], labels, score_name=names[0], **common),
        "detection": lambda: detection_roc({names[0]: values[:, 0]}, labels, **common),
        "detectors": lambda: detector_comparison(
            {name: [DetectorCurve(name, rates, rates)] for name in names}, notes=names[:1]
        ),
        "latent": lambda: latent_scatter(values[:, :2], labels, axis_names=names[:2], **common),
        "scan": lambda: scan_curves([ScanCurve(name, names, curves) for name in names], key=names[0], notes=names[:1]),
        "tradeoff": lambda: tradeoff_figure(
            [TradeoffPoints(name, RANDOM.random(count), costs, name) for name in names], notes=names[:1]
        ),
    }


@pytest.mark.parametrize("kind", drawings(ODD))
@pytest.mark.parametrize("few", [False, True])
def test_odd_names_are_drawn_without_a_warning(tmp_path, kind, few):
    with warnings.catch_warnings(action="error"):
        save_figure(drawings(ODD[:3] if few else ODD)[kind](), tmp_path / kind)


def written(figure: Figure) -> dict[str, Text]:
    return {text.get_text(): text for text in figure.findobj(Text) if text.get_text()}


def test_what_is_no_formula_is_written_as_it_is():
    texts = written(drawings((r"$\PW$", "$W$", "z"))["confusion"]())
    assert not texts[r"$\PW$"].get_parse_math()
    assert texts["$W$"].get_parse_math()


def test_names_are_cut_in_the_middle():
    assert shortened("a" * 20 + "b" * 20) == "a" * 15 + "…" + "b" * 14
    assert shortened("two\n lines") == "two lines"


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        ("roc", "the first 10 of 40 classes"),
        ("pairwise", "the first 10 of 40 classes"),
        ("probabilities", "the first 10 of 40 classes"),
        ("features", "the first 24 of 40 features\nthe first 10 of 40 classes"),
        ("inputs", "the first 24 of 40 features"),
        ("scores", "the first 10 of 40 classes"),
        ("efficiency", "the first 10 of 39 signals"),
        ("detection", "the first 24 of 39 signals"),
        ("latent", "the first 24 of 39 signals"),
        ("scan", "the first 10 of 40 curves"),
    ],
)
def test_a_figure_says_what_it_leaves_out(kind, note):
    with warnings.catch_warnings(action="error"):
        figure = drawings(tuple(f"name_{place}" for place in range(40)))[kind]()
    assert len(figure.axes) <= 25
    assert max(len(axes.patches) + len(axes.lines) for axes in figure.axes) <= 6 * 10  # a curve has five thresholds
    assert any(text.endswith(note) for text in written(figure))


def test_many_classes_are_colours_without_numbers():
    figure = drawings(tuple(f"name_{place}" for place in range(40)))["confusion"]()
    assert len(figure.findobj(Text)) < 300
    assert figure.get_figwidth() < 8
    assert "name_39" in written(figure)


def test_many_layers_and_formats():
    formats = {f"dense_{depth}": FixedPoint(4 + depth, 2) for depth in range(40)}
    figures = [
        quantizer_staircases(formats),
        weight_histograms({name: RANDOM.normal(size=9) for name in formats}, {}),
    ]
    for figure, things in zip(figures, ("formats", "layers"), strict=True):
        assert any(text.endswith(f"the first 24 of 40 {things}") for text in written(figure))


def test_a_thousand_values_have_as_many_ticks_as_have_room():
    values = [f"fixed<{place},2>" for place in range(1000)]
    figure = scan_curves([ScanCurve("x", values, {"quality": RANDOM.random(1000)})], key="k", notes=["n"])
    assert len(figure.axes[0].get_xticks()) < 30
