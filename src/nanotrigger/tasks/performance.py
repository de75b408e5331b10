"""Performance: the one figure by which a trained network, or its firmware, is known."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.evaluation.classification import accuracy, accuracy_interval
from nanotrigger.evaluation.roc import area_under_curve
from nanotrigger.evaluation.working_point import supported_rate, working_point
from nanotrigger.tasks.anomaly.detector_scores import output_scores
from nanotrigger.training.checkpoint import TrainedNetwork

Array = NDArray[np.float64]

_JUDGED = ("reconstruction", "latent_means")  # outputs that have a score
FALSE_POSITIVE_RATE = 1e-3  # at which detectors are compared, if the background supports it


@dataclass(frozen=True)
class Performance:
    """How well a network does its task.

    Attributes:
        key: `accuracy` or `tpr`.
        name: of the figure, in words.
        value: 0 to 1.
        interval: lower and upper bound, 68.27 %.
        parts: what the figure is the mean of, by signal; empty for an accuracy.
        areas: under the ROC curve of each signal; empty for an accuracy.
    """

    key: str
    name: str
    value: float
    interval: tuple[float, float]
    parts: dict[str, float] = field(default_factory=dict)
    areas: dict[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name without its circumstances."""
        return self.name.partition(" at ")[0]


def performance(
    trained: TrainedNetwork,
    features: Array,
    outputs: Array,
    labels: NDArray[np.int64],
    *,
    class_names: tuple[str, ...],
) -> Performance | None:
    """Return accuracy, or the mean true-positive rate over all signals; None if there is nothing to judge by.

    Args:
        trained: network, for its task.
        features: standardized, shape (events, features).
        outputs: of the network or of its firmware, shape (events, outputs).
        labels: shape (events,), places in `class_names`.
        class_names: one for each label.
    """
    if trained.task == "JetTagging":
        value, interval = accuracy(outputs, labels), accuracy_interval(outputs, labels)
        return Performance("accuracy", "Accuracy", value, interval)
    if trained.network.output_name not in _JUDGED or len(class_names) < 2:
        return None
    scores = output_scores(features, outputs, trained.standardization, trained.settings)
    name, score = next(iter(scores.items()))
    return _of_detector(name, score, labels, class_names)


def _of_detector(name: str, score: Array, labels: NDArray[np.int64], class_names: tuple[str, ...]) -> Performance:
    background = score[labels == 0]
    rate = max(FALSE_POSITIVE_RATE, supported_rate(len(background)))
    of = {signal: score[labels == place] for place, signal in enumerate(class_names[1:], start=1)}
    points = {signal: working_point(background, values, rate) for signal, values in of.items()}
    found = [point.true_positive_rate for point in points.values()]
    mean = float(np.mean(found))
    low, high = (
        float(np.sqrt(np.sum([(point.true_positive_rate - point.interval[end]) ** 2 for point in points.values()])))
        / len(found)
        for end in (0, 1)
    )
    return Performance(
        "tpr",
        f"True-positive rate at a false-positive rate of {rate:.1e} by {name}, mean of {len(found)} signals",
        mean,
        (max(mean - low, 0.0), min(mean + high, 1.0)),
        dict(zip(points, found, strict=True)),
        {signal: area_under_curve(background, values) for signal, values in of.items()},
    )


def described(figure: Performance | None) -> dict[str, Any]:
    """Return a performance ready for JSON; empty if there is none."""
    if figure is None:
        return {}
    parts = {f"{figure.key}_of": figure.parts, "auc_of": figure.areas} if figure.parts else {}
    return {figure.key: figure.value, f"{figure.key}_interval": list(figure.interval), **parts}
