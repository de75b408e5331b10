"""Loss and other metrics while the network was trained."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.page import HALF_WIDTH, Sample, drawn, line_style, new_page

_SPLITS = {"train": "Training", "val": "Validation"}
_MOST_MARKERS = 40  # beyond, they would merge into a band


@drawn
def training_history(history: Mapping[str, ArrayLike], *, sample: Sample, panels: Mapping[str, str]) -> Figure:
    """Draw metrics one above the other, each for training and validation, epoch by epoch.

    Args:
        history: columns of a run's metrics.csv, each of shape (rows,): `epoch`, and any of `train_METRIC` and
            `val_METRIC`; others are ignored. NaN where a row does not have the number, as in the files of Lightning's
            CSVLogger.
        sample: what the network was trained on.
        panels: metric → label of its axis, with its unit. One without a curve has no panel.

    Raises:
        InputError: no epochs, none of the curves, or columns of unequal length.
    """
    columns = {name: np.asarray(column, np.float64) for name, column in history.items()}
    curves = [f"{split}_{metric}" for metric in panels for split in _SPLITS]
    metrics = [metric for metric in panels if any(f"{split}_{metric}" in columns for split in _SPLITS)]
    if "epoch" not in columns or not metrics:
        raise InputError(
            f"history has columns {', '.join(history) or 'none'}; give epoch and {', '.join(curves[:-1])} or "
            f"{curves[-1]}"
        )
    figure, body = new_page(width=HALF_WIDTH, height=0.5 + 1.5 * len(metrics), notes=[sample.source, sample.extent])
    rows = body.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for axes, metric in zip(rows, metrics, strict=True):
        _draw_curves(axes, columns, metric)
        axes.set_ylabel(panels[metric])
    rows[-1].set_xlabel("Epoch")
    rows[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    drawn = {line.get_label(): line for axes in rows for line in axes.get_lines()}
    body.legend(drawn.values(), drawn.keys(), loc="outside upper center", ncols=2)
    return figure


def _draw_curves(axes: Axes, columns: Mapping[str, NDArray[np.float64]], metric: str) -> None:
    for index, (split, label) in enumerate(_SPLITS.items()):
        if f"{split}_{metric}" not in columns:
            continue
        epochs, values = _logged(columns["epoch"], columns[f"{split}_{metric}"])
        marker = "os"[index] if len(epochs) <= _MOST_MARKERS else ""
        axes.plot(epochs, values, marker=marker, label=label, **line_style(index))
    axes.margins(x=0.03, y=0.08)


def _logged(
    epochs: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows that hold a number."""
    if epochs.shape != values.shape or epochs.ndim != 1:
        raise InputError(f"history: {values.shape} values for {epochs.shape} epochs; give columns of one file")
    present = ~np.isnan(values)
    return epochs[present], values[present]
