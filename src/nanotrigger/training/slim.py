"""Slim checkpoints, to keep or to send: python -m nanotrigger.training.slim RUN/best.ckpt FILE."""

import sys
from collections.abc import Sequence
from pathlib import Path

from nanotrigger.command import Parser, exit_code
from nanotrigger.files import whole_file


def slim(path: Path, target: Path) -> None:
    """Write what `load_trained` needs of a checkpoint, without optimizer, callbacks and progress; the same, same bytes.

    Raises:
        InputError: as `load_trained`.
    """
    import torch  # with what reads a checkpoint it takes seconds to import: only once the arguments are right

    from nanotrigger.training.checkpoint import load_trained, read_checkpoint
    from nanotrigger.training.module import RECORD

    load_trained(path)
    checkpoint = read_checkpoint(path)
    keys = ("epoch", "state_dict", "pytorch-lightning_version", RECORD)
    with whole_file(target) as temporary, temporary.open("wb") as file:  # torch.save would write a path's name into it
        torch.save({key: checkpoint[key] for key in keys}, file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 for bad input."""
    return exit_code(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    parser = Parser(prog="python -m nanotrigger.training.slim", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="best.ckpt or last.ckpt of a run")
    parser.add_argument("target", type=Path, help="file to write")
    options = parser.parse(arguments)
    slim(options.checkpoint, options.target)


if __name__ == "__main__":
    sys.exit(main())
