"""nanotrigger: every command of the package; `python -m nanotrigger` is the same."""

import sys
from importlib import import_module

from nanotrigger.cli.arguments import SUBCOMMANDS
from nanotrigger.command import did_you_mean, exit_code
from nanotrigger.errors import InputError

_COMMANDS = {
    "train": ("nanotrigger.cli.train", "train, validate or test a network"),
    "export": ("nanotrigger.cli.export", "turn a checkpoint or a QONNX file into firmware that is proven to be equal"),
    "scan": ("nanotrigger.cli.scan", "train, export and cost many networks"),
    "verify": ("nanotrigger.cli.verify", "check that a run is what was written, and proven"),
    "overlay": ("nanotrigger.overlay", "draw runs, or scans, over each other"),
    "fetch": ("nanotrigger.data.fetch", "download the public data sets"),
    "simulate": ("nanotrigger.simulate.__main__", "simulate jets and collisions"),
}


def main() -> int:
    """Run the command that `sys.argv` names, with the arguments behind it, and return its exit code."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        commands = "\n".join(f"  {command:10}{meaning}" for command, (_, meaning) in _COMMANDS.items())
        usage = f"usage: nanotrigger COMMAND ...\n\n{commands}\n\nnanotrigger COMMAND --help says more."
        return exit_code(lambda: print(usage))
    if name in SUBCOMMANDS:  # Lightning starts the other processes of a training so
        name, arguments = "train", [name, *arguments]
    if name not in _COMMANDS:
        return exit_code(lambda: _refuse(name))
    sys.argv[1:] = arguments
    return int(import_module(_COMMANDS[name][0]).main())


def _refuse(name: str) -> None:
    known = ", ".join(_COMMANDS)
    raise InputError(f"nanotrigger {name}: {did_you_mean(name, _COMMANDS)}the commands are {known}")
