"""An autoencoder's figures: its latent space, and reconstructed against true transverse momentum."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import MOST_PANELS, all_shortened, first_of
from nanotrigger.evaluation.figures.page import COLOURS, MARKERS, Sample, drawn, line_style, new_panels, round_ticks
from nanotrigger.evaluation.predictions import check_class_names, check_labels

_LATENT_COLUMNS = 4
_MOST = 4  # coordinates, six pairs
_SEED = 0
_LATENT_TAIL = 0.01  # fraction of the background beyond its percentiles, at each end of an axis

_MOMENTUM_COLUMNS = 2
_BINS = 60
_MOMENTUM_TAIL = 0.005  # fraction of the true pT left out at the upper end of an axis
_COARSE = 30  # bins of a distribution
_BELOW = 0.1  # of the range: reconstructed pT may be negative
_PALETTE = "viridis"


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
    """Draw a panel for each signal and pair of latent coordinates, or of principal components, over the background.

    At most `events_per_class` events of a class are drawn, the same ones every time. The axes are half as long again as
    from the 1st to the 99th percentile of the background; points beyond stand at their edge. Many signals get the first
    pair alone.

    Args:
        latent: coordinates, shape (events, 2 to 4), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        axis_names: one for each coordinate, with its unit if it has one.
        class_names: one for each class, the background first.
        sample: what is drawn from; its size must be the number of events.
        events_per_class: at most.

    Raises:
        InputError: the arguments do not fit together, or a coordinate is not finite.
    """
    values = _check_latent(latent, axis_names)
    sample.check_size(len(values))
    names = all_shortened(check_class_names(class_names, classes=len(class_names)))
    truth = check_labels(labels, events=len(values), classes=len(names))
    signals, left_out = first_of(len(names) - 1, MOST_PANELS, "signals")
    chosen = _chosen(truth, classes=signals + 1, most=events_per_class)
    pairs = list(combinations(range(values.shape[1]), 2))
    if signals * len(pairs) > MOST_PANELS:
        pairs = pairs[:1]
    limits = [_limits(column) for column in values[chosen[0] if len(chosen[0]) else np.concatenate(chosen)].T]
    most = f"at most {events_per_class:,} {sample.unit} of each class drawn"
    notes = [sample.source, sample.extent, f"{most}; those beyond an axis at its edge", *left_out]
    shown = [(pair, signal) for pair in pairs for signal in range(min(signals, 1), signals + 1)]
    figure, body, panels = new_panels(len(shown), columns=_LATENT_COLUMNS, panel_height=1.75, notes=notes)
    for axes, ((across, up), signal) in zip(panels, shown, strict=True):
        for place in sorted({0, signal}):
            points = np.clip(values[chosen[place]], *np.transpose(limits))
            axes.plot(points[:, across], points[:, up], **_point_style(place), rasterized=True)
        axes.set(xlim=limits[across], ylim=limits[up])
        axes.set(xlabel=axis_names[across], ylabel=axis_names[up])
        axes.set_title(names[signal], fontsize=7)
        axes.xaxis.set_major_locator(round_ticks(4))
        axes.yaxis.set_major_locator(round_ticks(4))
    handles = [
        Line2D([], [], **{**_point_style(place), "alpha": 1, "markersize": 4}) for place in range(min(signals, 1) + 1)
    ]
    body.legend(handles, [names[0], "signal"][: len(handles)], loc="outside upper center", ncols=2, handlelength=1)
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
    """Return the events of each class to draw, as indices; of one that is not there, none."""
    random = np.random.default_rng(_SEED)
    members = [np.flatnonzero(labels == index) for index in range(classes)]
    return [random.choice(found, min(most, len(found)), replace=False) for found in members]


def _point_style(index: int) -> dict[str, Any]:
    """Return the style of the background, 0, or of a signal."""
    return {
        "color": COLOURS[min(index, 1)],
        "marker": MARKERS[min(index, 1)],
        "linestyle": "",
        "markersize": 1.6,
        "markeredgewidth": 0,
        "alpha": 0.5,
    }


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [_LATENT_TAIL, 1 - _LATENT_TAIL])
    margin = 0.25 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


@drawn
def reconstructed_momenta(
    true_pt: ArrayLike, reconstructed_pt: ArrayLike, *, object_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each object, such as the leading jet: counts in bins of reconstructed and true pT.

    Absent objects, those with a true pT of zero, are left out. The title names their share, and the share of
    the others that lie beyond the axes.

    Args:
        true_pt: in GeV, shape (events, objects), finite.
        reconstructed_pt: in GeV, the same shape, finite.
        object_names: one for each column, such as "leading jet".
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together, or a momentum is not finite.
    """
    truth = _check_momenta(true_pt, object_names, name="true")
    found = _check_momenta(reconstructed_pt, object_names, name="reconstructed")
    sample.check_size(len(truth))
    if found.shape != truth.shape:
        raise InputError(f"{len(truth)} events have a true pT, {len(found)} a reconstructed one; give the same events")
    figure, body, panels = new_panels(
        len(object_names), columns=_MOMENTUM_COLUMNS, panel_height=2.6, notes=[sample.source, sample.extent]
    )
    counts = [_count(*columns) for columns in zip(truth.T, found.T, strict=True)]
    norm = LogNorm(1, max(10, *(matrix.max() for matrix, *_ in counts)))
    for axes, name, (matrix, across, up), true_column in zip(panels, object_names, counts, truth.T, strict=True):
        axes.pcolormesh(across, up, np.ma.masked_equal(matrix.T, 0), norm=norm, cmap=_PALETTE, rasterized=True)
        _frame(axes, highest=across[-1], lowest=up[0])
        axes.set_title(f"{name}\n{_shares(matrix, true_column)}", fontsize=7)
    body.colorbar(ScalarMappable(norm, _PALETTE), ax=panels, label="Objects per bin", pad=0.02, aspect=35)
    return figure


