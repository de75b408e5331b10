"""Loss and other metrics while the network was trained."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import MOST_CURVES, first_of, shortened
from nanotrigger.evaluation.figures.page import HALF_WIDTH, drawn, legend_columns, line_style, new_page

_SPLITS = {"train": "Training", "val": "Validation"}
_MOST_MARKERS = 40  # beyond, they would merge into a band


@drawn
def training_history(
    histories: Mapping[str, Mapping[str, ArrayLike]], *, notes: Sequence[str], panels: Mapping[str, str]
) -> Figure:
    """Draw metrics one above the other, each for training and validation, epoch by epoch, of one run or several.

    A run has a colour, if there are several; else a split has.

    Args:
        histories: name of the run → columns of its metrics.csv, each of shape (rows,): `epoch`, and any of
            `train_METRIC` and `val_METRIC`; others are ignored. NaN where a row does not have the number, as in the
            files of Lightning's CSVLogger.
        notes: what the networks were trained on.
        panels: metric → label of its axis, with its unit. One without a curve has no panel.

    Raises:
        InputError: no run, no epochs, none of the curves, or columns of unequal length.
    """
    shown, left_out = first_of(len(histories), MOST_CURVES, "runs")
    runs = {
        name: {column: np.asarray(values, np.float64) for column, values in columns.items()}
        for name, columns in list(histories.items())[:shown]
    }
    columns = {column for run in runs.values() for column in run}
    curves = [f"{split}_{metric}" for metric in panels for split in _SPLITS]
    metrics = [metric for metric in panels if any(f"{split}_{metric}" in columns for split in _SPLITS)]
    if not metrics or any("epoch" not in run for run in runs.values()):
        raise InputError(
            f"history has columns {', '.join(sorted(columns)) or 'none'}; give epoch and {', '.join(curves[:-1])} or "
            f"{curves[-1]}"
        )
    figure, body = new_page(width=HALF_WIDTH, height=0.5 + 1.5 * len(metrics), notes=[*notes, *left_out])
    rows = body.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for axes, metric in zip(rows, metrics, strict=True):
        for place, (name, run) in enumerate(runs.items()):
            _draw_curves(axes, run, metric, place=place, name=name if len(runs) > 1 else "")
        axes.set_ylabel(panels[metric])
        axes.margins(x=0.03, y=0.08)
    rows[-1].set_xlabel("Epoch")
    rows[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    drawn = {str(line.get_label()): line for axes in rows for line in axes.get_lines()}
    columns_of_legend = legend_columns(list(drawn), width=HALF_WIDTH)
    body.legend(drawn.values(), drawn.keys(), loc="outside upper center", ncols=columns_of_legend)
    return figure


def _draw_curves(axes: Axes, columns: Mapping[str, NDArray[np.float64]], metric: str, *, place: int, name: str) -> None:
    for index, (split, label) in enumerate(_SPLITS.items()):
        if f"{split}_{metric}" not in columns:
            continue
        epochs, values = _logged(columns["epoch"], columns[f"{split}_{metric}"])
        marker = "os"[index] if len(epochs) <= _MOST_MARKERS else ""
        colour = line_style(place if name else index)["color"]
        style = {"color": colour, "linestyle": line_style(index)["linestyle"], "marker": marker}
        axes.plot(epochs, values, label=f"{shortened(name)}, {label.lower()}" if name else label, **style)


def _logged(
    epochs: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows that hold a number."""
    if epochs.shape != values.shape or epochs.ndim != 1:
        raise InputError(f"history: {values.shape} values for {epochs.shape} epochs; give columns of one file")
    present = ~np.isnan(values)
    return epochs[present], values[present]
