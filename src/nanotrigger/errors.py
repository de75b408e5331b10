"""The error that a user's input can cause."""


class InputError(ValueError):
    """Bad input: one line that names the thing, the value and the remedy.

    The command line prints the message to stderr and exits with code 2, without a traceback.
    """
