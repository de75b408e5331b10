"""The confusion matrix, with numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nanotrigger.evaluation.figures.page import new_page
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import HALF_WIDTH, drawn
from nanotrigger.evaluation.metrics import confusion_matrix, row_normalized
from nanotrigger.evaluation.predictions import check_class_names

_CELL = 0.54  # inches, room for "100.0 %" above "(166,000)"
_DARK = 0.7  # fractions above it are written in white


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
    names = check_class_names(class_names, classes=len(counts))
    sample.check_size(int(counts.sum()))
    side = max(HALF_WIDTH, 0.6 + _CELL * len(names))
    figure, body = new_page(width=side, height=side, notes=[sample.source, sample.extent])
    axes = body.subplots()
    axes.imshow(np.nan_to_num(row_normalized(counts)), cmap="Blues", vmin=0, vmax=1)
    _write_cells(axes, counts)
    axes.set_title(f"Fraction of true class (number of {sample.unit})", fontsize=7)
    axes.set(xlabel="Predicted class", ylabel="True class")
    axes.set_xticks(range(len(names)), names)
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
