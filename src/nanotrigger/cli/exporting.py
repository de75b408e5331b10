"""The work of export.py: from a checkpoint to verified firmware, its cost and its datasheet."""

import sys
from pathlib import Path

from nanotrigger.cli.cost import check_tools, print_audit, report_cost
from nanotrigger.datasheet.compose import compose_datasheet
from nanotrigger.datasheet.page import write_datasheet
from nanotrigger.files import write_checksums
from nanotrigger.firmware.export import Export, export
from nanotrigger.firmware.target import Target

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
    result = export(checkpoint, output, target=target, data=data)
    print(_report(result))
    difference = result.judgement.difference
    if difference is None:
        reports = report_cost(result, report)
    else:
        print(f"error: {difference}", file=sys.stderr)
        reports = ()
    outputs = result.judgement.outputs
    sheet = compose_datasheet(
        output, result.trained, result.events, outputs, reports=reports, checkpoint=checkpoint, data=data
    )
    if difference is None and sheet.audits:
        print_audit(sheet.audits)
    print(f"datasheet     {write_datasheet(sheet, output)}")
    write_checksums(output)
    return result


def default_output(checkpoint: Path) -> Path:
    """Return `export` beside the best.ckpt or last.ckpt of a run, `NAME_export` beside another NAME.ckpt.

    >>> default_output(Path("run/best.ckpt")).as_posix(), default_output(Path("reference/jets_qat.ckpt")).as_posix()
    ('run/export', 'reference/jets_qat_export')
    """
    is_of_run = checkpoint.stem in ("best", "last")
    return checkpoint.parent / ("export" if is_of_run else f"{checkpoint.stem}_export")


def _report(result: Export) -> str:
    parity = result.judgement.parity
    lines = [
        f"events        {parity['inputs']['events']['description']}",
        f"extremes      {parity['inputs']['extremes']['samples']:,} saturating and extreme inputs",
        f"emulated with {parity['compiler']}",
    ]
    if parity["differing_words"] is None:
        lines.append(_agreement(result))
    else:
        *others, last = (_SPELLED.get(witness, witness) for witness in parity["differing_words_of"])
        lines.append(
            f"parity        {parity['differing_words']:,} of {parity['words']:,} output words differ between "
            f"{', '.join(others)} and {last}"
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
