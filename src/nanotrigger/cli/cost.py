"""State what an export costs on the chip: resources.json, the headline table and the quantizers on the terminal."""

from collections.abc import Sequence

from nanotrigger.command import wide_console
from nanotrigger.cost.audit import QuantizerAudit, audit_table, saturation_warnings
from nanotrigger.cost.design import Design, read_design
from nanotrigger.cost.devices import labels_of
from nanotrigger.cost.record import add_reports, read_reports, write_reports
from nanotrigger.cost.report import ResourceReport
from nanotrigger.cost.sources import sources_asked
from nanotrigger.cost.table import format_report, format_rows
from nanotrigger.datapath.schedule import levels_per_stage
from nanotrigger.firmware.export import Export
from nanotrigger.verilog.write import write_rtl


def check_tools(report: str) -> None:
    """Check that the tools of a report are there, before any work is done.

    Raises:
        InputError: one is missing; says where it comes from.
    """
    for source in sources_asked(report):
        source.check_tools()


def report_cost(result: Export, report: str) -> tuple[ResourceReport, ...]:
    """Ask the sources; write resources.json and rtl/; print the best report.

    What is at hand at once is on disk before a long build begins, so that an interrupted one loses nothing.

    Args:
        result: of `export`.
        report: the option of the sources that are asked beside those of every export.

    Returns:
        the reports, the best source first.

    Raises:
        InputError: a tool is missing or its reports cannot be read.
        FirmwareError: a synthesis or a build failed.
    """
    design = read_design(result.folder, result.target, result.graph)
    if design.graph is not None:
        write_rtl(design.datapath, design.folder / "rtl", levels=levels_per_stage(design.target.clock_period))
    _ask(design, report)
    reports = read_reports(design.folder)
    if reports:
        print(f"\n{format_report(reports[0])}")
    for counted in [counted for counted in reports if counted.rows][:1]:
        rows = format_rows(counted.rows, labels_of(counted.device))
        print(f"\nby part, from the {counted.source} ({counted.scope}):\n{rows}")
    return reports


def _ask(design: Design, report: str) -> None:
    """Write the reports of the sources as they come; print why one has none, unless another said the same."""
    write_reports((), design.folder)
    said: set[str] = set()
    for source in sources_asked(report):
        reason = source.refusal(design)
        if reason is None:
            add_reports(source.reports(design), design.folder)
        elif reason not in said:
            print(f"resources     no {source.name}: {reason}")
            said.add(reason)


def print_audit(audits: Sequence[QuantizerAudit]) -> None:
    """Print the audit of a network's quantizers, and a warning for each that saturates too often."""
    wide_console().print(audit_table(audits))
    for warning in saturation_warnings(audits):
        print(f"warning: {warning}")
