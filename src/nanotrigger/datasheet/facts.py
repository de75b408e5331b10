"""Facts: what the head of a datasheet says, its warnings, bars of cost, and how all of it prints numbers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nanotrigger.cost.contest import CONTEST_LABEL, contest_figure
from nanotrigger.cost.devices import labels_of
from nanotrigger.cost.record import with_error
from nanotrigger.cost.report import NAMES, ResourceReport, ResourceRow, Resources, total
from nanotrigger.cost.sources import source_named
from nanotrigger.datasheet.sheet import Datasheet
from nanotrigger.networks.weights import total_sparsity

UNKNOWN = "unknown"
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Fact:
    """A figure with its name, and where it comes from."""

    name: str
    value: str
    detail: str


def key_facts(sheet: Datasheet) -> tuple[Fact, ...]:
    """Return the figures by which a firmware is known."""
    return (
        _parity(sheet),
        *_performance(sheet),
        *_costs(sheet),
        *_sparsity(sheet),
    )


def warnings_of(sheet: Datasheet) -> tuple[str, ...]:
    """Return what a reader must not overlook, a sentence each."""
    warnings = []
    if sheet.parity["differing_words"]:
        warnings.append("The firmware does not compute what was trained: see the parity certificate.")
    if not sheet.reports:
        warnings.append("No source has said what this firmware costs; resources and latency are unknown.")
    elif sheet.headline is not None and sheet.headline.available is None:
        warnings.append(f"The resources of the device {sheet.headline.device} are not known; shares cannot be stated.")
    warnings += [f"{line}." for line in sheet.parity.get("remarks", ())]
    warnings += [f"Quantizer {line}." for line in sheet.saturation]
    return tuple(warnings)


def _performance(sheet: Datasheet) -> tuple[Fact, ...]:
    if sheet.performance is None:
        return ()
    lower, upper = sheet.performance.interval
    interval = f"{100 * lower:.2f} to {percent(upper)}, {count(sheet.judged_by.samples)} events"
    return (Fact(sheet.performance.title, percent(sheet.performance.value), interval),)


def _sparsity(sheet: Datasheet) -> tuple[Fact, ...]:
    if not sheet.weights:
        return ()
    return (Fact("Weights that are zero", percent(total_sparsity(sheet.weights), 1), f"network {sheet.widths}"),)


def _parity(sheet: Datasheet) -> Fact:
    parity = sheet.parity
    if "equal_words" in parity:
        detail = f"of the file's, {count(parity['compared_samples'])} events"
        return Fact("Equal output words", percent(parity["equal_words"]), detail)
    if parity["differing_words"] is None and "argmax_agreement" in parity:
        return Fact("Same class", percent(parity["argmax_agreement"]), "of events, from network and firmware")
    if parity["differing_words"] is None:
        return Fact("Largest deviation", number(parity["largest_deviation"]), "of an output, network and firmware")
    agreement = f"{len(parity['differing_words_of'])} witnesses agree" if sheet.is_proven else "the witnesses differ"
    return Fact("Differing output words", count(parity["differing_words"]), f"of {count(parity['words'])}; {agreement}")


def _costs(sheet: Datasheet) -> tuple[Fact, ...]:
    report = sheet.headline
    labels = labels_of(sheet.firmware.fpga_part if report is None else report.device)
    if report is None:
        return (
            Fact("Latency", "unknown", "no report"),
            Fact(f"{labels['aluts']} + {labels['ffs']}", "unknown", "no report"),
        )
    source = source_named(report.source)
    latency = "unknown" if report.latency is None else f"{number(report.latency)} ns"
    interval = (
        "" if report.initiation_interval is None else f", a new input every {_cycles(report.initiation_interval)}"
    )
    error = {name: with_error(report, name) for name in ("aluts", "ffs", "latency_cycles")}
    period = "" if report.clock is None else f" of {number(1000 / report.clock)} ns"
    cycles = ""
    if report.latency_cycles is not None:
        cycles = f"{_cycles(report.latency_cycles)}{error['latency_cycles']}{period}{interval}; "
    used = ", ".join(f"{count(getattr(report.used, name))}{error[name]} {labels[name]}" for name in ("aluts", "ffs"))
    return (
        Fact(f"Latency: {source.kind}, {source.latency_scope}", latency, f"{cycles}{source.title}"),
        Fact(
            f"{CONTEST_LABEL}: {source.kind}, {report.scope}",
            share(contest_figure(report)),
            f"of {report.device}: {used}; {source.title}",
        ),
    )


def _cycles(cycles: int) -> str:
    return "cycle" if cycles == 1 else f"{cycles:,} cycles"


def count(value: float | None) -> str:
    """Return a whole number with commas.

    >>> count(974_400), count(None)
    ('974,400', 'unknown')
    """
    return UNKNOWN if value is None else f"{value:,.0f}".replace("-", _MINUS)


def percent(fraction: float | None, digits: int = 2) -> str:
    """Return a fraction in percent.

    >>> percent(0.69638).split(), percent(None)  # a space at which no line breaks
    (['69.64', '%'], 'unknown')
    """
    return UNKNOWN if fraction is None else f"{100 * fraction:.{digits}f}\N{NO-BREAK SPACE}%"


def share(value: float | None) -> str:
    """Return a share that is in percent already, to three digits; what is small but not nothing says so.

    >>> [share(value).split()[0] for value in (1.0475, 0.0002, 0, None)]
    ['1.048', '<0.001', '0', 'unknown']
    """
    if value is None:
        return UNKNOWN
    text = "0" if value == 0 else "<0.001" if value < 0.001 else f"{value:.3f}"
    return f"{text}\N{NO-BREAK SPACE}%"


def number(value: float | None, digits: int = 4) -> str:
    """Return a number to some significant digits; zero has no sign.

    >>> number(-0.043786), number(31.9990234375, 6), number(-0.0)
    ('−0.04379', '31.999', '0')
    """
    return UNKNOWN if value is None else f"{value + 0.0:.{digits}g}".replace("-", _MINUS)


FILTERS: dict[str, Callable[..., Any]] = {
    "count": count,
    "percent": percent,
    "share": share,
    "number": number,
}


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
