"""What the network's input quantizer does to the data: values before and after it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.page import new_panels, round_ticks
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import COLOURS, drawn
from nanotrigger.numbers import FixedPoint

_COLUMNS = 3
_BINS = 60
_TAIL = 0.001  # fraction of the events left out at each end of an axis


@drawn
def quantized_inputs(
    before: ArrayLike, after: ArrayLike, *, number: FixedPoint, feature_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each feature: its density before and after quantization.

    The bins of the quantized values are as wide as a whole number of their steps and hold equally many of them. The
    panel names the share of the events that saturate: they lie more than half a step beyond the range of the format.

    Args:
        before: inputs of the quantizer, shape (events, features), finite.
        after: its outputs, the same shape.
        number: its format.
        feature_names: one for each column, with the unit if there is one.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together, or a value is not finite.
    """
    values, words = (np.asarray(array, np.float64) for array in (before, after))
    expected = (len(values), len(feature_names))
    if values.shape != expected or words.shape != expected or not values.size:
        raise InputError(
            f"inputs have shape {values.shape} before and {words.shape} after quantization; "
            f"give both as (events, {len(feature_names)}), a column for each name"
        )
    if not (np.isfinite(values).all() and np.isfinite(words).all()):
        raise InputError("inputs hold NaN or infinite values; clean the data first")
    sample.check_size(len(values))
    notes = [sample.source, sample.extent, f"Inputs quantized to {number}"]
    figure, body, panels = new_panels(len(feature_names), columns=_COLUMNS, panel_height=1.9, notes=notes)
    for axes, name, column, quantized in zip(panels, feature_names, values.T, words.T, strict=True):
        _draw_panel(axes, column, quantized, number)
        axes.set_xlabel(name)
    body.supylabel("Probability density", fontsize=8)
    handles, entries = panels[0].get_legend_handles_labels()
    body.legend(handles, entries, loc="outside upper center", ncols=2)
    return figure


def _draw_panel(axes: Axes, column: NDArray[np.float64], quantized: NDArray[np.float64], number: FixedPoint) -> None:
    fine = np.linspace(*_range(column), _BINS + 1)
    edges = word_edges(float(fine[0]), float(fine[-1]), number.step)
    after = _draw_density(axes, quantized, edges, fill=True, color=COLOURS[5], label="after quantization")
    before = _draw_density(axes, column, fine, color=COLOURS[2], linewidth=0.9, label="before")
    one_event = 1 / (len(column) * (edges[1] - edges[0]))
    axes.set(xlim=(edges[0], edges[-1]), yscale="log", ylim=(one_event / 2, 10 * max(after, before, one_event)))
    axes.xaxis.set_major_locator(round_ticks(4))
    axes.yaxis.set_minor_formatter(NullFormatter())
    saturated = (column < number.minimum - number.step / 2) | (column > number.maximum + number.step / 2)
    text = f"{saturated.mean():.2%} saturate".replace("%", " %")
    axes.text(0.5, 0.96, text, transform=axes.transAxes, ha="center", va="top", fontsize=6.5)


def _draw_density(axes: Axes, values: NDArray[np.float64], edges: NDArray[np.float64], **style: Any) -> float:
    """Draw counts over all values, also those beyond the edges, and the width of a bin; return the highest density."""
    densities = np.histogram(values, edges)[0] / (len(values) * np.diff(edges))
    axes.stairs(densities, edges, **style)
    return float(densities.max())


def word_edges(low: float, high: float, step: float) -> NDArray[np.float64]:
    """Return edges of about 60 bins or fewer, halfway between the multiples of `step`, that enclose `low` and `high`.

    >>> word_edges(-0.3, 0.6, 0.5)
    array([-0.75, -0.25,  0.25,  0.75])
    """
    words = int(np.ceil((high - low) / (_BINS * step)))  # in a bin
    first = int(np.rint(low / step))
    bins = (int(np.rint(high / step)) - first) // words + 1
    return np.asarray(step * (first - 0.5 + words * np.arange(bins + 1)), np.float64)


def _range(column: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(column, [_TAIL, 1 - _TAIL])
    if low == high:
        return float(low - 0.5), float(high + 0.5)
    return float(low), float(high)
