"""Weight histograms: which values the weights of each layer take, and how many are zero."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.page import new_panels, round_ticks
from nanotrigger.evaluation.figures.style import COLOURS, drawn
from nanotrigger.numbers import FixedPoint

_COLUMNS = 4
_BINS = 40
_MOST_WORDS = 64  # more are drawn in bins, like floats
_OTHER, _ZERO = COLOURS[0], COLOURS[1]


@drawn
def weight_histograms(weights: Mapping[str, NDArray[np.float64]], formats: Mapping[str, FixedPoint]) -> Figure:
    """Draw one panel for each layer: a bar for each word of its format, or bins if it has many words or is missing.

    Args:
        weights: name of the layer → its weights, of any shape but not empty.
        formats: name of the layer → format of its weights; empty if they are floats.

    Raises:
        InputError: no layer.
    """
    if not weights:
        raise InputError("weights are empty; give those of at least one layer")
    kinds = [str(formats[name]) if name in formats else "floating point" for name in weights]
    notes = ["Weights", ", ".join(dict.fromkeys(kinds))]
    figure, body, panels = new_panels(len(weights), columns=_COLUMNS, panel_height=1.5, notes=notes)
    for axes, kind, (name, values) in zip(panels, kinds, weights.items(), strict=True):
        _draw_panel(axes, np.asarray(values, np.float64).ravel(), _visible_step(formats.get(name)))
        axes.set_title(name if len(set(kinds)) == 1 else f"{name}: {kind}", fontsize=7)
    body.legend(
        [Patch(color=_OTHER), Patch(color=_ZERO)],
        ["other weights", "weights that are zero"],
        loc="outside upper center",
        ncols=2,
    )
    return figure


def _visible_step(number: FixedPoint | None) -> float | None:
    """Return the width of a word's bar; None if there is no format, or too many words in it."""
    few = number is not None and number.maximum_word - number.minimum_word < _MOST_WORDS
    return number.step if number is not None and few else None


def _draw_panel(axes: Axes, values: NDArray[np.float64], step: float | None) -> None:
    zeros = values == 0
    if step is not None:
        width = 0.8 * step
        found, counts = np.unique(values[~zeros], return_counts=True)
        axes.bar(found, counts, width, color=_OTHER)
    else:
        edges = np.histogram_bin_edges(values, _BINS).tolist()
        width = edges[1] - edges[0]
        axes.hist(values[~zeros], edges, color=_OTHER)
    axes.bar(0, int(zeros.sum()), width, color=_ZERO)
    axes.xaxis.set_major_locator(round_ticks(4))
    axes.yaxis.set_major_locator(round_ticks(4))
    axes.set(xlabel="Value", ylabel="Weights")
    axes.margins(y=0.05)
