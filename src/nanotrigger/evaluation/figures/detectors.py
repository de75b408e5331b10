"""Several anomaly detectors side by side: float and quantized, pruned, variational, principal components."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.detection_panel import detection_panels, frame
from nanotrigger.evaluation.figures.style import drawn, line_style
from nanotrigger.evaluation.working_point import WorkingPoint

_APART = 1.12  # factor between the marks of two detectors at one working point, so that both are seen


@dataclass(frozen=True, eq=False)
class DetectorCurve:
    """The ROC curve of one detector for one signal, as `roc_points` gives it.

    Args:
        label: in the legend, such as "quantized, 75 % pruned".
        false_positive_rate: shape (points,), positive and rising; its first value is what the background supports.
        true_positive_rate: shape (points,).
        working_points: drawn as marks with their intervals of 68 %.

    Raises:
        InputError: the two rates do not fit together, or are no fractions.
    """

    label: str
    false_positive_rate: ArrayLike
    true_positive_rate: ArrayLike
    working_points: Sequence[WorkingPoint] = ()

    def __post_init__(self) -> None:
        across, up = np.asarray(self.false_positive_rate, np.float64), np.asarray(self.true_positive_rate, np.float64)
        if across.ndim != 1 or across.shape != up.shape or not across.size:
            raise InputError(
                f"curve {self.label!r}: false-positive rates have shape {across.shape}, true-positive {up.shape}; "
                "give one of each a point"
            )
        if not ((across > 0) & (across <= 1) & (up >= 0) & (up <= 1)).all() or (np.diff(across) < 0).any():
            raise InputError(f"curve {self.label!r}: rates must be fractions, the false-positive ones positive, rising")


@drawn
def detector_comparison(curves: Mapping[str, Sequence[DetectorCurve]], *, notes: Sequence[str]) -> Figure:
    """Draw one panel for each signal: the ROC curve of each detector, and its working points with 68 % intervals.

    A label has the same colour in all panels. At one working point the marks stand side by side.

    Args:
        curves: signal → its curves.
        notes: what was trained on which data.

    Raises:
        InputError: no signal, or a signal without curves.
    """
    for signal, members in curves.items():
        if not members:
            raise InputError(f"signal {signal!r} has no curve; give at least one, or leave the signal out")
    if not curves:
        raise InputError("curves are empty; give at least one signal")
    labels = list(dict.fromkeys(curve.label for members in curves.values() for curve in members))
    if any(curve.working_points for members in curves.values() for curve in members):
        notes = [*notes, "Error bars: 68 % confidence"]
    figure, panels = detection_panels(len(curves), labels, notes)
    for axes, (signal, members) in zip(panels, curves.items(), strict=True):
        lowest = min(_draw_curve(axes, curve, labels) for curve in members)
        supported = min(float(np.min(curve.false_positive_rate)) for curve in members)
        frame(axes, signal=signal, supported_rate=supported, lowest=lowest)
    return figure


def _draw_curve(axes: Axes, curve: DetectorCurve, labels: Sequence[str]) -> float:
    """Draw one curve, and return its smallest true-positive rate that is not zero."""
    across, up = np.asarray(curve.false_positive_rate, np.float64), np.asarray(curve.true_positive_rate, np.float64)
    index = labels.index(curve.label)
    seen = up > 0  # a logarithm shows no zero
    axes.plot(across[seen], up[seen], **line_style(index))
    shift = _APART ** (index - (len(labels) - 1) / 2)
    for point in curve.working_points:
        value = point.true_positive_rate
        errors = [[value - point.interval[0]], [point.interval[1] - value]]
        place = point.false_positive_rate * shift
        axes.errorbar(place, value, errors, color=line_style(index)["color"], marker="o", elinewidth=0.8, capsize=1.5)
    return float(np.min(up[seen], initial=1.0))
