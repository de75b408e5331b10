"""The latent space: where background and signals lie in it."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.page import legend_columns, new_panels, round_ticks
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import COLOURS, MARKERS, drawn
from nanotrigger.evaluation.predictions import check_class_names, check_labels

_COLUMNS = 3
_MOST = 4  # coordinates, six pairs
_SEED = 0
_TAIL = 0.001  # fraction of the points left out at each end of an axis


@drawn
def latent_scatter(
    latent: ArrayLike,
    labels: ArrayLike,
    *,
    axis_names: Sequence[str],
    class_names: Sequence[str],
    sample: Sample,
    events_per_class: int = 500,
) -> Figure:
    """Draw a panel for each pair of latent coordinates, or of principal components: a point for each event.

    Of each class so many events are drawn, the same ones every time. The axes leave out 0.1 % of the points at
    either end.

    Args:
        latent: coordinates, shape (events, 2 to 4), finite.
        labels: class indices, shape (events,).
        axis_names: one for each coordinate, with its unit if it has one.
        class_names: one for each class; the first one lies at the back.
        sample: what is drawn from; its size must be the number of events.
        events_per_class: at most.

    Raises:
        InputError: the arguments do not fit together, or a coordinate is not finite.
    """
    values = _check_latent(latent, axis_names)
    sample.check_size(len(values))
    names = check_class_names(class_names, classes=len(class_names))
    truth = check_labels(labels, events=len(values), classes=len(names))
    chosen = _chosen(truth, classes=len(names), most=events_per_class)
    pairs = list(combinations(range(values.shape[1]), 2))
    notes = [sample.source, sample.extent, f"at most {events_per_class:,} {sample.unit} of each class drawn"]
    figure, body, panels = new_panels(len(pairs), columns=_COLUMNS, panel_height=2.2, notes=notes)
    shown = np.concatenate(chosen)
    for axes, (across, up) in zip(panels, pairs, strict=True):
        for index, members in enumerate(chosen):
            axes.plot(values[members, across], values[members, up], **_style(index), rasterized=True)
        axes.set(xlabel=axis_names[across], ylabel=axis_names[up])
        axes.set(xlim=_limits(values[shown, across]), ylim=_limits(values[shown, up]))
        axes.xaxis.set_major_locator(round_ticks(5))
        axes.yaxis.set_major_locator(round_ticks(5))
    columns = legend_columns(names, width=figure.get_figwidth())
    handles = [Line2D([], [], **{**_style(index), "alpha": 1, "markersize": 4}) for index in range(len(names))]
    body.legend(handles, names, loc="outside upper center", ncols=columns, handlelength=1, title="True class")
    return figure


def _check_latent(latent: ArrayLike, axis_names: Sequence[str]) -> NDArray[np.float64]:
    values = np.asarray(latent, np.float64)
    if values.ndim != 2 or not 2 <= values.shape[1] <= _MOST or values.shape[1] != len(axis_names):
        raise InputError(
            f"latent coordinates have shape {values.shape}, {len(axis_names)} names; "
            f"give (events, 2 to {_MOST}) and a name for each, the coordinates that matter most"
        )
    if not np.isfinite(values).all():
        raise InputError("latent coordinates hold NaN or infinite values; look for a diverged training")
    return values


def _chosen(labels: NDArray[np.int64], *, classes: int, most: int) -> list[NDArray[np.intp]]:
    """Return the events of each class to draw, as indices."""
    random = np.random.default_rng(_SEED)
    members = [np.flatnonzero(labels == index) for index in range(classes)]
    return [random.choice(found, min(most, len(found)), replace=False) for found in members]


def _style(index: int) -> dict[str, Any]:
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": "",
        "markersize": 1.6,
        "markeredgewidth": 0,
        "alpha": 0.5,
    }


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    margin = 0.05 * (high - low) or 0.5
    return float(low - margin), float(high + margin)
