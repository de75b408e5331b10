"""A classifier's figures: ROC curves, confusion matrix and probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike, NDArray

from nanotrigger.evaluation.classification import confusion_matrix, row_normalized
from nanotrigger.evaluation.figures.labels import MOST_CURVES, all_shortened, first_of
from nanotrigger.evaluation.figures.page import (
    HALF_WIDTH,
    LEGEND_ROW,
    MARKERS,
    Sample,
    class_legend,
    drawn,
    legend_columns,
    line_style,
    new_page,
    new_panels,
)
from nanotrigger.evaluation.predictions import check_class_names, check_predictions, class_probabilities
from nanotrigger.evaluation.roc import RocCurve, one_against_all_roc, pairwise_roc

_COLUMNS = 3
_LEGEND_ROWS = 3  # that have room above a single panel
_TABLE_CHARACTERS = 36  # of all column heads, in the width of a panel
_LOWEST = 5e-5  # end of the axis of background efficiency; fewer events end it earlier

_CELL = 0.54  # inches, room for "100.0 %" above "(166,000)"
_MOST_WRITTEN = 12  # classes whose cells have room for numbers
_SMALL_CELL = 0.14  # inches, for a colour
_MOST_NAMED = 60  # classes that have room for their names
_LETTER_WIDTH = 0.07  # inches, of a class name on average
_DARK = 0.7  # fractions above it are written in white

_EDGES = np.linspace(0, 1, 41)
_THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)
_NEUTRAL = "0.35"  # colour


@drawn
def roc_curves(logits: ArrayLike, labels: ArrayLike, *, class_names: Sequence[str], sample: Sample) -> Figure:
    """Draw the ROC curve of each class against all others, its area (AUC) in the legend.

    Marks along a curve are thresholds: what they pass has a softmax probability of the class above 0.1, …, 0.9.

    Args:
        logits: shape (events, classes), finite.
        labels: class indices, shape (events,).
        class_names: one for each class.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together.
    """
    scores, truth, names = _checked(logits, labels, class_names, sample)
    shown, left_out = first_of(len(names), MOST_CURVES, "classes")
    curves = [one_against_all_roc(scores, truth, signal=index) for index in range(shown)]
    entries = [f"{name}, AUC {_area(curve)}" for name, curve in zip(names, curves, strict=False)]
    columns = min(legend_columns(entries, width=HALF_WIDTH), 2)
    height = 3.3 + LEGEND_ROW * max(-(-shown // columns) - _LEGEND_ROWS, 0)
    figure, body = new_page(width=HALF_WIDTH, height=height, notes=[sample.source, sample.extent, *left_out])
    axes = body.subplots()
    probabilities = class_probabilities(scores)
    for index, curve in enumerate(curves):
        _draw_curve(axes, curve, index)
        if curve is not None:
            _mark_thresholds(axes, probabilities[:, index], truth == index, index)
    _frame(axes, signal="Signal efficiency", events=len(truth))
    marks = [Line2D([], [], **_mark_style(place), color=_NEUTRAL) for place in range(len(_THRESHOLDS))]
    thresholds = [f"{threshold:g}" for threshold in _THRESHOLDS]
    axes.legend(
        marks, thresholds, loc="lower right", title="Probability above", ncols=2, handlelength=1, columnspacing=0.8
    )
    class_legend(body, entries, title="Signal class against all others", columns=columns)
    return figure


@drawn
def pairwise_roc_curves(logits: ArrayLike, labels: ArrayLike, *, class_names: Sequence[str], sample: Sample) -> Figure:
    """Draw, for each signal class, the ROC curves against each single other class, and a table of areas.

    The table is left out where many classes or long names do not fit; `classification_summary` has the areas.
    Arguments and errors as for `roc_curves`.
    """
    scores, truth, names = _checked(logits, labels, class_names, sample)
    shown, left_out = first_of(len(names), MOST_CURVES, "classes")
    names = names[:shown]
    tabulated = len(names) * max(map(len, names)) <= _TABLE_CHARACTERS
    figure, body, panels = new_panels(
        len(names) + tabulated, columns=_COLUMNS, panel_height=2.1, notes=[sample.source, sample.extent, *left_out]
    )
    cells = [["–"] * len(names) for _ in names]
    for signal, axes in enumerate(panels[: len(names)]):
        if signal not in truth:
            axes.text(0.5, 0.5, f"no {names[signal]} {sample.unit}", transform=axes.transAxes, ha="center")
        for background in set(range(len(names))) - {signal}:
            curve = pairwise_roc(scores, truth, signal=signal, background=background)
            _draw_curve(axes, curve, background)
            cells[signal][background] = _area(curve)
        _frame(axes, signal=f"Signal efficiency, {names[signal]}", events=np.bincount(truth).max())
    if tabulated:
        _draw_table(panels[-1], cells, names)
    class_legend(body, names, title="Background class", columns=min(legend_columns(names), 6))
    return figure


def _checked(
    logits: ArrayLike, labels: ArrayLike, class_names: Sequence[str], sample: Sample
) -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[str, ...]]:
    scores, truth = check_predictions(logits, labels)
    sample.check_size(len(scores))
    return scores, truth, all_shortened(check_class_names(class_names, classes=scores.shape[1]))


def _area(curve: RocCurve | None) -> str:
    return "n/a" if curve is None else f"{curve.auc:.3f}"


def _draw_curve(axes: Axes, curve: RocCurve | None, index: int) -> None:
    if curve is not None:
        axes.plot(curve.signal_efficiency, curve.background_efficiency, **line_style(index))


def _mark_thresholds(axes: Axes, probability: NDArray[np.float64], is_signal: NDArray[np.bool_], index: int) -> None:
    for place, threshold in enumerate(_THRESHOLDS):
        passing = probability > threshold
        point = passing[is_signal].mean(), passing[~is_signal].mean()
        axes.plot(*point, **_mark_style(place), color=line_style(index)["color"])


def _mark_style(place: int) -> dict[str, Any]:
    return {
        "marker": MARKERS[place],
        "linestyle": "",
        "markersize": 4,
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    }


def _frame(axes: Axes, *, signal: str, events: int) -> None:
    lowest = max(_LOWEST, 0.5 / events)
    axes.set(xlim=(0, 1), ylim=(lowest, 1), yscale="log", xlabel=signal, ylabel="Background efficiency")


def _draw_table(axes: Axes, cells: Sequence[Sequence[str]], names: Sequence[str]) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.92, "AUC of row against column", ha="center", va="center", fontsize=7)
    table = axes.table(
        cells,
        rowLabels=names,
        colLabels=names,
        bbox=Bbox.from_bounds(0.06, 0.1, 0.94, 0.75),
        cellLoc="center",
        edges="open",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(7)


@drawn
def confusion_figure(logits: ArrayLike, labels: ArrayLike, *, class_names: Sequence[str], sample: Sample) -> Figure:
    """Draw the confusion matrix: in each cell the fraction of its true class, and the count below.

    Args:
        logits: shape (events, classes), finite.
        labels: class indices, shape (events,).
        class_names: one for each class.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together.
    """
    counts = confusion_matrix(logits, labels)
    names = all_shortened(check_class_names(class_names, classes=len(counts)))
    sample.check_size(int(counts.sum()))
    are_few = len(names) <= _MOST_WRITTEN
    room = _LETTER_WIDTH * max(map(len, names)) if len(names) <= _MOST_NAMED else 0  # for the names beside the rows
    side = max(HALF_WIDTH, 0.5 + room + (_CELL if are_few else _SMALL_CELL) * min(len(names), _MOST_NAMED))
    figure, body = new_page(width=side, height=side, notes=[sample.source, sample.extent])
    axes = body.subplots()
    image = axes.imshow(np.nan_to_num(row_normalized(counts)), cmap="Blues", vmin=0, vmax=1)
    if are_few:
        _write_cells(axes, counts)
        axes.set_title(f"Fraction of true class (number of {sample.unit})", fontsize=7)
    else:
        body.colorbar(image, ax=axes, label="Fraction of true class", pad=0.02, aspect=35)
    axes.set(xlabel="Predicted class", ylabel="True class")
    if len(names) <= _MOST_NAMED:
        are_short = sum(map(len, names)) * _LETTER_WIDTH < side - room
        axes.set_xticks(range(len(names)), names, rotation=0 if are_short else 90)
        axes.set_yticks(range(len(names)), names)
    axes.tick_params(which="both", length=0)
    axes.minorticks_off()
    return figure


def _write_cells(axes: Axes, counts: NDArray[np.int64]) -> None:
    for (row, column), fraction in np.ndenumerate(row_normalized(counts)):
        text = "–" if np.isnan(fraction) else f"{100 * fraction:.1f} %"
        colour = "white" if fraction > _DARK else "black"
        place: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "color": colour}
        axes.annotate(text, (column, row), (0, 0.5), va="bottom", fontsize=7, **place)
        count = f"({counts[row, column]:,})"
        axes.annotate(count, (column, row), (0, -2.5), va="top", fontsize=5.5, **place)


@drawn
def probability_histograms(
    logits: ArrayLike, labels: ArrayLike, *, class_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each output with its softmax probability for each true class, log scale.

    Args:
        logits: shape (events, classes), finite.
        labels: class indices, shape (events,).
        class_names: one for each class.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together.
    """
    scores, truth = check_predictions(logits, labels)
    names = all_shortened(check_class_names(class_names, classes=scores.shape[1]))
    sample.check_size(len(scores))
    shown, left_out = first_of(len(names), MOST_CURVES, "classes")
    names = names[:shown]
    probabilities = class_probabilities(scores)[:, :shown]
    figure, body, panels = new_panels(
        len(names), columns=_COLUMNS, panel_height=1.8, notes=[sample.source, sample.extent, *left_out]
    )
    one_event = 1 / np.bincount(truth).max()
    for axes, name, column in zip(panels, names, probabilities.T, strict=True):
        for index in range(len(names)):
            members = column[truth == index]
            fractions = np.histogram(members, _EDGES)[0] / max(len(members), 1)
            axes.stairs(fractions, _EDGES, **line_style(index))
        axes.set(xlim=(0, 1), ylim=(one_event / 2, 1.5), yscale="log", xlabel=f"p({name})")
        axes.set_ylabel(f"Fraction of {sample.unit} per {_EDGES[1]:.3f}")
    class_legend(body, names, title="True class", columns=min(legend_columns(names), 6))
    return figure
