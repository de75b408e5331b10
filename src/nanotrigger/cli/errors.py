"""Turn an error into one line on stderr and an exit code."""

import re
import sys
from collections.abc import Callable
from typing import NoReturn

from jsonargparse import ArgumentError

from nanotrigger.errors import InputError


def exit_with_one_line(command: Callable[[], int | None]) -> NoReturn:
    """Run a command and exit with its code: 2 with one line on stderr for bad input, 130 for Ctrl-C."""
    try:
        code = command() or 0
    except InputError as error:
        code = _report(str(error))
    except ArgumentError as error:
        code = _report(summarize(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    except OSError as error:  # no space, no permission: the system's own words name the file
        code = _report(str(error))
    sys.exit(code)


def summarize(error: ArgumentError) -> str:
    """Return jsonargparse's tree of reasons as one line: the key, the reason and the value.

    An InputError among the causes speaks for itself.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    message = str(error)
    key = ".".join(re.findall(r'[Pp]arser key "([\w.]+)"', message))
    unknown = re.search(r"unrecognized arguments: (.*)|Option '([\w.]+)' is not accepted", message)
    if unknown and unknown[1]:
        return f"unknown: {unknown[1]}; --print_config shows all keys"
    if unknown:
        return f"unknown key {key and key + '.'}{unknown[2]}; --print_config shows all keys"
    lines = [line.strip(" -") for line in message.splitlines()]
    reasons = [line for line in lines if line.startswith("Expected a") and "NoneType" not in line]
    values = [line for line in lines if line.startswith("Given value:")]
    if key and reasons:
        return f"{key}: {' or '.join(reasons)}. {values[0] if values else ''}".strip()
    return " ".join(" ".join(lines).split())[:400]


def _report(message: str) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return 2
