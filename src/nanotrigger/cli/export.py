"""export.py: from a checkpoint to verified firmware."""

import sys
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentParser, Namespace

from nanotrigger.cli.arguments import dashed
from nanotrigger.cli.cost import check_tools, print_audit, report_cost
from nanotrigger.cli.errors import exit_with_one_line
from nanotrigger.cli.help import ExampleHelpFormatter
from nanotrigger.cost.sources import options
from nanotrigger.datasheet.compose import compose_datasheet
from nanotrigger.datasheet.page import write_datasheet
from nanotrigger.files import write_checksums
from nanotrigger.firmware.export import Export, export
from nanotrigger.firmware.target import Target

_DESCRIPTION = """
Turn a checkpoint into QONNX and oneAPI firmware, and prove that they compute the same:

  python export.py ckpt=RUN/best.ckpt                          into RUN/export
  python export.py ckpt=RUN/best.ckpt output=DIR clock_period=4 reuse_factor=2
  python export.py ckpt=RUN/best.ckpt report=vendor            resources from Intel's compiler, if it is there
  python export.py ckpt=RUN/best.ckpt report=yosys             resources from open synthesis
  python export.py ckpt=RUN/best.ckpt part=encoder             of an autoencoder; radius=true adds squares of means
  python export.py ckpt=FLOAT_RUN/best.ckpt precision='fixed<12,5>'
"""


def main() -> None:
    """Run `export.py` with `sys.argv`; exit with 0, 1 if the firmware differs, or 2 for bad input."""
    exit_with_one_line(_run)


def _run() -> int:
    parser = export_parser()
    settings = parser.parse_args(dashed(sys.argv[1:]))
    target = read_target(settings)
    output = settings.output or default_output(settings.ckpt)
    check_tools(settings.report)
    result = export(settings.ckpt, output, target=target, data=settings.data)
    print(_report(result))
    difference = result.judgement.difference
    if difference is None:
        reports = report_cost(result, settings.report)
    else:
        print(f"error: {difference}", file=sys.stderr)
        reports = ()
    logits = result.judgement.logits
    sheet = compose_datasheet(
        output, result.trained, result.events, logits, reports=reports, checkpoint=settings.ckpt, data=settings.data
    )
    if difference is None and sheet.audits:
        print_audit(sheet.audits)
    print(f"datasheet     {write_datasheet(sheet, output)}")
    write_checksums(output)
    return 0 if difference is None else 1


def export_parser() -> ArgumentParser:
    """Return the parser of export.py's arguments."""
    parser = ArgumentParser(
        description=_DESCRIPTION, formatter_class=ExampleHelpFormatter, exit_on_error=False, allow_abbrev=False
    )
    parser.add_argument("--ckpt", type=Path, required=True, help="best.ckpt or last.ckpt of a run")
    parser.add_argument(
        "--output", type=Path | None, default=None, help="folder (default: RUN/export, or NAME_export beside NAME.ckpt)"
    )
    parser.add_argument("--data", type=str | None, default=None, help="events to judge by, as data.source")
    report: Any = Literal[options()]  # the list of sources can be longer than what is known here
    parser.add_argument("--report", type=report, default="structural", help="what to ask for the cost on the chip")
    parser.add_class_arguments(Target, None, help="the firmware")
    return parser


def read_target(settings: Namespace) -> Target:
    """Return the firmware's target that parsed arguments describe."""
    return Target(**{name: settings[name] for name in Target.__dataclass_fields__})


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
        lines.append(
            f"parity        {parity['differing_words']:,} of {parity['words']:,} output words differ between "
            "torch, QONNX and firmware"
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
