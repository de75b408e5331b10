"""export.py: its arguments; what exports is imported once they are right."""

import sys
from collections.abc import Sequence
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from nanotrigger.cli.configs import find_file
from nanotrigger.cli.wording import read_settings
from nanotrigger.command import exit_code, settings_parser
from nanotrigger.cost.sources import options, sources_asked
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target

_DESCRIPTION = """
Turn a checkpoint into QONNX and oneAPI firmware, and prove that they compute the same:

  python export.py ckpt=RUN/best.ckpt                          into RUN/export
  python export.py ckpt=RUN/best.ckpt output=DIR clock_period=4 reuse_factor=2
  python export.py ckpt=RUN/best.ckpt report=vendor            resources from Intel's compiler, if it is there
  python export.py ckpt=RUN/best.ckpt report=yosys             resources from open synthesis
  python export.py ckpt=RUN/best.ckpt part=encoder             of an autoencoder; radius=true adds squares of means
  python export.py ckpt=FLOAT_RUN/best.ckpt precision='fixed<12,5>'

or a QONNX file that others wrote:

  python export.py qonnx=FILE.onnx                             into FILE_export, judged by random and extreme inputs
  python export.py qonnx=FILE.onnx data=EVENTS.npz             by the inputs X of these events as well
  python export.py qonnx=FILE.onnx input='fixed<16,6>'         where no quantizer reads the inputs first
  python export.py qonnx=FILE.onnx approximate=true            what integers cannot compute exactly, with its distance
"""


def main() -> int:
    """Run `export.py` with `sys.argv` and return its exit code: 0, 1 if the firmware differs, 2 for bad input."""
    return exit_code(lambda: _run(sys.argv[1:]))


def _run(arguments: Sequence[str]) -> int:
    settings = read_settings(export_parser(), arguments)
    target = read_target(settings)
    sources_asked(settings.report)
    if (settings.ckpt is None) == (settings.qonnx is None):
        given = "both" if settings.ckpt else "neither"
        raise InputError(f"{given} of ckpt and qonnx: give ckpt=RUN/best.ckpt, or qonnx=FILE.onnx")
    if settings.qonnx is None and settings.input is not None:
        raise InputError(f"input={settings.input}: a checkpoint has its own input format; it is for qonnx=FILE")
    if settings.qonnx is None and settings.approximate:
        raise InputError("approximate=true: is for files that integers cannot compute exactly; it is for qonnx=FILE")
    from nanotrigger.cli.exporting import default_output, export_and_report, export_file_and_report  # takes seconds

    checkpoint = settings.ckpt and Path(find_file(settings.ckpt))
    if checkpoint != settings.ckpt and settings.output is None:
        settings.output = default_output(settings.ckpt)  # here rather than in the package
    shared = {"output": settings.output, "data": settings.data, "report": settings.report}
    if settings.qonnx is None:
        judgement = export_and_report(checkpoint, target, **shared).judgement
    else:
        shared |= {"input_format": settings.input, "approximate": settings.approximate}
        judgement = export_file_and_report(settings.qonnx, target, **shared).judgement
    return 0 if judgement.difference is None else 1


def export_parser() -> ArgumentParser:
    """Return the parser of export.py's arguments."""
    parser = settings_parser(_DESCRIPTION, "export")
    parser.add_argument("--ckpt", type=Path | None, default=None, help="best.ckpt or last.ckpt of a run")
    parser.add_argument("--qonnx", type=Path | None, default=None, help="QONNX file of whatever exporter")
    parser.add_argument(
        "--output", type=Path | None, default=None, help="folder (default: RUN/export, or NAME_export beside NAME.ckpt)"
    )
    parser.add_argument("--data", type=str | None, default=None, help="events to judge by, as data.source")
    parser.add_argument("--input", type=str | None, default=None, help="format of a file's inputs, such as fixed<16,6>")
    parser.add_argument(
        "--approximate", type=bool, default=False, help="export a file that integers cannot compute exactly as well"
    )
    parser.add_argument(
        "--report",
        type=str,
        default="structural",
        help=f"what to ask for the cost on the chip: {', '.join(options())}",
    )
    parser.add_class_arguments(Target, None, help="the firmware")
    return parser


def read_target(settings: Namespace) -> Target:
    """Return the firmware's target that parsed arguments describe."""
    return Target(**{name: settings[name] for name in Target.__dataclass_fields__})


if __name__ == "__main__":
    sys.exit(main())
