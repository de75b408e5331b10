"""Turn an error into one line on stderr and an exit code."""

import contextlib
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import NoReturn

from jsonargparse import ArgumentError
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import SIGTERMException

from nanotrigger.errors import FirmwareError, InputError

_ARGUMENT_CHECKERS = ("lightning", "jsonargparse")  # what they raise on a value is the user's to mend


def exit_with_one_line(command: Callable[[], int | None]) -> NoReturn:
    """Run a command and exit with its code.

    Bad input gives 2 and one line on stderr, firmware that does not build or run 1 and the tool's last lines,
    Ctrl-C 130, a training that is terminated 143.
    """
    try:
        code = command() or 0
    except SIGTERMException:  # of Lightning, as an exit without a code
        print("terminated", file=sys.stderr)
        code = 128 + signal.SIGTERM
    except (KeyboardInterrupt, SystemExit) as error:
        if isinstance(error, SystemExit) and not isinstance(error.__context__, KeyboardInterrupt):
            raise
        print("interrupted", file=sys.stderr)  # Lightning turns Ctrl-C into sys.exit(1)
        code = 130
    except FirmwareError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 1
    except Exception as error:
        message = one_line(error)
        if message is None:
            raise
        if rank_zero_only.rank == 0:  # the processes of a multi-device run all come here
            print("error: " + " ".join(message.split()), file=sys.stderr)
        code = 2
    sys.exit(code)


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


def one_line(error: BaseException) -> str | None:
    """Return what to tell the user if the error is one of input or of the machine; None if it is a defect of ours.

    An InputError anywhere among the causes speaks for itself; of jsonargparse's tree of reasons, the key, the reason
    and the value remain.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, ArgumentError):
        return _summary(str(error))
    if isinstance(error, UnicodeDecodeError) and _raised_by(error) == "codecs":
        return f"a configuration is no text ({error}); save it as UTF-8"
    if isinstance(error, OSError) and re.fullmatch(r"\d+ requested and \d+ written", str(error)):
        return f"a file could not be written whole ({error}, says NumPy); is the disk full?"
    if isinstance(error, OSError | MisconfigurationException):  # no space, no permission, no such device
        return str(error)
    if isinstance(error, ValueError | TypeError | ZeroDivisionError) and _raised_by(error) in _ARGUMENT_CHECKERS:
        return _summary(str(error))
    return None


def _raised_by(error: BaseException) -> str:
    """Return the top-level package of the code that raised an error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__", "")).partition(".")[0] if frames else ""


def _summary(message: str) -> str:
    message = re.sub(r"NestedArg\(key='[\w.]+', val='(.*?)'\)", r"\1", message)
    key = ".".join(dict.fromkeys(re.findall(r'[Pp]arser key "([\w.]+)"', message)))  # once for each type it may have
    unknown = re.search(r"unrecognized arguments: (.*)|Option '([\w.]+)' is not accepted", message)
    if unknown and unknown[1]:
        return f"unknown: {unknown[1]}; --print_config shows all keys"
    if unknown:
        return f"unknown key {key and key + '.'}{unknown[2]}; --print_config shows all keys"
    lines = [line.strip(" -") for line in message.splitlines()]
    expected = [line.partition(". Got value")[0] for line in lines if line.startswith("Expected a")]
    reasons = dict.fromkeys(line for line in expected if "NoneType" not in line)
    of_list = [line for line in lines if re.match("u?fixed<", line)]  # FixedPoint's own words, not among the causes
    if of_list:
        return of_list[0]
    values = [line for line in lines if line.startswith("Given value:")]
    strangers = re.findall(r"Not a valid subclass of (\w+)(?:\. Got value: (.*))?", message)
    if key and strangers and not reasons:
        kind, value = strangers[-1]
        return f"{key}: {value or ''.join(values[:1]).removeprefix('Given value: ')} is no {kind}"[:400]
    if key and reasons:
        return f"{key}: {' or '.join(reasons)}. {values[0] if values else ''}".strip()
    return " ".join(message.split())[:400]