@drawn
def momentum_distributions(
    true_pt: ArrayLike, reconstructed_pt: ArrayLike, *, object_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each object: the distributions of its true and its reconstructed pT, log scale.

    Absent objects, those with a true pT of zero, are left out of both. Arguments and errors as for
    `reconstructed_momenta`.
    """
    truth = _check_momenta(true_pt, object_names, name="true")
    found = _check_momenta(reconstructed_pt, object_names, name="reconstructed")
    sample.check_size(len(truth))
    figure, body, panels = new_panels(
        len(object_names), columns=_MOMENTUM_COLUMNS, panel_height=1.9, notes=[sample.source, sample.extent]
    )
    for axes, name, true_column, found_column in zip(panels, object_names, truth.T, found.T, strict=True):
        _, across, up = _count(true_column, found_column)
        edges = np.concatenate([up[up < 0][:: max(1, _BINS // _COARSE)], across[:: _BINS // _COARSE]])
        present = true_column > 0
        for index, column in enumerate((true_column, found_column)):
            axes.stairs(np.histogram(column[present], edges)[0], edges, **line_style(index))
        axes.set(xlim=(edges[0], edges[-1]), yscale="log", ylim=(0.5, max(10, 3 * np.count_nonzero(present))))
        axes.set(xlabel=r"$p_\mathrm{T}$ [GeV]", ylabel=f"Objects per {edges[-1] - edges[-2]:.3g} GeV")
        axes.set_title(name, fontsize=7)
        axes.xaxis.set_major_locator(round_ticks(5))
    handles = [Line2D([], [], **line_style(index)) for index in range(2)]
    body.legend(handles, ["true", "reconstructed"], loc="outside upper center", ncols=2)
    return figure


def _check_momenta(momenta: ArrayLike, object_names: Sequence[str], *, name: str) -> NDArray[np.float64]:
    values = np.asarray(momenta, np.float64)
    if values.ndim != 2 or values.shape[1] != len(object_names) or not values.size:
        raise InputError(f"{name} pT has shape {values.shape}; give (events, {len(object_names)}), an object a column")
    if not np.isfinite(values).all():
        raise InputError(f"{name} pT holds NaN or infinite values; look for a diverged training")
    return values


def _count(
    truth: NDArray[np.float64], found: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return counts, shape (true bins, reconstructed bins), and the edges of both."""
    present = truth > 0
    highest = float(np.quantile(truth[present], 1 - _MOMENTUM_TAIL)) if present.any() else 1.0
    across = np.linspace(0, highest, _BINS + 1)
    up = np.linspace(-_BELOW * highest, highest, _BINS + 1)
    return np.histogram2d(truth[present], found[present], (across, up))[0], across, up


def _shares(counts: NDArray[np.float64], truth: NDArray[np.float64]) -> str:
    present = np.count_nonzero(truth > 0)
    if not present:
        return "absent in all events"
    text = f"absent in {1 - present / len(truth):.1%}, {1 - counts.sum() / present:.1%} of the others beyond the axes"
    return text.replace("%", " %")


def _frame(axes: Axes, *, highest: float, lowest: float) -> None:
    axes.plot([0, highest], [0, highest], color=COLOURS[1], linestyle=(0, (5, 2)), linewidth=0.9)
    axes.set(xlim=(0, highest), ylim=(lowest, highest))
    axes.set(xlabel=r"True $p_\mathrm{T}$ [GeV]", ylabel=r"Reconstructed $p_\mathrm{T}$ [GeV]")
    axes.xaxis.set_major_locator(round_ticks(5))
    axes.yaxis.set_major_locator(round_ticks(5))
