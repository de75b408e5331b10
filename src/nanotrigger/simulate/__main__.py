"""The command line of the simulation: `python -m nanotrigger.simulate jets --n 50000 --out jets.h5`."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from nanotrigger.errors import InputError
from nanotrigger.simulate.sample import simulate_sample, write_sample


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, 130 if interrupted."""
    try:
        options = _parser().parse_args(arguments)
        options.run(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    return 0


def _parser() -> _Parser:
    parser = _Parser(prog="python -m nanotrigger.simulate", description="Simulate events for triggers.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    jets = commands.add_parser("jets", help="jets of gluons, quarks, tops, Ws and Zs with 16 features")
    jets.add_argument("--n", type=int, default=50_000, help="number of jets (default: %(default)s)")
    jets.add_argument("--seed", type=int, default=1, help="0 or more (default: %(default)s)")
    jets.add_argument("--out", type=Path, required=True, metavar="FILE", help="HDF5 file to write")
    jets.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="how many run at once; the jets do not depend on it (default: %(default)s)",
    )
    jets.set_defaults(run=_jets)
    return parser


def _jets(options: argparse.Namespace) -> None:
    _check_writable(options.out)  # now rather than after minutes of simulation
    sample = simulate_sample(options.n, seed=options.seed, processes=options.processes)
    write_sample(options.out, sample)
    print(f"{options.out}: {len(sample.labels)} jets")


def _check_writable(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file, such as {path / 'jets.h5'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # batch systems end a job so; clean up too
    sys.exit(main())
