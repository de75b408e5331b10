"""Quality: the column of a study's results that says how well a network does its task."""

from collections.abc import Iterable, Mapping
from typing import Any

QUALITIES = {"accuracy": "Accuracy", "tpr": "True-positive rate"}  # column → in words


def quality_of(columns: Iterable[str]) -> str:
    """Return the column of the quality among a row's columns: of jet tagging, or of anomaly detection.

    >>> quality_of(["seed", "tpr", "aluts"]), quality_of({"accuracy": 0.7})
    ('tpr', 'accuracy')
    """
    return "tpr" if "tpr" in columns else "accuracy"


def lower_end(row: Mapping[str, Any]) -> float | None:
    """Return the lower end of the 68 % interval of a row's quality; None if it has none."""
    value: float | None = row.get(f"{quality_of(row)}_low")
    return value
