"""export.py: its arguments; what exports is imported once they are right."""

import sys
from collections.abc import Sequence
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from nanotrigger.cli.wording import read_settings
from nanotrigger.command import exit_code, settings_parser
from nanotrigger.cost.sources import options, sources_asked
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


def main() -> int:
    """Run `export.py` with `sys.argv` and return its exit code: 0, 1 if the firmware differs, 2 for bad input."""
    return exit_code(lambda: _run(sys.argv[1:]))


def _run(arguments: Sequence[str]) -> int:
    settings = read_settings(export_parser(), arguments)
    target = read_target(settings)
    sources_asked(settings.report)
    from nanotrigger.cli.exporting import export_and_report  # takes seconds

    result = export_and_report(
        settings.ckpt, target, output=settings.output, data=settings.data, report=settings.report
    )
    return 0 if result.judgement.difference is None else 1


def export_parser() -> ArgumentParser:
    """Return the parser of export.py's arguments."""
    parser = settings_parser(_DESCRIPTION)
    parser.add_argument("--ckpt", type=Path, required=True, help="best.ckpt or last.ckpt of a run")
    parser.add_argument(
        "--output", type=Path | None, default=None, help="folder (default: RUN/export, or NAME_export beside NAME.ckpt)"
    )
    parser.add_argument("--data", type=str | None, default=None, help="events to judge by, as data.source")
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
