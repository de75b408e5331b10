"""The images that a network sees: the mean one of each class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import MOST_CURVES, all_shortened, first_of
from nanotrigger.evaluation.figures.page import Sample, drawn, new_panels
from nanotrigger.evaluation.predictions import check_class_names, check_labels

_COLUMNS = 3
_DECADES = 4  # of the colours, at most
_DECADE = 10  # the least ratio of the colours' ends, so that their axis has a labelled tick


@drawn
def mean_images(
    images: ArrayLike,
    labels: ArrayLike,
    *,
    class_names: Sequence[str],
    sample: Sample,
    half_width: float | None = None,
) -> Figure:
    """Draw the mean image of each class, in the same colours, whose scale is logarithmic if no mean is negative.

    Args:
        images: as measured, shape (events, height, width, channels); channels are added up.
        labels: class indices, shape (events,).
        class_names: one for each class.
        sample: what is drawn; its size must be the number of events.
        half_width: of an image in Δη (height) and Δφ (width), whose cells hold shares of transverse momentum; None if
            it shows something else.

    Raises:
        InputError: the arguments do not fit together.
    """
    values = np.asarray(images, np.float64)
    if values.ndim != 4:
        raise InputError(f"images have shape {values.shape}; give (events, height, width, channels)")
    sample.check_size(len(values))
    truth = check_labels(labels, events=len(values), classes=len(class_names))
    names = all_shortened(check_class_names(class_names, classes=len(class_names)))
    shown, left_out = first_of(len(names), MOST_CURVES, "classes")
    sums = values.sum(axis=-1)
    means = {index: sums[truth == index].mean(axis=0) for index in np.unique(truth).tolist()}
    norm = _colour_scale(np.stack(list(means.values())))
    figure, body, panels = new_panels(
        shown, columns=_COLUMNS, panel_height=1.75, notes=[sample.source, sample.extent, *left_out]
    )
    for index, axes in enumerate(panels):
        picture = means.get(index, np.full(sums.shape[1:], np.nan))
        axes.set_title(names[index] if index in means else f"{names[index]}: no {sample.unit}", fontsize=7)
        if half_width is None:
            axes.imshow(picture, norm=norm, interpolation="nearest")
            axes.set(xlabel="Column", ylabel="Row")
        else:
            ends = (-half_width, half_width, -half_width, half_width)
            axes.imshow(picture, norm=norm, interpolation="nearest", origin="lower", extent=ends)
            axes.set(xlabel=r"$\Delta\phi$", ylabel=r"$\Delta\eta$")
        axes.tick_params(which="both", direction="out", top=False, right=False)
    quantity = "Mean value of a cell" if half_width is None else r"Mean share of $p_\mathrm{T}$ in a cell"
    body.colorbar(ScalarMappable(norm), ax=panels, label=quantity, pad=0.02, aspect=35)
    return figure


def _colour_scale(means: NDArray[np.float64]) -> Normalize:
    """Return a logarithmic scale of four decades at most, to whose end smaller values are set; else a linear one."""
    highest = float(means.max())
    if means.min() < 0 or highest <= 0:
        return Normalize(means.min(), highest)
    lowest = max(float(means[means > 0].min()), highest / 10**_DECADES)
    return LogNorm(min(lowest, highest / _DECADE), highest, clip=True)
