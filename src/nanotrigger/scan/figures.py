"""The figures of studies: python -m nanotrigger.scan.figures STUDY [STUDY ...] [output=DIR]."""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from nanotrigger.command import Parser, exit_code
from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import save_figure, scan_curves, tradeoff_figure
from nanotrigger.scan.curves import curves_along, notes_of, tradeoff_points
from nanotrigger.scan.results import Study, read_study

_HELP = """
Draw the figures of one study or several, as PNG and PDF:

  scan_KEY   for each key that a study scans: accuracy and the five resources over its values, the mean over the
             seeds with the smallest and the largest; studies that scan the same keys share the figure
  tradeoff   accuracy over ALUTs and over FFs of all points, with the Pareto front
"""


def write_figures(studies: Sequence[Study], folder: Path) -> tuple[Path, ...]:
    """Write all figures of these studies into a folder, and return the paths.

    Raises:
        InputError: there is nothing to draw.
    """
    figures = draw_figures(studies)
    return tuple(path for name, figure in figures.items() for path in save_figure(figure, folder / name))


def draw_figures(studies: Sequence[Study]) -> dict[str, Figure]:
    """Return name of the file, without suffix → figure.

    Raises:
        InputError: a study has no complete point, or there is nothing to scan and no resource is known.
    """
    for study in studies:
        if not study.complete:
            raise InputError(
                f"{study.folder}: none of {len(study.rows)} points is complete; see `error` in results.csv"
            )
    studies = _told_apart(studies)
    figures = {}
    for axis in {axis.keys: axis for study in studies for axis in study.scanned}.values():
        sharing = [study for study in studies if axis.keys in [other.keys for other in study.scanned]]
        curves = curves_along(axis.keys, sharing)
        figures[f"scan_{re.sub(r'[^A-Za-z0-9]+', '_', axis.name)}"] = scan_curves(
            curves, key=axis.name, notes=notes_of(sharing)
        )
    if points := tradeoff_points(studies):
        figures["tradeoff"] = tradeoff_figure(points, notes=notes_of(studies))
    if not figures:
        raise InputError(f"{studies[0].folder}: nothing is scanned and no resources are known; export the points")
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 for bad input."""
    return exit_code(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    options = _parse(arguments)
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


def _told_apart(studies: Sequence[Study]) -> list[Study]:
    """Return the studies, those of the same name with their folder behind it."""
    times = Counter(study.name for study in studies)
    return [
        replace(study, name=f"{study.name} ({study.folder})") if times[study.name] > 1 else study for study in studies
    ]


if __name__ == "__main__":
    sys.exit(main())
