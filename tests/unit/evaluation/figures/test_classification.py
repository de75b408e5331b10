"""The numbers that the ROC, confusion and probability figures show."""

import numpy as np
import pytest
from matplotlib.text import Text

from nanotrigger.evaluation.classification import classification_summary
from nanotrigger.evaluation.figures import (
    Sample,
    confusion_figure,
    pairwise_roc_curves,
    probability_histograms,
    roc_curves,
)

LOGITS = np.array([[2.0, 0, 0], [0, 2, 0], [0, 0, 2], [0, 2, 0]])
LABELS = [0, 1, 2, 2]
ARGUMENTS = {"class_names": ["g", "q", "t"], "sample": Sample("Four jets", 4, "test", unit="jets")}


def written(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_roc_legend_has_the_areas_of_the_summary(some_jets) -> None:
    names = some_jets.class_names
    areas = classification_summary(some_jets.logits, some_jets.labels, class_names=names)["auc"]
    figure = roc_curves(some_jets.logits, some_jets.labels, class_names=names, sample=some_jets.sample)
    assert {f"{name}, AUC {areas[name]:.3f}" for name in names} <= set(written(figure))


def test_marks_along_a_curve_are_thresholds_of_the_probability() -> None:
    logits = np.log([[0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.05, 0.95]])
    names = {"class_names": ["g", "q"], "sample": Sample("Four jets", 4, "test")}
    axes = roc_curves(logits, [0, 0, 1, 1], **names).axes[0]
    marks = [line.get_xydata()[0].tolist() for line in axes.lines if len(line.get_xdata()) == 1]
    assert marks[:5] == [[1, 0.5], [1, 0.5], [1, 0], [0.5, 0], [0, 0]]  # of g above 0.1, 0.3, 0.5, 0.7, 0.9


def test_roc_of_an_absent_class_is_named_undefined() -> None:
    assert "g, AUC n/a" in written(roc_curves(LOGITS, [1, 1, 2, 2], **ARGUMENTS))
    pairwise = pairwise_roc_curves(LOGITS, [1, 1, 2, 2], **ARGUMENTS)
    assert "no g jets" in written(pairwise)
    (table,) = pairwise.axes[-1].tables
    cells = [cell.get_text().get_text() for cell in table.get_celld().values()]
    assert cells.count("n/a") == 4
    assert cells.count("0.625") == 2


def test_pairwise_table_is_left_out_where_it_does_not_fit() -> None:
    random = np.random.default_rng(6)
    labels = np.arange(200) % 10
    figure = pairwise_roc_curves(
        random.normal(size=(200, 10)),
        labels,
        class_names=[f"class {index}" for index in range(10)],
        sample=Sample("Ten classes", 200, "test"),
    )
    assert len(figure.axes) == 10


def test_confusion_cells_have_fraction_and_count() -> None:
    texts = written(confusion_figure(LOGITS, LABELS, **ARGUMENTS))
    assert texts.count("100.0 %") == 2
    assert texts.count("50.0 %") == 2
    assert texts.count("(1)") == 4
    assert written(confusion_figure(LOGITS, [1, 1, 2, 2], **ARGUMENTS)).count("–") == 3


def test_probability_fractions_sum_to_one_for_each_true_class(some_jets) -> None:
    figure = probability_histograms(
        some_jets.logits, some_jets.labels, class_names=some_jets.class_names, sample=some_jets.sample
    )
    for axes in figure.axes:
        assert [stairs.get_data().values.sum() for stairs in axes.patches] == pytest.approx([1.0] * 5)
