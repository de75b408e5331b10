"""Breakdown: the rows of a resource report by layer, with bars against the device."""

import math
from dataclasses import dataclass

from nanotrigger.cost.report import NAMES, ResourceReport, ResourceRow, Resources, total


@dataclass(frozen=True)
class LayerCost:
    """What a layer of the firmware costs, or what surrounds the layers.

    Attributes:
        name: of the layer.
        used: by all of it.
        kinds: rows that are not empty.
    """

    name: str
    used: Resources
    kinds: tuple[ResourceRow, ...]


@dataclass(frozen=True)
class Bars:
    """The scale of the bars of one resource.

    Attributes:
        full: count that fills the whole bar.
        label: what a full bar stands for.
    """

    full: float
    label: str

    def percent(self, used: int | None) -> float:
        """Return how much of the bar is filled, 0 to 100."""
        return 100 * (used or 0) / self.full


def layer_costs(report: ResourceReport) -> tuple[LayerCost, ...]:
    """Return the rows of a report by layer, in their order."""
    names = dict.fromkeys(row.name for row in report.rows)
    groups = ((name, [row for row in report.rows if row.name == name]) for name in names)
    layers = (LayerCost(name, total(rows), tuple(row for row in rows if _is_used(row))) for name, rows in groups)
    return tuple(layer for layer in layers if layer.kinds)


def bars(report: ResourceReport, name: str) -> Bars:
    """Return a scale on which the largest layer is visible: of the device, or of that layer if unknown."""
    largest = max((getattr(layer.used, name) or 0 for layer in layer_costs(report)), default=0) or 1
    available = getattr(report.available, name, None)
    if not available:
        return Bars(largest, f"{largest:,}")
    ceiling = min(round_up(100 * largest / available), 100.0)
    return Bars(ceiling * available / 100, f"{ceiling:g}\N{NO-BREAK SPACE}% of the device")


def round_up(value: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten, for a positive value.

    >>> [round_up(value) for value in (0.03, 0.2, 1.2, 7)]
    [0.05, 0.2, 2.0, 10.0]
    """
    power = 10.0 ** math.floor(math.log10(value))
    return next(round(step * power, 12) for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def _is_used(row: ResourceRow) -> bool:
    return any(getattr(row, name) != 0 for name in NAMES)
