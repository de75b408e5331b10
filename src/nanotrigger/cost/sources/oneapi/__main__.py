"""The report of any oneAPI project: `python -m nanotrigger.cost.sources.oneapi PROJECT`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from nanotrigger.cost.sources.oneapi.project import read_project
from nanotrigger.cost.table import format_report
from nanotrigger.errors import InputError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the reports, the best source first; return the exit code: 0, or 2 for bad input."""
    try:
        reports = read_project(_parser().parse_args(arguments).project)
    except (InputError, OSError) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    print("\n\n".join(format_report(report) for report in reports))
    return 0


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m nanotrigger.cost.sources.oneapi", description="Print what firmware costs, as its compiler says."
    )
    parser.add_argument(
        "project", type=Path, metavar="PROJECT", help="oneAPI project, its build folder, or a .prj folder in that"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
