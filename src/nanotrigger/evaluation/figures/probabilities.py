"""The network's outputs: how probable it holds each class, by true class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nanotrigger.evaluation.figures.page import class_legend, new_panels
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import drawn, line_style
from nanotrigger.evaluation.predictions import check_class_names, check_predictions, class_probabilities

_COLUMNS = 3
_EDGES = np.linspace(0, 1, 41)


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
    names = check_class_names(class_names, classes=scores.shape[1])
    sample.check_size(len(scores))
    probabilities = class_probabilities(scores)
    figure, body, panels = new_panels(
        len(names), columns=_COLUMNS, panel_height=1.8, notes=[sample.source, sample.extent]
    )
    one_event = 1 / np.bincount(truth).max()
    for axes, name, column in zip(panels, names, probabilities.T, strict=True):
        for index in range(len(names)):
            members = column[truth == index]
            fractions = np.histogram(members, _EDGES)[0] / max(len(members), 1)
            axes.stairs(fractions, _EDGES, **line_style(index))
        axes.set(xlim=(0, 1), ylim=(one_event / 2, 1.5), yscale="log", xlabel=f"p({name})")
        axes.set_ylabel(f"Fraction of {sample.unit} per {_EDGES[1]:.3f}")
    class_legend(body, names, title="True class", columns=6)
    return figure
