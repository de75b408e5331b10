"""The errors that a user meets."""


class InputError(ValueError):
    """Bad input: one line that names the thing, the value and the remedy.

    The command line prints the message to stderr and exits with code 2, without a traceback.
    """


class NotExactError(InputError):
    """A network with a node that no integers compute exactly, such as a table or a scale that is no power of two.

    Attributes:
        node: its name.
        reason: why, with the remedy.
    """

    def __init__(self, node: str, reason: str) -> None:
        super().__init__(f"node {node}: {reason}")
        self.node, self.reason = node, reason


class TrainingError(RuntimeError):
    """A training that ended without what it was for, or that did something else than is recorded.

    The command line prints the message to stderr and exits with code 1.
    """


class FirmwareError(RuntimeError):
    """Firmware that does not compile or does not run; the message ends with the tool's last lines."""
