"""The errors that a user meets."""


class InputError(ValueError):
    """Bad input: one line that names the thing, the value and the remedy.

    The command line prints the message to stderr and exits with code 2, without a traceback.
    """


class TrainingError(RuntimeError):
    """A training that ended without what it was for, or that did something else than is recorded.

    The command line prints the message to stderr and exits with code 1.
    """


class FirmwareError(RuntimeError):
    """Firmware that does not compile or does not run; the message ends with the tool's last lines."""
