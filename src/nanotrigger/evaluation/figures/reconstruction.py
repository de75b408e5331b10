"""What an autoencoder makes of its inputs: reconstructed against true transverse momentum."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.page import new_panels, round_ticks
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import COLOURS, drawn

_COLUMNS = 2
_BINS = 60
_TAIL = 0.005  # fraction of the true pT left out at the upper end of an axis
_BELOW = 0.1  # of the range: reconstructed pT may be negative
_PALETTE = "viridis"


@drawn
def reconstructed_momenta(
    true_pt: ArrayLike, reconstructed_pt: ArrayLike, *, object_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each object, such as the leading jet: counts in bins of reconstructed and true pT.

    Absent objects, those with a true pT of zero, are left out. The title names their share, and that of the others
    which lie beyond the axes.

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
        len(object_names), columns=_COLUMNS, panel_height=2.6, notes=[sample.source, sample.extent]
    )
    counts = [_count(*columns) for columns in zip(truth.T, found.T, strict=True)]
    norm = LogNorm(1, max(10, *(matrix.max() for matrix, *_ in counts)))
    for axes, name, (matrix, across, up), true_column in zip(panels, object_names, counts, truth.T, strict=True):
        axes.pcolormesh(across, up, np.ma.masked_equal(matrix.T, 0), norm=norm, cmap=_PALETTE, rasterized=True)
        _frame(axes, highest=across[-1], lowest=up[0])
        axes.set_title(f"{name}\n{_shares(matrix, true_column)}", fontsize=7)
    body.colorbar(ScalarMappable(norm, _PALETTE), ax=panels, label="Objects per bin", pad=0.02, aspect=35)
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
    highest = float(np.quantile(truth[present], 1 - _TAIL)) if present.any() else 1.0
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
