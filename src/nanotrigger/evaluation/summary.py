"""The record of a classifier's performance, in plain primitives ready for JSON."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanotrigger.evaluation.metrics import (
    accuracy,
    accuracy_interval,
    confusion_matrix,
    cross_entropy,
    row_normalized,
)
from nanotrigger.evaluation.predictions import check_class_names, check_predictions
from nanotrigger.evaluation.roc import RocCurve, one_against_all_roc, pairwise_roc


def classification_summary(logits: ArrayLike, labels: ArrayLike, *, class_names: Sequence[str]) -> dict[str, Any]:
    """Return what a test of a classifier found; undefined numbers, those of an absent class, are None.

    Args:
        logits: shape (events, classes), finite; of a network that ends in a softmax, the logarithms.
        labels: class indices, shape (events,).
        class_names: one for each class.

    Returns:
        `samples`: number of events.
        `class_names`: the classes, in the order of the confusion matrix.
        `accuracy`, and `accuracy_interval`: Clopper-Pearson at 68.27 %, [lower, upper].
        `cross_entropy`: in nats.
        `auc`: class → area under the ROC curve of that class against all others.
        `auc_pairwise`: class → other class → area for these two alone; symmetric.
        `confusion_matrix`: `counts` and `row_normalized`, row = true class, column = predicted class.

    Raises:
        InputError: shapes, labels or names do not fit together, or a logit is not finite.
    """
    scores, truth = check_predictions(logits, labels)
    names = check_class_names(class_names, classes=scores.shape[1])
    counts = confusion_matrix(scores, truth)
    return {
        "samples": len(truth),
        "class_names": list(names),
        "accuracy": accuracy(scores, truth),
        "accuracy_interval": list(accuracy_interval(scores, truth)),
        "cross_entropy": cross_entropy(scores, truth),
        "auc": {name: _area(one_against_all_roc(scores, truth, signal=index)) for index, name in enumerate(names)},
        "auc_pairwise": _pairwise_areas(scores, truth, names),
        "confusion_matrix": {
            "counts": counts.tolist(),
            "row_normalized": [_defined(row) for row in row_normalized(counts)],
        },
    }


def _pairwise_areas(
    logits: NDArray[np.float64], labels: NDArray[np.int64], names: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    areas: dict[str, dict[str, float | None]] = {name: {} for name in names}
    for signal, background in combinations(range(len(names)), 2):
        area = _area(pairwise_roc(logits, labels, signal=signal, background=background))
        areas[names[signal]][names[background]] = areas[names[background]][names[signal]] = area
    return areas


def _area(curve: RocCurve | None) -> float | None:
    return None if curve is None else curve.auc


def _defined(row: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in row]
