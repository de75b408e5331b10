"""The work of export.py: from a checkpoint to verified firmware, its cost and its datasheet."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from nanotrigger.command import wide_console
from nanotrigger.cost.devices import labels_of
from nanotrigger.cost.record import add_reports, format_report, format_rows, read_reports, write_reports
from nanotrigger.cost.report import ResourceReport
from nanotrigger.cost.sources import sources_asked
from nanotrigger.cost.sources.source import Design, read_design
from nanotrigger.datasheet.compose import compose_datasheet, compose_file_datasheet
from nanotrigger.datasheet.page import write_datasheet
from nanotrigger.datasheet.provenance import provenance, write_provenance
from nanotrigger.datasheet.sheet import Datasheet
from nanotrigger.errors import InputError
from nanotrigger.files import write_checksums
from nanotrigger.firmware.approximate import Approximation, distance_in_words
from nanotrigger.firmware.audit import audit_table
from nanotrigger.firmware.export import Export, export
from nanotrigger.firmware.file_export import FileExport, export_file
from nanotrigger.firmware.record import read_record
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.vectors import read_vectors
from nanotrigger.numbers import FixedPoint
from nanotrigger.verilog.record import module_name
from nanotrigger.verilog.write import write_rtl

_SPELLED = {"qonnx": "QONNX"}  # witnesses of the proof


def export_and_report(
    checkpoint: Path, target: Target, *, output: Path | None = None, data: str | None = None, report: str = "structural"
) -> Export:
    """Export as export.py does, print what came of it, and return it.

    Args:
        checkpoint: best.ckpt or last.ckpt of a run.
        target: how the firmware is built.
        output: folder; by default `default_output`.
        data: source of the judged events; by default the training's own.
        report: the option of the sources of resources that are asked beside those of every export.

    Raises:
        InputError: a checkpoint, a file or a tool that is missing or cannot be used.
        FirmwareError: the firmware does not build or run.
    """
    output = output or default_output(checkpoint)
    check_tools(report)
    with _held(output):
        return _export_and_report(checkpoint, target, output, data, report)


@contextmanager
def _held(output: Path) -> Iterator[None]:
    """Keep other exports out of a folder, which gets its firmware first and its datasheet later."""
    if not output.parent.is_dir():
        yield
        return
    lock = output.with_name(f".{output.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
    except Timeout:
        raise InputError(
            f"output={output}: another export is writing there; wait for it, or give output=OTHER"
        ) from None


def export_file_and_report(
    file: Path,
    target: Target,
    *,
    output: Path | None = None,
    data: str | None = None,
    input_format: str | None = None,
    report: str = "structural",
    approximate: bool = False,
) -> FileExport | Approximation:
    """Export a QONNX file as export.py does, print what came of it, and return it.

    Args:
        file: of whatever exporter.
        target: how the firmware is built.
        output: folder; by default `NAME_export` beside NAME.onnx.
        data: file with the inputs of events; by default random ones.
        input_format: of inputs that no quantizer reads first.
        report: as of `export_and_report`.
        approximate: whether a file that cannot be computed exactly is exported with its distance from the firmware.

    Raises:
        InputError: a file or a tool that is missing or cannot be used, or a node that integers cannot compute exactly.
        FirmwareError: the firmware does not build or run.
    """
    output = output or default_output(file)
    check_tools(report)
    number = None if input_format is None else _parsed(input_format)
    with _held(output):
        events = None if data is None else Path(data)
        result = export_file(file, output, target=target, data=events, input_format=number, approximate=approximate)
        _tell(result, report, lambda reports: compose_file_datasheet(result, reports, data=data, number=number))
        return result


def _parsed(text: str) -> FixedPoint:
    try:
        return FixedPoint.parse(text)
    except InputError as error:
        raise InputError(f"input={error}") from None


def _export_and_report(checkpoint: Path, target: Target, output: Path, data: str | None, report: str) -> Export:
    result = export(checkpoint, output, target=target, data=data)
    outputs = result.judgement.outputs
    _tell(
        result,
        report,
        lambda reports: compose_datasheet(
            output, result.trained, result.events, outputs, reports=reports, checkpoint=checkpoint, data=data
        ),
    )
    return result


def _tell(
    result: Export | FileExport | Approximation, report: str, compose: Callable[[Sequence[ResourceReport]], Datasheet]
) -> None:
    """Print what came of an export; write its cost, its datasheet and its checksums."""
    print(_report(result))
    for remark in result.remarks:
        print(f"warning: {remark}")
    difference = result.judgement.difference
    if difference is None:
        reports = report_cost(result, report)
    else:
        print(f"error: {difference}", file=sys.stderr)
        reports = ()
    write_provenance(provenance(), result.folder)
    sheet = compose(reports)
    if difference is None and sheet.audits:
        wide_console().print(audit_table(sheet.audits))
        for warning in sheet.saturation:
            print(f"warning: {warning}")
        if sheet.trained_saturation:
            print(f"saturation    {sheet.trained_saturation}")
    print(f"datasheet     {write_datasheet(sheet, result.folder)}")
    write_checksums(result.folder)


def default_output(checkpoint: Path) -> Path:
    """Return `export` beside the best.ckpt or last.ckpt of a run, `NAME_export` beside another NAME.ckpt or NAME.onnx.

    >>> default_output(Path("run/best.ckpt")).as_posix(), default_output(Path("reference/jets_qat.ckpt")).as_posix()
    ('run/export', 'reference/jets_qat_export')
    """
    is_of_run = checkpoint.stem in ("best", "last")
    return checkpoint.parent / ("export" if is_of_run else f"{checkpoint.stem}_export")


def _report(result: Export | FileExport | Approximation) -> str:
    parity = result.judgement.parity
    lines = [
        f"events        {parity['inputs']['events']['description']}",
        f"extremes      {parity['inputs']['extremes']['samples']:,} saturating and extreme inputs",
        f"emulated with {parity['compiler']}",
    ]
    if isinstance(result, Approximation):
        lines[1] = f"distance      {distance_in_words(parity)}"
    elif isinstance(result, Export) and parity["differing_words"] is None:
        lines.append(_agreement(result))
    else:
        *others, last = (_SPELLED.get(witness, witness) for witness in parity["differing_words_of"])
        lines.append(
            f"parity        {parity['differing_words']:,} of {parity['words']:,} output words differ between "
            f"{', '.join(others)} and {last}"
        )
    if "accuracy_file" in parity:
        lines.append(
            f"accuracy      {parity['accuracy_file']:.4f} (file), {parity['accuracy_firmware']:.4f} (firmware)"
        )
    if "radius" in parity:
        lines.append(
            f"radius        {parity['radius']['differing_words']:,} of {parity['radius']['words']:,} words differ from "
            "the latent means' squares, added exactly"
        )
    if "softmax" in parity:
        lines.append(f"softmax       largest deviation {parity['softmax']['largest_deviation']:.3g}")
    lines += [f"written to    {result.folder}"]
    return "\n".join(lines)


def _agreement(result: Export) -> str:
    """Say in one line how well the firmware of a float network agrees with it."""
    parity, figure = result.judgement.parity, result.judgement.performance
    parts = [f"largest deviation {parity['largest_deviation']:.3g}"]
    if "argmax_agreement" in parity:
        parts.insert(0, f"same class for {100 * parity['argmax_agreement']:.2f} %")
    if figure is not None:
        torch, firmware = (parity[f"{figure.key}_{name}"] for name in ("torch", "firmware"))
        parts.insert(0, f"{figure.title.lower()} {torch:.4f} (torch), {firmware:.4f} (firmware)")
    return f"agreement     {'; '.join(parts)}"


def check_tools(report: str) -> None:
    """Check that the tools of a report are there, before any work is done.

    Raises:
        InputError: one is missing; says where it comes from.
    """
    for source in sources_asked(report):
        source.check_tools()


def report_cost(result: Export | FileExport | Approximation, report: str) -> tuple[ResourceReport, ...]:
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
    if isinstance(result, Approximation):
        design = Design(folder=result.folder, target=result.target, graph=None, refusal=result.refusal)
    else:
        design = read_design(result.folder, result.target, result.graph)
    if design.graph is not None:
        target = design.target
        write_rtl(
            design.verilog,
            design.folder / "rtl",
            name=module_name(read_record(design.project).name),
            clock_period=target.clock_period,
            registered_inputs=target.registered_inputs,
            exact=result.judgement.parity["differing_words"] == 0 or _gives_vectors(design),
        )
    _ask(design, report)
    reports = read_reports(design.folder)
    if reports:
        print(f"\n{format_report(reports[0])}")
    for counted in [counted for counted in reports if counted.rows][:1]:
        rows = format_rows(counted.rows, labels_of(counted.device))
        print(f"\nby part, from the {counted.source} ({counted.scope}):\n{rows}")
    for counted in [counted for counted in reports[1:] if counted.scope == "Verilog"][:1]:
        labels, used = labels_of(counted.device), counted.used
        cost = f"{used.aluts:,} {labels['aluts']} and {used.ffs:,} {labels['ffs']}"
        print(f"\nVerilog       {cost} in rtl/, by the {counted.source}")
    return reports


def _gives_vectors(design: Design) -> bool:
    """Return whether the Verilog's datapath gives the words of the firmware in tb_data/."""
    inputs, expected = read_vectors(design.folder / "tb_data")
    return np.array_equal(design.verilog.evaluate(inputs), expected)


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
