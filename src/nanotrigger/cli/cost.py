"""State what an export costs on the chip: resources.json, the headline table and the quantizers on the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from nanotrigger.command import wide_console
from nanotrigger.cost.audit import QuantizerAudit
from nanotrigger.cost.audit_table import audit_table, saturation_warnings
from nanotrigger.cost.record import write_reports
from nanotrigger.cost.report import ResourceReport, best_first
from nanotrigger.cost.sources.oneapi.vendor import build_report, check_vendor_tools
from nanotrigger.cost.sources.structural import refusal, structural_report
from nanotrigger.cost.sources.yosys import LOG, synthesis_report, yosys_version
from nanotrigger.cost.table import format_report, format_rows
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.schedule import levels_per_stage
from nanotrigger.errors import InputError
from nanotrigger.firmware.export import Export
from nanotrigger.firmware.target import Target
from nanotrigger.graph.layers import IntegerNetwork
from nanotrigger.graph.read_layers import read_layers
from nanotrigger.graph.unroll import unroll
from nanotrigger.verilog.write import write_rtl

Report = Literal["structural", "yosys", "vendor"]


def check_tools(report: Report) -> None:
    """Check that the tools of a report are there, before any work is done.

    Raises:
        InputError: one is missing; says where it comes from.
    """
    if report == "vendor":
        check_vendor_tools()
    elif report == "yosys":
        yosys_version()


def report_cost(result: Export, report: Report) -> tuple[ResourceReport, ...]:
    """Count, synthesize or build as asked; write resources.json and rtl/; print the best report.

    What is at hand at once is on disk before a long build begins, so that an interrupted one loses nothing.

    Returns:
        the reports, the best source first.

    Raises:
        InputError: a tool is missing or its reports cannot be read.
        FirmwareError: a synthesis or a build failed.
    """
    reports: tuple[ResourceReport, ...] = ()
    write_reports(reports, result.folder)
    reason = refusal(result.target)
    if reason is None:
        reports, reason = _of_the_datapath(result, report)
    if reason is not None:
        print(f"resources     no structural count: {reason}")
    if report == "vendor":
        reports = best_first((*reports, *build_report(result.project)))
        write_reports(reports, result.folder)
    if reports:
        print(f"\n{format_report(reports[0])}")
    for counted in [counted for counted in reports if counted.rows][:1]:
        print(f"\nby part, from the {counted.source} ({counted.scope}):\n{format_rows(counted.rows)}")
    return reports


def _of_the_datapath(result: Export, report: Report) -> tuple[tuple[ResourceReport, ...], str | None]:
    """Return the structural count, with open synthesis before it if asked for, or why there is none."""
    model, target = result.folder / "model.onnx", result.target
    try:
        network = read_layers(model, target.precision)
    except InputError as error:
        return (), str(error)
    datapath = unroll(network)
    write_rtl(model, result.folder / "rtl", levels=levels_per_stage(target.clock_period), precision=target.precision)
    reports: tuple[ResourceReport, ...] = (structural_report(datapath, target),)
    write_reports(reports, result.folder)
    if report == "yosys":
        synthesized, counted = synthesize(datapath, network, target, result.folder)
        reports = best_first((synthesized, *reports, counted))
        write_reports(reports, result.folder)
    return reports, None


def synthesize(
    datapath: Datapath, network: IntegerNetwork, target: Target, folder: Path
) -> tuple[ResourceReport, ResourceReport]:
    """Return what Yosys makes of a network's datapath, with its log in a folder, and the structural count of the same.

    Raises:
        InputError: Yosys is not installed.
        FirmwareError: it failed.
    """
    synthesized = synthesis_report(datapath, network, target, log=folder / LOG)
    return synthesized, structural_report(datapath, target, scope="datapath")


def print_audit(audits: Sequence[QuantizerAudit]) -> None:
    """Print the audit of a network's quantizers, and a warning for each that saturates too often."""
    wide_console().print(audit_table(audits))
    for warning in saturation_warnings(audits):
        print(f"warning: {warning}")
