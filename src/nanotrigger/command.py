"""Commands: the one way into each of them, with its arguments, its errors of one line and its exit codes."""

import argparse
import contextlib
import difflib
import gc
import io
import os
import re
import signal
import stat
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO

import jsonargparse
from rich.console import Console

from nanotrigger.errors import FirmwareError, InputError, TrainingError

_SCRIPTS = ("train", "export", "scan")
_GARBAGE = 50_000  # objects; Python looks for it after 700, a tenth of the time of a command
_WIDTH = 125  # columns that the widest table needs
ALIASES = {"seed": "seed_everything"}  # as the user types a key → as the parser knows it
TYPED = {known: typed for typed, known in ALIASES.items()}
_ARGUMENT_CHECKERS = ("lightning", "jsonargparse")  # what they raise on a value is the user's to mend


def exit_code(command: Callable[[], int | None], *, interrupted: str = "interrupted") -> int:
    """Run a command and return its exit code; what went wrong is one line on stderr.

    Bad input gives 2, firmware that does not build or run 1 and the tool's last lines, a training without what it was
    for 1, Ctrl-C 130, a training that is terminated 143. A defect of ours is raised. The work goes on when nobody reads
    what it prints, as in `… | head -1`.

    Args:
        command: returns its exit code, or None for 0.
        interrupted: what is said at Ctrl-C.
    """
    gc.set_threshold(_GARBAGE)
    os.environ["MPLBACKEND"] = "agg"  # figures go into files; that of a notebook, whose variable it is, is not there
    for name in ("stdout", "stderr"):
        setattr(sys, name, lasting(getattr(sys, name)))
    try:
        return command() or 0
    except (KeyboardInterrupt, SystemExit) as error:
        if _is_of_lightning(error, "SIGTERMException"):  # an exit without a code
            print("terminated", file=sys.stderr)
            return 128 + signal.SIGTERM
        if isinstance(error, SystemExit) and not isinstance(error.__context__, KeyboardInterrupt):
            raise
        print(interrupted, file=sys.stderr)  # Lightning turns Ctrl-C into sys.exit(1)
        return 128 + signal.SIGINT
    except (FirmwareError, TrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        message = one_line(error)
        if message is None:
            raise
        if _is_first_process():
            print("error: " + " ".join(message.split()), file=sys.stderr)
        return 2


def lasting(stream: TextIO) -> TextIO:
    """Return a stream that writes into a pipe while somebody reads it, and then nowhere; others as they are."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # python -u has no buffer between
    if not isinstance(raw, io.FileIO) or not stat.S_ISFIFO(os.fstat(raw.fileno()).st_mode):
        return stream
    stream.flush()
    pipe = io.BufferedWriter(_Pipe(raw.fileno(), "wb", closefd=False))
    is_flushed = raw is buffer or bool(stream.line_buffering)
    return io.TextIOWrapper(pipe, stream.encoding, stream.errors, line_buffering=is_flushed)


class _Pipe(io.FileIO):
    """A pipe that gives way to /dev/null when its other end is closed."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)


@contextlib.contextmanager
def as_input_error() -> Iterator[None]:
    """Raise the errors of input that come from within as `InputError` of one line."""
    try:
        yield
    except Exception as error:
        message = one_line(error)
        if message is None:
            raise
        raise InputError(message) from error


def input_error(error: BaseException) -> InputError | None:
    """Return the InputError among the causes of an error, if there is one."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, InputError):
        cause = cause.__cause__ or cause.__context__
    return cause


def one_line(error: BaseException) -> str | None:
    """Return what to tell the user if the error is one of input or of the machine; None if it is a defect of ours.

    An InputError anywhere among the causes speaks for itself.
    """
    of_input = input_error(error)
    if of_input is not None:
        return str(of_input)
    if isinstance(error, jsonargparse.ArgumentError):
        return str(error)
    if isinstance(error, UnicodeDecodeError) and _raised_by(error) == "codecs":
        return f"a configuration is no text ({error}); save it as UTF-8"
    if isinstance(error, OSError) and re.fullmatch(r"\d+ requested and \d+ written", str(error)):
        return f"a file could not be written whole ({error}, says NumPy); is the disk full?"
    if isinstance(error, OSError) or _is_of_lightning(error, "MisconfigurationException"):
        return str(error)  # no space, no permission, no such device
    if isinstance(error, ValueError | TypeError | ZeroDivisionError) and _raised_by(error) in _ARGUMENT_CHECKERS:
        return " ".join(str(error).split())[:400]
    return None


def _is_of_lightning(error: BaseException, name: str) -> bool:
    """Return whether an error is of a class of Lightning, which takes seconds to import: recognize it by name."""
    return any(kind.__name__ == name and kind.__module__.startswith("lightning.") for kind in type(error).__mro__)


def _is_first_process() -> bool:
    """Return whether this is the only process, or the first, of those that train together.

    What a batch system's variables say of it, such as SLURM_PROCID, does not count: it may be alone all the same.
    """
    distributed = sys.modules.get("torch.distributed")
    is_one_of_several = distributed is not None and distributed.is_available() and distributed.is_initialized()
    return not is_one_of_several or distributed.get_rank() == 0  # type: ignore[union-attr]


def _raised_by(error: BaseException) -> str:
    """Return the top-level package of the code that raised an error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__", "")).partition(".")[0] if frames else ""


class Parser(argparse.ArgumentParser):
    """A parser of options, which raises InputError instead of printing its usage, and keeps its description's lines."""

    def __init__(self, **settings: Any) -> None:
        layout = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
        super().__init__(**{**layout, **settings})

    def error(self, message: str) -> NoReturn:
        """Raise InputError."""
        raise InputError(f"{message} (see {self.prog} --help)")

    def parse(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """Return the options among some arguments, or those of the process, in any order; also `key=value`.

        Raises:
            InputError: one is wrong or missing.
        """
        words = sys.argv[1:] if arguments is None else arguments
        pairs = tuple(f"{option.removeprefix('--')}=" for option in self._option_string_actions)
        words = [f"--{word}" if word.startswith(pairs) else word for word in words]
        return self.parse_args(words) if self._subparsers else self.parse_intermixed_args(words)


class _ExampleHelpFormatter(argparse.RawDescriptionHelpFormatter, jsonargparse.DefaultHelpFormatter):
    """jsonargparse's formatter, for descriptions that hold example commands."""


PARSER_SETTINGS: Mapping[str, Any] = {
    "formatter_class": _ExampleHelpFormatter,
    "exit_on_error": False,
    "allow_abbrev": False,
}
"""With which every parser of typed keys is made, Lightning's too."""


def typed_as(name: str) -> str:
    """Return how `train`, `export` or `scan` is called: as a script if this process is one, else `nanotrigger NAME`.

    >>> typed_as("export")
    'nanotrigger export'
    """
    script = Path(sys.argv[0])
    is_script = script.suffix == ".py" and script.stem in _SCRIPTS and script.parent.name != "cli"  # python -m
    return f"python {name}.py" if is_script else f"nanotrigger {name}"


def settings_parser(description: str, name: str = "") -> jsonargparse.ArgumentParser:
    """Return a parser of typed keys, which raises `jsonargparse.ArgumentError`.

    Args:
        description: with examples, which are shown as this process is called.
        name: of the command.
    """
    for script in _SCRIPTS:
        description = description.replace(f"python {script}.py", typed_as(script))
    prog = typed_as(name).removeprefix("python ") if name else None
    return jsonargparse.ArgumentParser(prog=prog, description=description, **PARSER_SETTINGS)


def did_you_mean(key: str, known: Iterable[str], prefix: str = "") -> str:
    """Return a question that names the known key which is spelled most like this one; nothing if none is.

    >>> did_you_mean("clok_period", ["ckpt", "clock_period"])
    'did you mean clock_period? '
    """
    found = difflib.get_close_matches(key, list(known), n=1)
    return f"did you mean {prefix}{found[0]}? " if found else ""


def dashed(arguments: Sequence[str], aliases: Mapping[str, str] | None = None) -> list[str]:
    """Return the arguments with every `key=value` as `--key=value`; others stay.

    Args:
        arguments: of a command line.
        aliases: what keys stand for.

    >>> dashed(["seed=3", "trainer.max_epochs=2", "--help"], {"seed": "seed_everything"})
    ['--seed_everything=3', '--trainer.max_epochs=2', '--help']
    """
    names = aliases or {}
    result = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        is_pair = bool(equals) and re.fullmatch(r"[A-Za-z_][\w.]*", key)
        result.append(f"--{names.get(key, key)}={value}" if is_pair else argument)
    return result


def wide_console() -> Console:
    """Return the terminal, taken to be wide enough for the tables: a file or a pipe has 80 columns by default."""
    return Console(width=max(_WIDTH, Console().width), markup=False, emoji=False)  # names may hold brackets


def import_from_here() -> None:
    """Let modules in the current folder be imported, after all others."""
    here = str(Path.cwd())
    if not {"", here} & set(sys.path):
        sys.path.append(here)
