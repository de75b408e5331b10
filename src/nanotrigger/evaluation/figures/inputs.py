"""The distributions of a network's inputs, class by class: features of jets, objects of collisions."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import MOST_CURVES, MOST_PANELS, all_shortened, first_of, shortened
from nanotrigger.evaluation.figures.page import (
    COLOURS,
    Sample,
    class_legend,
    drawn,
    legend_columns,
    line_style,
    new_panels,
    round_ticks,
)
from nanotrigger.evaluation.predictions import check_class_names, check_labels

# Symbols as in J. Duarte et al., JINST 13 (2018) P07027, table 1; columns as in the OpenML data set.
JET_FEATURE_LABELS = {
    "zlogz": r"$\sum z \,\log z$",
    "c1_b0_mmdt": r"$C_1^{\beta{=}0}$",
    "c1_b1_mmdt": r"$C_1^{\beta{=}1}$",
    "c1_b2_mmdt": r"$C_1^{\beta{=}2}$",
    "c2_b1_mmdt": r"$C_2^{\beta{=}1}$",
    "c2_b2_mmdt": r"$C_2^{\beta{=}2}$",
    "d2_b1_mmdt": r"$D_2^{\beta{=}1}$",
    "d2_b2_mmdt": r"$D_2^{\beta{=}2}$",
    "d2_a1_b1_mmdt": r"$D_2^{(\alpha,\beta){=}(1{,}1)}$",
    "d2_a1_b2_mmdt": r"$D_2^{(\alpha,\beta){=}(1{,}2)}$",
    "m2_b1_mmdt": r"$M_2^{\beta{=}1}$",
    "m2_b2_mmdt": r"$M_2^{\beta{=}2}$",
    "n2_b1_mmdt": r"$N_2^{\beta{=}1}$",
    "n2_b2_mmdt": r"$N_2^{\beta{=}2}$",
    "mass_mmdt": r"$m_\mathrm{mMDT}$ [GeV]",
    "multiplicity": "Multiplicity",
}
_PARTICLE_LABELS = {
    "pt_fraction": r"$p_\mathrm{T}$ / jet $p_\mathrm{T}$",
    "delta_eta": r"$\Delta\eta$",
    "delta_phi": r"$\Delta\phi$",
}
_LABELS = JET_FEATURE_LABELS | _PARTICLE_LABELS
_COLUMNS = 4
_MOST_BINS = 50
_DECADE = 10  # the least ratio of a log axis, so that it has a labelled tick
_STEPS = (1, 256, 4096)  # in 1, of integers and of what is rounded
_TAIL = 0.002  # fraction of the events left out at each end of an axis

# First part of the names of three features, such as "jet_1_pt", → the object in words.
LEADING_OBJECTS = {
    "met": "missing transverse momentum",
    "egamma_1": r"leading e/$\gamma$",
    "muon_1": "leading muon",
    "jet_1": "leading jet",
}
_QUANTITIES = {"pt": r"$p_\mathrm{T}$ [GeV]", "eta": r"$\eta$", "phi": r"$\phi$ [rad]"}
_BINS = {"pt": 40, "eta": 30, "phi": 24}
_PT_TAIL = 0.002  # fraction of the objects beyond the upper end of an axis of pT


@drawn
def feature_distributions(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    feature_names: Sequence[str],
    class_names: Sequence[str],
    sample: Sample,
) -> Figure:
    """Draw one panel for each feature with the density of each class, on a full page width.

    A density is in the inverse unit of its axis. It counts all events of its class, also those beyond the
    ends of the axis: 0.2 % of all events at either end.

    Args:
        features: in the units of the labels, not standardized, shape (events, features), finite.
        labels: class indices, shape (events,).
        feature_names: columns of the data set; jet features get their symbol and unit as axis label.
        class_names: one for each class.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together, or a feature is not finite.
    """
    values = _check_features(features, feature_names)
    sample.check_size(len(values))
    truth = check_labels(labels, events=len(values), classes=len(class_names))
    names = all_shortened(check_class_names(class_names, classes=len(class_names)))
    features_shown, features_left_out = first_of(len(feature_names), MOST_PANELS, "features")
    classes_shown, classes_left_out = first_of(len(names), MOST_CURVES, "classes")
    notes = [sample.source, sample.extent, *features_left_out, *classes_left_out]
    figure, body, panels = new_panels(features_shown, columns=_COLUMNS, panel_height=1.7, notes=notes)
    for axes, name, column in zip(panels, feature_names, values.T, strict=False):
        _draw_feature(axes, column, truth, classes=classes_shown)
        axes.set_xlabel(_LABELS.get(name, shortened(name)))
    body.supylabel("Probability density", fontsize=8)
    names = names[:classes_shown]
    class_legend(body, names, title="True class", columns=min(legend_columns(names), 6))
    return figure


def _check_features(features: ArrayLike, feature_names: Sequence[str]) -> NDArray[np.float64]:
    values = np.asarray(features, np.float64)
    if values.ndim != 2 or values.shape[1] != len(feature_names):
        raise InputError(
            f"features have shape {values.shape}; give (events, {len(feature_names)}), a column for each name"
        )
    for index in np.flatnonzero(~np.isfinite(values).all(axis=0)).tolist():
        raise InputError(f"feature {feature_names[index]!r} holds NaN or infinite values; clean the data first")
    return values


def _draw_feature(axes: Axes, column: NDArray[np.float64], labels: NDArray[np.int64], *, classes: int) -> None:
    edges = bin_edges(column)
    sizes = np.bincount(labels, minlength=classes)[:classes]
    highest = 0.0
    for index in range(classes):
        counts = np.histogram(column[labels == index], edges)[0]
        density = counts / (max(sizes[index], 1) * np.diff(edges))
        highest = max(highest, density.max())
        axes.stairs(density, edges, linewidth=0.9, **line_style(index))
    one_event = 1 / (max(sizes.max(), _DECADE) * (edges[1] - edges[0]))
    axes.set(xlim=(edges[0], edges[-1]), yscale="log", ylim=(one_event / 2, 2 * highest))
    axes.xaxis.set_major_locator(round_ticks(4))
    axes.yaxis.set_minor_formatter(NullFormatter())


def bin_edges(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return edges of equal bins between the 0.2 % and the 99.8 % quantile, shape (bins + 1,).

    Rice's rule sets their number: twice the cube root of the number of events, 50 at most. Integers, and what is
    rounded to 1/256 or 1/4096, get bins of whole steps with edges halfway between, so that no bin is favoured.

    >>> bin_edges(np.array([1.0, 2.0, 2.0, 4.0]))
    array([0.5, 1.5, 2.5, 3.5, 4.5])
    """
    low, high = np.quantile(column, [_TAIL, 1 - _TAIL], method="inverted_cdf")
    wanted = min(int(np.ceil(2 * np.cbrt(len(column)))), _MOST_BINS)
    for steps in _STEPS:
        if np.array_equal(column * steps, np.rint(column * steps)):
            first, last = np.floor(low * steps), np.ceil(high * steps)
            width = np.ceil((last - first + 1) / wanted)
            bins = int(np.ceil((last - first + 1) / width))
            return np.asarray(first - 0.5 + width * np.arange(bins + 1)) / steps
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, wanted + 1)


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

    A density has the inverse unit of its axis, and integrates to one over the objects that are present. Absent objects,
    those with a pT of zero, are left out; the panel of pT names their share. The axis of pT leaves out 0.2 % of the
    objects. A quantity that is always the same, such as eta of the missing momentum, is only named.

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
    columns = _object_columns(features, feature_names, objects)
    names = all_shortened(check_class_names(class_names, classes=len(class_names)))
    sample.check_size(len(np.asarray(features)))
    truth = check_labels(labels, events=sample.size, classes=len(names))
    shown, left_out = first_of(len(names), MOST_CURVES, "classes")
    names = names[:shown]
    figure, body, panels = new_panels(
        len(columns), columns=len(_QUANTITIES), panel_height=1.75, notes=[sample.source, sample.extent, *left_out]
    )
    for axes, ((name, quantity), values) in zip(panels, columns.items(), strict=True):
        present = columns[name, "pt"] > 0
        axes.set_title(objects[name], fontsize=7)
        axes.set_xlabel(_QUANTITIES[quantity])
        if quantity != "pt" and np.ptp(values) == 0:
            axes.set_axis_off()
            axes.text(0.5, 0.5, f"{_QUANTITIES[quantity]} = {values[0]:g} in all events", ha="center", fontsize=7)
            continue
        _draw_quantity(axes, values, np.where(present, truth, -1), quantity=quantity, classes=len(names))
        if quantity == "pt":
            _write_absent(axes, present, truth, classes=len(names))
    body.supylabel("Probability density", fontsize=8)
    class_legend(body, names, title="True class", columns=legend_columns(names))
    return figure


def _object_columns(
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


def _draw_quantity(
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
    end = float(np.quantile(values, 1 - _PT_TAIL)) if values.size else 1.0
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
