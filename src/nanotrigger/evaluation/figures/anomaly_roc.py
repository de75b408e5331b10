"""ROC curves of anomaly scores, signal by signal, readable down to the trigger's false-positive rates."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nanotrigger.evaluation.auc import area_under_curve
from nanotrigger.evaluation.detection import Detection, check_detection
from nanotrigger.evaluation.figures.detection_panel import detection_panels, frame
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.style import drawn, line_style
from nanotrigger.evaluation.roc_points import roc_points
from nanotrigger.evaluation.working_point import supported_rate


@drawn
def detection_roc(
    scores: Mapping[str, ArrayLike], labels: ArrayLike, *, class_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each signal: a curve for each score, its area (AUC) in the panel's legend.

    A curve begins where the first background event passes. A vertical line marks the false-positive rate 1e-5.

    Args:
        scores: name of the score → values, larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        class_names: one for each class, the background first.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together.
    """
    detection = check_detection(scores, labels, class_names)
    sample.check_size(len(detection.labels))
    notes = [sample.source, sample.extent]
    figure, panels = detection_panels(len(detection.signals), list(detection.scores), notes)
    for axes, signal in zip(panels, detection.signals, strict=True):
        lowest = _draw_curves(axes, detection, signal)
        frame(axes, signal=signal, supported_rate=supported_rate(detection.background_events), lowest=lowest)
        if not axes.get_legend():
            axes.text(0.5, 0.7, f"no {signal} {sample.unit}", transform=axes.transAxes, ha="center")
    return figure


def _draw_curves(axes: Axes, detection: Detection, signal: str) -> float:
    """Draw the curve of each score, and return the smallest true-positive rate that is not zero."""
    if not (detection.labels == detection.class_names.index(signal)).any():
        return 1.0
    lowest = 1.0
    for index, score in enumerate(detection.scores):
        background, wanted = detection.background(score), detection.of_class(score, signal)
        false_positives, true_positives = roc_points(background, wanted)
        seen = true_positives > 0  # a logarithm shows no zero
        lowest = min(lowest, float(np.min(true_positives[seen])))
        area = f"{area_under_curve(background, wanted):.3f}"
        axes.plot(false_positives[seen], true_positives[seen], label=area, **line_style(index))
    axes.legend(loc="lower right", title="AUC", alignment="right", framealpha=1, frameon=True, edgecolor="none")
    return lowest
