"""Commands: what all of them share. The terminal on which tables are printed."""

from rich.console import Console

_WIDTH = 125  # columns that the widest table needs


def wide_console() -> Console:
    """Return the terminal, taken to be wide enough for the tables: a file or a pipe has 80 columns by default."""
    return Console(width=max(_WIDTH, Console().width))
