"""Numerals: numbers as the datasheet prints them."""

from collections.abc import Callable
from typing import Any

UNKNOWN = "unknown"
_MINUS = "\N{MINUS SIGN}"


def count(value: float | None) -> str:
    """Return a whole number with commas.

    >>> count(974_400), count(None)
    ('974,400', 'unknown')
    """
    return UNKNOWN if value is None else f"{value:,.0f}".replace("-", _MINUS)


def percent(fraction: float | None, digits: int = 2) -> str:
    """Return a fraction in percent.

    >>> percent(0.69638).split(), percent(None)  # a space at which no line breaks
    (['69.64', '%'], 'unknown')
    """
    return UNKNOWN if fraction is None else f"{100 * fraction:.{digits}f}\N{NO-BREAK SPACE}%"


def share(value: float | None) -> str:
    """Return a share that is in percent already, to three digits; what is small but not nothing says so.

    >>> [share(value).split()[0] for value in (1.0475, 0.0002, 0, None)]
    ['1.048', '<0.001', '0', 'unknown']
    """
    if value is None:
        return UNKNOWN
    text = "0" if value == 0 else "<0.001" if value < 0.001 else f"{value:.3f}"
    return f"{text}\N{NO-BREAK SPACE}%"


def number(value: float | None, digits: int = 4) -> str:
    """Return a number to some significant digits; zero has no sign.

    >>> number(-0.043786), number(31.9990234375, 6), number(-0.0)
    ('−0.04379', '31.999', '0')
    """
    return UNKNOWN if value is None else f"{value + 0.0:.{digits}g}".replace("-", _MINUS)


FILTERS: dict[str, Callable[..., Any]] = {
    "count": count,
    "percent": percent,
    "share": share,
    "number": number,
}
