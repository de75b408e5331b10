"""Predictions and scores beside the true classes, checked at the door."""

from collections.abc import Sequence

import numpy as np
import scipy.special
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError


def check_predictions(logits: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the two as float64 of shape (events, classes) and int64 of shape (events,).

    Args:
        logits: outputs of the network before the softmax, shape (events, classes), finite. Natural
            logarithms of non-zero probabilities also serve: their softmax gives the probabilities back.
        labels: true class of each event, integers in [0, classes), shape (events,).

    Raises:
        InputError: the shapes do not match, there are no events, or a value is not allowed.
    """
    scores = np.asarray(logits, np.float64)
    if scores.ndim != 2 or scores.shape[1] < 2 or len(scores) == 0:
        raise InputError(f"logits have shape {scores.shape}; give (events, classes), two classes or more")
    if broken := int(np.count_nonzero(~np.isfinite(scores).all(axis=1))):
        raise InputError(
            f"logits of {broken} of {len(scores)} events are NaN or infinite; "
            "look for a diverged training, or clip probabilities before the logarithm"
        )
    return scores, check_labels(labels, events=len(scores), classes=scores.shape[1])


def check_labels(labels: ArrayLike, *, events: int, classes: int) -> NDArray[np.int64]:
    """Return `labels` as int64, shape (events,), each in [0, classes).

    Raises:
        InputError: another shape, another type (one-hot or floating point) or a label out of range.
    """
    truth = np.asarray(labels)
    if truth.shape != (events,) or not np.issubdtype(truth.dtype, np.integer):
        raise InputError(
            f"labels are {truth.dtype} of shape {truth.shape}; give {events} integers, the class index of each event"
        )
    if truth.size and not (truth.min() >= 0 and truth.max() < classes):
        raise InputError(
            f"labels run from {truth.min()} to {truth.max()}, but there are {classes} classes; "
            f"give class indices 0 to {classes - 1}"
        )
    return truth.astype(np.int64)


def check_class_names(class_names: Sequence[str], *, classes: int) -> tuple[str, ...]:
    """Return the names as a tuple of `classes` different strings.

    Raises:
        InputError: too few, too many or repeated names.
    """
    names = tuple(str(name) for name in class_names)
    if len(names) != classes or len(set(names)) != classes:
        raise InputError(f"class names {names}: give {classes} different names, one for each class")
    return names


def class_probabilities(logits: ArrayLike) -> NDArray[np.float64]:
    """Return the softmax of `logits`, shape (events, classes) as given; each row sums to one.

    >>> class_probabilities([[0.0, np.log(3.0)]]).round(6)
    array([[0.25, 0.75]])
    """
    return np.asarray(scipy.special.softmax(np.asarray(logits, np.float64), axis=1))


def predicted_classes(logits: ArrayLike) -> NDArray[np.int64]:
    """Return the class with the largest logit, shape (events,).

    Equal logits, which quantized outputs do produce, go to the lowest class index.

    >>> predicted_classes([[0.25, 1.0, 1.0], [0.5, 0.0, 0.25]])
    array([1, 0])
    """
    return np.argmax(np.asarray(logits), axis=1)


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
