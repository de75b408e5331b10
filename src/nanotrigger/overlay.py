"""Any runs or scans over each other: python -m nanotrigger.overlay FOLDER [FOLDER ...] [output=DIR]."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nanotrigger.command import Parser, exit_code
from nanotrigger.errors import InputError

_HELP = """
Draw runs, or scans, over each other, as PNG and PDF. Of scans, one or several:

  scan_KEY         for each key that a scan varies: quality and the five resources over its values, as counts and as
                   per cent of the device; scans of the same keys share the figure
  scan_bit_width   the same over the widths of formats, for scans of different tensors
  tradeoff         quality over ALUTs and over FFs of all points, with the Pareto front

Of the folders of runs, which train.py has written:

  overlay_history  loss and metrics of all runs, epoch by epoch
  overlay_weights  weights of all runs that have best.ckpt, layer by layer
  detectors        ROC curves of all scores, if all runs are tests of anomaly detectors; and detectors.md
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 for bad input."""
    return exit_code(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    options = _parse(arguments)
    scans = [folder for folder in options.folders if (folder / "study.json").is_file()]
    runs = [folder for folder in options.folders if folder not in scans]
    for path in _written(scans, runs, options.output):
        print(path)


def _written(scans: Sequence[Path], runs: Sequence[Path], output: Path) -> Iterator[Path]:
    """Write all figures, and yield the paths."""
    for folder in runs:
        if not (folder / "metrics.csv").is_file():
            raise InputError(f"{folder} has no study.json, as a scan, and no metrics.csv, as a run; name another")
    from nanotrigger.scan.draw import write_figures  # takes seconds
    from nanotrigger.scan.results import read_study
    from nanotrigger.tasks.overlay import write_overlay

    if scans:
        yield from write_figures([read_study(folder) for folder in scans], output)
    if runs:
        yield from write_overlay(runs, output)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m nanotrigger.overlay",
        description=_HELP,
        usage="%(prog)s FOLDER [FOLDER ...] [output=DIR]",
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="that a training or a scan has written")
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="where to write, also output=DIR; default: figures/ in the folder if there is only one",
    )
    options = parser.parse(arguments)
    if options.output is None and len(options.folders) > 1:
        raise InputError(f"output is missing for {len(options.folders)} folders; add output=DIR")
    if options.output == "":
        raise InputError("output is empty; name a folder: output=DIR")
    options.output = options.folders[0] / "figures" if options.output is None else Path(options.output)
    return options


if __name__ == "__main__":
    sys.exit(main())
