"""The inputs of collision events in physical units: background and signals."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.page import class_legend, legend_columns, new_panels, round_ticks
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import COLOURS, drawn, line_style
from nanotrigger.evaluation.predictions import check_class_names, check_labels

# First part of the names of three features, such as "jet_1_pt", → the object in words.
LEADING_OBJECTS = {
    "met": "missing transverse momentum",
    "egamma_1": r"leading e/$\gamma$",
    "muon_1": "leading muon",
    "jet_1": "leading jet",
}
_QUANTITIES = {"pt": r"$p_\mathrm{T}$ [GeV]", "eta": r"$\eta$", "phi": r"$\phi$ [rad]"}
_BINS = {"pt": 40, "eta": 30, "phi": 24}
_DECADE = 10  # the least ratio of a log axis, so that it has a labelled tick
_TAIL = 0.002  # fraction of the objects beyond the upper end of an axis of pT


@drawn
def input_distributions(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    feature_names: Sequence[str],
    class_names: Sequence[str],
    sample: Sample,
    objects: Mapping[str, str] = LEADING_OBJECTS,
) -> Figure:
    """Draw a row of panels for each object: the distributions of its pT (log scale), eta and phi.

    A density, in the inverse unit of its axis, integrates to one over the objects that are there; absent ones, those
    with a pT of zero, are left out, and their share stands in the panel of pT. Of pT, 0.2 % of the objects lie beyond
    the axis. A quantity that is always the same, such as eta of the missing momentum, is only named.

    Args:
        features: in GeV and radians, not standardized, shape (events, features), finite.
        labels: class indices, shape (events,).
        feature_names: one for each column; "jet_1_pt", "jet_1_eta" and "jet_1_phi" belong to the object "jet_1".
        class_names: one for each class.
        sample: what is drawn; its size must be the number of events.
        objects: object → its name in words, a row for each.

    Raises:
        InputError: a feature of an object is missing, a value is not finite, or the arguments do not fit together.
    """
    columns = _columns(features, feature_names, objects)
    names = check_class_names(class_names, classes=len(class_names))
    sample.check_size(len(np.asarray(features)))
    truth = check_labels(labels, events=sample.size, classes=len(names))
    figure, body, panels = new_panels(
        len(columns), columns=len(_QUANTITIES), panel_height=1.75, notes=[sample.source, sample.extent]
    )
    for axes, ((name, quantity), values) in zip(panels, columns.items(), strict=True):
        present = columns[name, "pt"] > 0
        axes.set_title(objects[name], fontsize=7)
        axes.set_xlabel(_QUANTITIES[quantity])
        if quantity != "pt" and np.ptp(values) == 0:
            axes.set_axis_off()
            axes.text(0.5, 0.5, f"{_QUANTITIES[quantity]} = {values[0]:g} in all events", ha="center", fontsize=7)
            continue
        _draw_densities(axes, values, np.where(present, truth, -1), quantity=quantity, classes=len(names))
        if quantity == "pt":
            _write_absent(axes, present, truth, classes=len(names))
    body.supylabel("Probability density", fontsize=8)
    class_legend(body, names, title="True class", columns=legend_columns(names))
    return figure


def _columns(
    features: ArrayLike, feature_names: Sequence[str], objects: Mapping[str, str]
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Return (object, quantity) → values, shape (events,)."""
    values = np.asarray(features, np.float64)
    if values.ndim != 2 or values.shape[1] != len(feature_names) or not values.size:
        raise InputError(
            f"features have shape {values.shape}; give (events, {len(feature_names)}), a column for each name"
        )
    columns = {}
    for name in objects:
        for quantity in _QUANTITIES:
            if f"{name}_{quantity}" not in feature_names:
                raise InputError(f"no feature is named '{name}_{quantity}'; give pt, eta and phi of object {name!r}")
            columns[name, quantity] = values[:, list(feature_names).index(f"{name}_{quantity}")]
            if not np.isfinite(columns[name, quantity]).all():
                raise InputError(f"feature '{name}_{quantity}' holds NaN or infinite values; clean the data first")
    return columns


def _draw_densities(
    axes: Axes, values: NDArray[np.float64], labels: NDArray[np.int64], *, quantity: str, classes: int
) -> None:
    """Draw the values of each class; label -1 is an absent object."""
    edges = _edges(values[labels >= 0], quantity)
    width = edges[1] - edges[0]
    sizes = [max(np.count_nonzero(labels == index), 1) for index in range(classes)]
    highest = 0.0
    for index in range(classes):
        densities = np.histogram(values[labels == index], edges)[0] / (sizes[index] * width)
        highest = max(highest, densities.max())
        axes.stairs(densities, edges, linewidth=0.9, **line_style(index))
    highest = highest or 1 / width  # not one object
    axes.set_xlim(edges[0], edges[-1])
    axes.xaxis.set_major_locator(round_ticks(4))
    if quantity == "pt":
        axes.set(yscale="log", ylim=(1 / (2 * width * max(*sizes, _DECADE)), 3 * highest))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, 1.25 * highest)
        axes.yaxis.set_major_locator(round_ticks(4))


def _edges(values: NDArray[np.float64], quantity: str) -> NDArray[np.float64]:
    bins = _BINS[quantity]
    if quantity == "phi":
        return np.linspace(-np.pi, np.pi, bins + 1)
    if quantity == "eta":
        end = np.ceil(2 * np.abs(values).max(initial=0.5)) / 2
        return np.linspace(-end, end, bins + 1)
    end = float(np.quantile(values, 1 - _TAIL)) if values.size else 1.0
    return np.linspace(0, end, bins + 1)


def _write_absent(axes: Axes, present: NDArray[np.bool_], labels: NDArray[np.int64], *, classes: int) -> None:
    """Write the share of absent objects, class by class in its colour; nothing where none is absent."""
    if present.all():
        return
    axes.text(0.96, 0.95, "absent", transform=axes.transAxes, ha="right", va="top", fontsize=6)
    for index in range(classes):
        members = present[labels == index]
        share = f"{1 - members.mean():.1%}".replace("%", " %") if members.size else "–"
        place = (0.96, 0.95 - 0.085 * (index + 1))
        colour = COLOURS[index % len(COLOURS)]
        axes.text(*place, share, transform=axes.transAxes, ha="right", va="top", fontsize=6, color=colour)
