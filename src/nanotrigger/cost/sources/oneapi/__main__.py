"""The report of any oneAPI project: `python -m nanotrigger.cost.sources.oneapi [record] PROJECT`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from nanotrigger.command import Parser, exit_code
from nanotrigger.cost.record import format_report
from nanotrigger.cost.sources.oneapi.project import read_project
from nanotrigger.cost.sources.oneapi.vendor_record import write_vendor_record


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the reports, the best source first; return the exit code: 0, or 2 for bad input."""
    return exit_code(lambda: _run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["record"]:
        given = _record_parser().parse(arguments[1:])
        print(f"written to {write_vendor_record(given.export, given.output, name=given.name)}")
        return
    reports = read_project(_parser().parse(arguments).project)
    print("\n\n".join(format_report(report) for report in reports))


def _parser() -> Parser:
    parser = Parser(
        prog="python -m nanotrigger.cost.sources.oneapi",
        description="Print what firmware costs, as its compiler says.\n"
        "With the word `record` before an export: keep it as a record with which the structural count is compared.",
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="folder in which the files of a report lie")
    return parser


def _record_parser() -> Parser:
    parser = Parser(
        prog="python -m nanotrigger.cost.sources.oneapi record",
        description="Keep network, target and the compiler's estimate of an export for benchmarks/vendor.py.",
    )
    parser.add_argument("export", type=Path, metavar="EXPORT", help="folder of an export whose report was built")
    parser.add_argument("--name", help="of the record and its files; by default the folder's")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/records"), help="folder of the records")
    return parser


if __name__ == "__main__":
    sys.exit(main())
