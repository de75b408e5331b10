"""Key facts: what the head of a datasheet says, and what its reader should be warned of."""

from dataclasses import dataclass

from nanotrigger.cost.audit_table import saturation_warnings
from nanotrigger.datasheet.breakdown import TITLES
from nanotrigger.datasheet.numerals import count, number, percent, share
from nanotrigger.datasheet.sheet import Datasheet
from nanotrigger.networks.weights import total_sparsity


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
        Fact("Weights that are zero", percent(total_sparsity(sheet.weights), 1), f"network {sheet.widths}"),
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
    warnings += [f"Quantizer {line}." for line in saturation_warnings(sheet.audits)]
    return tuple(warnings)


def _performance(sheet: Datasheet) -> tuple[Fact, ...]:
    if sheet.performance is None:
        return ()
    lower, upper = sheet.performance.interval
    interval = f"{100 * lower:.2f} to {percent(upper)}, {count(sheet.judged_by.samples)} events"
    return (Fact(sheet.performance.title, percent(sheet.performance.value), interval),)


def _parity(sheet: Datasheet) -> Fact:
    parity = sheet.parity
    if parity["differing_words"] is None and "argmax_agreement" in parity:
        return Fact("Same class", percent(parity["argmax_agreement"]), "of events, from network and firmware")
    if parity["differing_words"] is None:
        return Fact("Largest deviation", number(parity["largest_deviation"]), "of an output, network and firmware")
    agreement = f"{len(parity['differing_words_of'])} witnesses agree" if sheet.is_proven else "the witnesses differ"
    return Fact("Differing output words", count(parity["differing_words"]), f"of {count(parity['words'])}; {agreement}")


def _costs(sheet: Datasheet) -> tuple[Fact, ...]:
    report = sheet.headline
    if report is None:
        return (Fact("Latency", "unknown", "no report"), Fact("ALUTs + FFs", "unknown", "no report"))
    latency = "unknown" if report.latency is None else f"{number(report.latency)} ns"
    interval = (
        "" if report.initiation_interval is None else f", a new input every {_cycles(report.initiation_interval)}"
    )
    cycles = "" if report.latency_cycles is None else f"{_cycles(report.latency_cycles)}{interval}; "
    used = f"{count(report.used.aluts)} ALUTs, {count(report.used.ffs)} FFs; {TITLES[report.source]}"
    return (
        Fact("Latency", latency, f"{cycles}{TITLES[report.source]}"),
        Fact("ALUT % + FF %", share(report.contest_figure), used),
    )


def _cycles(cycles: int) -> str:
    return "cycle" if cycles == 1 else f"{cycles:,} cycles"
