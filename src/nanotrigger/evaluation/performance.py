"""Performance: the one figure by which a trained network, or its firmware, is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Quality(NamedTuple):
    """What a task judges by: the key in files and columns, such as `tpr`, and its name in words."""

    key: str
    title: str


@dataclass(frozen=True)
class Performance:
    """How well a network does its task.

    Attributes:
        quality: what it is judged by.
        value: 0 to 1, the more the better.
        interval: lower and upper bound, 68.27 %.
        circumstances: what the value holds for, such as ` at a false-positive rate of 1.0e-03`; may be empty.
        statement: a sentence with the places {value} and {events}, the number of events; if empty, it names the figure.
        method: how the interval was found; may be empty.
        parts: what the value is the mean of, by name; may be empty.
        areas: under ROC curves, by the same names.
    """

    quality: Quality
    value: float
    interval: tuple[float, float]
    circumstances: str = ""
    statement: str = ""
    method: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    areas: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name in files and columns."""
        return self.quality.key

    @property
    def title(self) -> str:
        """The name in words, without its circumstances."""
        return self.quality.title

    @property
    def name(self) -> str:
        """The name in words, with its circumstances."""
        return f"{self.title}{self.circumstances}"

    def stated(self, events: str) -> tuple[str, str]:
        """Return what stands before and after the value in a sentence about so many events.

        >>> Performance(Quality("accuracy", "Accuracy"), 0.7, (0.6, 0.8)).stated("1,000")
        ('Accuracy, of the firmware, emulated: ', '')
        """
        statement = self.statement or f"{self.name}, of the firmware, emulated: {{value}}"
        before, _, after = statement.replace("{events}", events).partition("{value}")
        return before, after


def described(figure: Performance | None) -> dict[str, Any]:
    """Return a performance ready for JSON; empty if there is none."""
    if figure is None:
        return {}
    lists = {f"{figure.key}_of": dict(figure.parts), "auc_of": dict(figure.areas)}
    parts = {name: values for name, values in lists.items() if values}
    return {figure.key: figure.value, f"{figure.key}_interval": list(figure.interval), **parts}
