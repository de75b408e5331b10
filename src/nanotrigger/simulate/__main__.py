"""The command line of the simulation: `python -m nanotrigger.simulate {jets,events} --out FILE`."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nanotrigger.command import Parser, exit_code
from nanotrigger.errors import InputError
from nanotrigger.simulate.events import simulate_event_sample, write_event_sample
from nanotrigger.simulate.jets import simulate_sample, write_sample


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, 130 if interrupted."""
    if arguments is None:  # the process is this command's
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # batch systems end a job so; clean up too
    return exit_code(lambda: _run(arguments), interrupted="interrupted: nothing was written")


def _run(arguments: Sequence[str] | None) -> None:
    options = _parser().parse(arguments)
    options.run(options)


def _parser() -> Parser:
    parser = Parser(prog="python -m nanotrigger.simulate", description="Simulate events for triggers.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    jets = commands.add_parser("jets", help="jets of gluons, quarks, tops, Ws and Zs with 16 features")
    jets.add_argument("--n", type=int, default=50_000, help="number of jets (default: %(default)s)")
    jets.add_argument(
        "--constituents",
        type=int,
        default=0,
        metavar="N",
        help="also write the N hardest particles of each jet: pT/jet pT, Δη, Δφ (default: none)",
    )
    jets.add_argument(
        "--no-features",
        dest="features",
        action="store_false",
        help="write the particles alone, without the 16 features: half the file, in less time",
    )
    jets.set_defaults(run=_jets)
    events = commands.add_parser("events", help="collisions of ADC2021's background and signals, in its layout")
    events.add_argument("--background", type=int, default=24_000, help="number of events (default: %(default)s)")
    events.add_argument("--signal", type=int, default=1_500, help="number of events of each (default: %(default)s)")
    events.set_defaults(run=_events)
    for command in (jets, events):
        command.add_argument("--seed", type=int, default=1, help="0 or more (default: %(default)s)")
        command.add_argument("--out", type=Path, required=True, metavar="FILE", help="HDF5 file to write")
        command.add_argument(
            "--processes",
            type=int,
            default=os.cpu_count() or 1,
            help="how many run at once; the result does not depend on it (default: %(default)s)",
        )
    return parser


def _jets(options: argparse.Namespace) -> None:
    _check_writable(options.out)  # now rather than after minutes of simulation
    sample = simulate_sample(
        options.n,
        seed=options.seed,
        constituents=options.constituents,
        features=options.features,
        processes=options.processes,
    )
    write_sample(options.out, sample)
    print(f"{options.out}: {len(sample.labels)} jets")


def _events(options: argparse.Namespace) -> None:
    _check_writable(options.out)
    sample = simulate_event_sample(options.background, options.signal, seed=options.seed, processes=options.processes)
    write_event_sample(options.out, sample)
    counts = ", ".join(f"{name} {len(events)}" for name, events in sample.samples.items())
    print(f"{options.out}: {counts}")


def _check_writable(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file, such as {path / 'simulated.h5'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
