"""Compare anomaly detectors: python -m nanotrigger.tasks.anomaly.detectors RUN [RUN ...] output=DIR."""

import sys
from collections.abc import Sequence
from pathlib import Path

from nanotrigger.command import Parser, exit_code

_HELP = """
Compare the tests of several anomaly-detection runs, signal by signal, with principal components as the baseline:

  detectors      ROC curves of every run's scores, as PNG and PDF
  detectors.md   areas under them and true-positive rates with 68 % intervals
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 for bad input."""
    return exit_code(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    parser = Parser(
        prog="python -m nanotrigger.tasks.anomaly.detectors",
        description=_HELP,
        usage="%(prog)s RUN [RUN ...] output=DIR",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a run with test.json and roc.csv")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where to write, also output=DIR")
    options = parser.parse(arguments)
    from nanotrigger.tasks.anomaly.comparison import read_detectors, write_comparison  # takes seconds

    detectors = read_detectors(options.runs)
    for path in write_comparison(detectors, options.output):
        print(path)


if __name__ == "__main__":
    sys.exit(main())
