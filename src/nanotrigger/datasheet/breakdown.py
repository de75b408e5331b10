"""Breakdown: the parts of a resource report by layer, with bars against the device."""

import math
from dataclasses import dataclass

from nanotrigger.cost.report import NAMES, ResourceReport, ResourceRow, Resources, Source, total

LABELS = {"aluts": "ALUTs", "ffs": "FFs", "rams": "RAMs", "dsps": "DSPs", "mlabs": "MLABs"}

TITLES = {
    Source.QUARTUS_FIT: "Quartus fit",
    Source.EARLY_ESTIMATE: "oneAPI early estimate",
    Source.OPEN_SYNTHESIS: "Open synthesis",
    Source.STRUCTURAL_COUNT: "Structural count",
}

# What each source is good for. None is a measurement: no chip has run.
MEANINGS = {
    Source.QUARTUS_FIT: "The vendor's place and route for this part: what the firmware takes there.",
    Source.EARLY_ESTIMATE: "The vendor's compiler estimates before synthesis; place and route gives other numbers.",
    Source.OPEN_SYNTHESIS: "Estimate by open synthesis (Yosys), mapped to the cells of the family but not placed.",
    Source.STRUCTURAL_COUNT: "Estimate counted from the network's structure; no tool has synthesized anything.",
}


@dataclass(frozen=True)
class Part:
    """A layer of the firmware, or what surrounds the layers.

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


def parts_of(report: ResourceReport) -> tuple[Part, ...]:
    """Return the rows of a report by layer, in their order."""
    names = dict.fromkeys(row.name for row in report.rows)
    groups = ((name, [row for row in report.rows if row.name == name]) for name in names)
    parts = (Part(name, total(rows), tuple(row for row in rows if _is_used(row))) for name, rows in groups)
    return tuple(part for part in parts if part.kinds)


def bars(report: ResourceReport, name: str) -> Bars:
    """Return a scale on which the largest part of a report is visible: of the device, or of the part if unknown."""
    largest = max((getattr(part.used, name) or 0 for part in parts_of(report)), default=0) or 1
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
