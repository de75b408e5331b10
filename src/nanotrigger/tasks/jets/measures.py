"""How well a network tags jets: accuracy, areas under ROC curves, and what shows them."""

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.split import Events
from nanotrigger.evaluation.classification import accuracy, accuracy_interval, classification_summary
from nanotrigger.evaluation.figures import Sample, confusion_figure, roc_curves
from nanotrigger.evaluation.figures.illustration import Illustration
from nanotrigger.evaluation.performance import Performance, Quality

Array = NDArray[np.float64]

ACCURACY = Quality("accuracy", "Accuracy")
MEANING = "logits: the largest names the class"


def accuracy_of(events: Events, logits: Array) -> Performance:
    """Return the share of events whose largest logit names their class, shape of the logits (events, classes)."""
    return Performance(
        ACCURACY,
        accuracy(logits, events.labels),
        accuracy_interval(logits, events.labels),
        statement="The firmware, emulated, classifies {value} of {events} events correctly",
        method="Clopper-Pearson",
    )


def classification_columns(events: Events, logits: Array) -> dict[str, float | None]:
    """Return cross-entropy, and the area under the ROC curve of each class against all others."""
    summary = classification_summary(logits, events.labels, class_names=events.class_names)
    areas = {f"auc_{name}": area for name, area in summary["auc"].items()}
    return {"cross_entropy": summary["cross_entropy"], **areas}


def same_class(expected: Array, logits: Array) -> dict[str, float]:
    """Return the share of events for which two sets of logits name the same class."""
    return {"argmax_agreement": float((expected.argmax(axis=1) == logits.argmax(axis=1)).mean())}


def illustrate_classes(events: Events, logits: Array, source: str) -> dict[str, Illustration]:
    """Return ROC curves and confusion matrix."""
    sample = Sample(source, size=len(events.labels), split="evaluation", unit="events")
    names = ", ".join(events.class_names)
    roc = roc_curves(logits, events.labels, class_names=events.class_names, sample=sample)
    confusion = confusion_figure(logits, events.labels, class_names=events.class_names, sample=sample)
    return {
        "roc": Illustration(
            roc,
            "ROC curves of each class against all others: background efficiency over signal efficiency, and the area "
            "under the curve (AUC).",
            f"ROC curves of the classes {names}, with their areas in the legend.",
        ),
        "confusion": Illustration(
            confusion,
            "Confusion matrix: the share of each true class that is put into each class, and the number of events.",
            f"Confusion matrix of the classes {names}, with numbers in the cells.",
        ),
    }
