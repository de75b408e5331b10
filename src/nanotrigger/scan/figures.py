"""The figures of studies: python -m nanotrigger.scan.figures STUDY [STUDY ...] [output=DIR]."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from nanotrigger.command import Parser, exit_code
from nanotrigger.errors import InputError

_HELP = """
Draw the figures of one study or several, as PNG and PDF:

  scan_KEY   for each key that a study scans: quality and the five resources over its values, the mean over the
             seeds with the smallest and the largest; studies that scan the same keys share the figure
  tradeoff   quality over ALUTs and over FFs of all points, with the Pareto front
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 for bad input."""
    return exit_code(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    options = _parse(arguments)
    from nanotrigger.scan.draw import write_figures  # takes seconds
    from nanotrigger.scan.results import read_study

    for path in write_figures([read_study(folder) for folder in options.studies], options.output):
        print(path)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m nanotrigger.scan.figures",
        description=_HELP,
        usage="%(prog)s STUDY [STUDY ...] [output=DIR]",
    )
    parser.add_argument("studies", nargs="+", type=Path, metavar="STUDY", help="folder that a scan has written")
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="where to write, also output=DIR; default: figures/ in the folder of the study if there is only one",
    )
    options = parser.parse(arguments)
    if options.output is None and len(options.studies) > 1:
        raise InputError(f"output is missing for {len(options.studies)} studies; add output=DIR")
    if options.output == "":
        raise InputError("output is empty; name a folder: output=DIR")
    options.output = options.studies[0] / "figures" if options.output is None else Path(options.output)
    return options


if __name__ == "__main__":
    sys.exit(main())
