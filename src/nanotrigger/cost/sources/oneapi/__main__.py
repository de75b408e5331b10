"""The report of any oneAPI project: `python -m nanotrigger.cost.sources.oneapi PROJECT`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from nanotrigger.command import Parser, exit_code
from nanotrigger.cost.record import format_report
from nanotrigger.cost.sources.oneapi.project import read_project


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the reports, the best source first; return the exit code: 0, or 2 for bad input."""
    return exit_code(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    reports = read_project(_parser().parse(arguments).project)
    print("\n\n".join(format_report(report) for report in reports))


def _parser() -> Parser:
    parser = Parser(
        prog="python -m nanotrigger.cost.sources.oneapi", description="Print what firmware costs, as its compiler says."
    )
    parser.add_argument(
        "project", type=Path, metavar="PROJECT", help="oneAPI project, its build folder, or a .prj folder in that"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
