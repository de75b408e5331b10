"""Slim checkpoints, to keep or to send: python -m nanotrigger.training.slim RUN/best.ckpt FILE."""

import argparse
import sys
from pathlib import Path

import torch

from nanotrigger.errors import InputError
from nanotrigger.files import whole_file
from nanotrigger.training.checkpoint import load_trained, read_checkpoint
from nanotrigger.training.module import RECORD


def slim(path: Path, target: Path) -> None:
    """Write what `load_trained` needs of a checkpoint, without optimizer, callbacks and progress.

    Raises:
        InputError: as `load_trained`.
    """
    load_trained(path)
    checkpoint = read_checkpoint(path)
    keys = ("epoch", "state_dict", "pytorch-lightning_version", RECORD)
    with whole_file(target) as temporary:
        torch.save({key: checkpoint[key] for key in keys}, temporary)


def main() -> None:
    """Parse the command line and write; exit with 2 and one line on stderr if that fails."""
    parser = argparse.ArgumentParser(prog="python -m nanotrigger.training.slim", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="best.ckpt or last.ckpt of a run")
    parser.add_argument("target", type=Path, help="file to write")
    arguments = parser.parse_args()
    try:
        slim(arguments.checkpoint, arguments.target)
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
