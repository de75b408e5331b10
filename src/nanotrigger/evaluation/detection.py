"""Detection: anomaly scores beside the true classes, checked at the door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.predictions import check_class_names, check_labels


@dataclass(frozen=True, eq=False)
class Detection:
    """Scores of background (class 0) and signals (all other classes).

    Attributes:
        scores: name of the score → larger is more anomalous, shape (events,).
        labels: class indices, shape (events,).
        class_names: one for each class, the background first.
    """

    scores: Mapping[str, NDArray[np.float64]]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals, those without events included."""
        return self.class_names[1:]

    @property
    def background_events(self) -> int:
        """Number of background events, at least one."""
        return int(np.count_nonzero(self.labels == 0))

    def of_class(self, score: str, class_name: str) -> NDArray[np.float64]:
        """Return this score for the events of this class, shape (events of the class,)."""
        return self.scores[score][self.labels == self.class_names.index(class_name)]

    def background(self, score: str) -> NDArray[np.float64]:
        """Return this score for the background, shape (background events,)."""
        return self.of_class(score, self.class_names[0])


def check_detection(scores: Mapping[str, ArrayLike], labels: ArrayLike, class_names: Sequence[str]) -> Detection:
    """Return scores, labels and names together.

    Args:
        scores: name of the score → values, larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        class_names: one for each class, the background first.

    Raises:
        InputError: no score, no signal class, no background event, or shapes, labels or names do not fit together.
    """
    if not scores:
        raise InputError("scores are empty; give at least one, such as {'reconstruction error': values}")
    names = check_class_names(class_names, classes=len(class_names))
    if len(names) < 2:
        raise InputError(f"class names {names} hold no signal; give the background first, then the signals")
    values = {str(name): check_scores(column, name=name) for name, column in scores.items()}
    for name, column in values.items():
        if column.shape != np.shape(labels):
            raise InputError(
                f"score {name!r} has shape {column.shape}, labels {np.shape(labels)}; give one of each an event"
            )
    truth = check_labels(labels, events=len(next(iter(values.values()))), classes=len(names))
    if not (truth == 0).any():
        raise InputError(f"no event has label 0, the {names[0]}; a false-positive rate needs background")
    return Detection(values, truth, names)


def check_scores(scores: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return `scores` as float64, shape (events,), at least one, all finite.

    Raises:
        InputError: another shape, no events, or a score that is not finite.
    """
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not values.size:
        raise InputError(f"score {name!r} has shape {values.shape}; give (events,), one event or more")
    if broken := int(np.count_nonzero(~np.isfinite(values))):
        raise InputError(
            f"score {name!r} of {broken} of {len(values)} events is NaN or infinite; look for a diverged training"
        )
    return values
