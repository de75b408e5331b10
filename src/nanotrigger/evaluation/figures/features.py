"""The distributions of the input features, class by class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.page import class_legend, new_panels, round_ticks
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import drawn, line_style
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
_COLUMNS = 4
_MOST_BINS = 50
_DECADE = 10  # the least ratio of a log axis, so that it has a labelled tick
_TAIL = 0.002  # fraction of the events left out at each end of an axis


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
    names = check_class_names(class_names, classes=len(class_names))
    figure, body, panels = new_panels(
        len(feature_names), columns=_COLUMNS, panel_height=1.7, notes=[sample.source, sample.extent]
    )
    for axes, name, column in zip(panels, feature_names, values.T, strict=True):
        _draw_densities(axes, column, truth, classes=len(names))
        axes.set_xlabel(JET_FEATURE_LABELS.get(name, name))
    body.supylabel("Probability density", fontsize=8)
    class_legend(body, names, title="True class", columns=6)
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


def _draw_densities(axes: Axes, column: NDArray[np.float64], labels: NDArray[np.int64], *, classes: int) -> None:
    edges = bin_edges(column)
    sizes = np.bincount(labels, minlength=classes)
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

    Rice's rule sets their number: twice the cube root of the number of events, 50 at most. Integers get
    bins of whole integers with edges halfway between, so that no bin is favoured.

    >>> bin_edges(np.array([1.0, 2.0, 2.0, 4.0]))
    array([0.5, 1.5, 2.5, 3.5, 4.5])
    """
    low, high = np.quantile(column, [_TAIL, 1 - _TAIL], method="inverted_cdf")
    wanted = min(int(np.ceil(2 * np.cbrt(len(column)))), _MOST_BINS)
    if np.array_equal(column, np.rint(column)):
        first, last = np.floor(low), np.ceil(high)
        width = np.ceil((last - first + 1) / wanted)
        bins = int(np.ceil((last - first + 1) / width))
        return np.asarray(first - 0.5 + width * np.arange(bins + 1))
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, wanted + 1)
