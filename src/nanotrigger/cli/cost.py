"""State what an export costs on the chip: resources.json, the headline table and the quantizers on the terminal."""

from typing import Literal

import onnx
from rich.console import Console

from nanotrigger.errors import InputError
from nanotrigger.firmware.export import Export
from nanotrigger.resources.audit import audit
from nanotrigger.resources.audit_table import audit_table, saturation_warnings
from nanotrigger.resources.read_layers import read_layers
from nanotrigger.resources.record import write_reports
from nanotrigger.resources.report import ResourceReport, best_first
from nanotrigger.resources.structural import refusal, structural_report
from nanotrigger.resources.table import format_report, format_rows
from nanotrigger.resources.unroll import unroll
from nanotrigger.resources.vendor import build_report

Report = Literal["structural", "vendor"]


def report_cost(result: Export, report: Report) -> tuple[ResourceReport, ...]:
    """Count, build if asked to, write resources.json into the export and print the best report and the audit.

    Returns:
        the reports, the best source first.

    The count is on disk before a vendor build begins, so that an interrupted build loses nothing.

    Raises:
        InputError: the vendor's compiler is missing or its reports cannot be read.
        FirmwareError: the vendor's build failed.
    """
    reports = _counted(result)
    write_reports(reports, result.folder)
    if report == "vendor":
        reports = best_first((*reports, *build_report(result.folder / "hls")))
        write_reports(reports, result.folder)
    if reports:
        print(f"\n{format_report(reports[0])}")
        if reports[0].rows:
            print(f"\n{format_rows(reports[0].rows)}")
    if result.trained.network.formats:
        _print_audit(result)
    return reports


def _counted(result: Export) -> tuple[ResourceReport, ...]:
    """Return the structural count, or say why there is none."""
    reason = refusal(result.target)
    if reason is None:
        try:
            datapath = unroll(read_layers(result.folder / "model.onnx", result.target.precision))
            return (structural_report(datapath, result.target),)
        except InputError as error:
            reason = str(error)
    print(f"resources     not counted: {reason}")
    return ()


def _print_audit(result: Export) -> None:
    audits = audit(onnx.load(result.folder / "model.onnx"), result.events.features)
    console = Console(width=max(110, Console().width))
    console.print(audit_table(audits))
    for warning in saturation_warnings(audits):
        print(f"warning: {warning}")
