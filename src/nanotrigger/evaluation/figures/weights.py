"""The values of weights: of one network, zeros apart, or of several over each other."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import LEGEND_CHARACTERS, MOST_CURVES, MOST_PANELS, first_of, shortened
from nanotrigger.evaluation.figures.page import COLOURS, drawn, legend_columns, line_style, new_panels, round_ticks
from nanotrigger.numbers import FixedPoint

_WEIGHT_COLUMNS = 4
_WEIGHT_BINS = 40
_MOST_WORDS = 64  # more are drawn in bins, like floats
_OWN = "quantized"
_OTHER, _ZERO = COLOURS[0], COLOURS[1]


@drawn
def weight_histograms(weights: Mapping[str, NDArray[np.float64]], formats: Mapping[str, FixedPoint | None]) -> Figure:
    """Draw one panel for each layer: a bar for each word of its format, or bins if it has many words or is missing.

    Args:
        weights: name of the layer → its weights, of any shape but not empty.
        formats: name of the layer → format of its weights, None for a quantizer of their own; empty if they are floats.

    Raises:
        InputError: no layer.
    """
    if not weights:
        raise InputError("weights are empty; give those of at least one layer")
    kinds = [str(formats[name] or _OWN) if name in formats else "floating point" for name in weights]
    shown, left_out = first_of(len(weights), MOST_PANELS, "layers")
    notes = ["Weights", ", ".join(dict.fromkeys(kinds)), *left_out]
    figure, body, panels = new_panels(shown, columns=_WEIGHT_COLUMNS, panel_height=1.5, notes=notes)
    for axes, kind, (name, values) in zip(panels, kinds, weights.items(), strict=False):
        _draw_weights(axes, np.asarray(values, np.float64).ravel(), _visible_step(formats.get(name)))
        axes.set_title(name if len(set(kinds)) == 1 else f"{name}: {kind}", fontsize=7)
    entries = {"other weights": _OTHER, "weights that are zero": _ZERO}
    if all(np.all(values) for values in weights.values()):
        entries = {"weights, none of which is zero": _OTHER}
    handles = [Patch(color=colour) for colour in entries.values()]
    body.legend(handles, list(entries), loc="outside upper center", ncols=2)
    return figure


@drawn
def weight_comparison(weights: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Figure:
    """Draw one panel for each layer with its weights in several networks, in common bins and on a logarithmic axis.

    Args:
        weights: name of the network → name of the layer → its weights, of any shape but not empty; a layer that a
            network does not have is left out there.

    Raises:
        InputError: no network, or none with a layer.
    """
    layers = list(dict.fromkeys(layer for network in weights.values() for layer in network))
    if not layers:
        raise InputError("weights are empty; give those of at least one layer")
    shown, left_out = first_of(len(layers), MOST_PANELS, "layers")
    networks, others_left_out = first_of(len(weights), MOST_CURVES, "networks")
    notes = ["Weights", *left_out, *others_left_out]
    figure, body, panels = new_panels(shown, columns=_WEIGHT_COLUMNS, panel_height=1.7, notes=notes)
    names = list(weights)[:networks]
    for axes, layer in zip(panels, layers, strict=False):
        found = {name: np.ravel(weights[name][layer]) for name in names if layer in weights[name]}
        everything = np.concatenate(list(found.values()) or [np.zeros(1)])
        reach = float(np.abs(everything).max()) or 1.0
        edges = np.linspace(-reach, reach, _WEIGHT_BINS) * _WEIGHT_BINS / (_WEIGHT_BINS - 1)  # zero within a bin
        for name, values in found.items():
            axes.stairs(np.histogram(values, edges)[0], edges, **line_style(names.index(name)))
        axes.set(yscale="log", ylim=(0.5, 3 * len(everything)), xlabel="Value", ylabel="Weights")
        axes.set_title(layer, fontsize=7)
        axes.xaxis.set_major_locator(round_ticks(4))
    legend = [shortened(name, LEGEND_CHARACTERS) for name in names]
    handles = [Line2D([], [], **line_style(index)) for index in range(networks)]
    columns = legend_columns(legend, width=figure.get_figwidth())
    body.legend(handles, legend, loc="outside upper center", ncols=columns)
    return figure


def _visible_step(number: FixedPoint | None) -> float | None:
    """Return the width of a word's bar; None if there is no format, or too many words in it."""
    few = number is not None and number.maximum_word - number.minimum_word < _MOST_WORDS
    return number.step if number is not None and few else None


def _draw_weights(axes: Axes, values: NDArray[np.float64], step: float | None) -> None:
    zeros = values == 0
    if step is not None:
        width = 0.8 * step
        found, counts = np.unique(values[~zeros], return_counts=True)
        axes.bar(found, counts, width, color=_OTHER)
    else:
        counts, edges = np.histogram(values[~zeros], np.histogram_bin_edges(values, _WEIGHT_BINS))
        width = float(edges[1] - edges[0])
        axes.stairs(counts, edges, fill=True, color=_OTHER)  # one object, where bars are many
    axes.bar(0, int(zeros.sum()), width, color=_ZERO)
    axes.xaxis.set_major_locator(round_ticks(4))
    axes.yaxis.set_major_locator(round_ticks(4))
    axes.set(xlabel="Value", ylabel="Weights")
    axes.margins(y=0.05)
