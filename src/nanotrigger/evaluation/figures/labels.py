"""What figures write of names that others chose, and how many things a figure can show."""

import functools
from collections.abc import Iterable

from matplotlib.category import StrCategoryFormatter
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

MOST_CURVES = 10  # in a panel; more look alike
LEGEND_CHARACTERS = 100  # of a name
MOST_PANELS = 24  # of a figure; more do not fit on a screen or a page


def shortened(name: str, longest: int = 30) -> str:
    """Return a name as figures write it: in one line, its middle cut out where it is longer, never empty.

    >>> shortened("j_mass"), shortened("a" * 40), shortened("")
    ('j_mass', 'aaaaaaaaaaaaaaa…aaaaaaaaaaaaaa', '(no name)')
    """
    text = " ".join(name.split()) or "(no name)"
    if len(text) > longest:
        text = f"{text[: longest // 2]}…{text[-((longest - 1) // 2) :]}"
    return f" {text}" if text.startswith("_") else text  # matplotlib's legends leave out what begins with _


def all_shortened(names: Iterable[str]) -> tuple[str, ...]:
    """Return names as figures write them."""
    return tuple(map(shortened, names))


def first_of(count: int, most: int, things: str) -> tuple[int, list[str]]:
    """Return how many things a figure shows, and the note that says so if it does not show all.

    >>> first_of(3, 10, "classes"), first_of(40, 10, "classes")
    ((3, []), (10, ['the first 10 of 40 classes']))
    """
    return (count, []) if count <= most else (most, [f"the first {most} of {count} {things}"])


def write_plainly(figure: Figure) -> None:
    r"""Have what is no formula written as it is: a name such as `$\PW$`, which matplotlib cannot typeset."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), FixedFormatter | StrCategoryFormatter):
                axis.get_ticklabels()  # their texts are set only now; those of others are numbers
    cells = [cell.get_text() for axes in figure.axes for table in axes.tables for cell in table.get_celld().values()]
    for text in (*figure.findobj(Text), *cells):
        if isinstance(text, Text) and not all(map(_can_be_set, text.get_text().splitlines())):
            text.set_parse_math(False)


@functools.cache
def _can_be_set(line: str) -> bool:
    """Return whether matplotlib can typeset the formulas in a line, if it sees any."""
    if not is_math_text(line) or r"\mathdefault" in line:  # the latter is a number on an axis
        return True
    try:
        MathTextParser("path").parse(line)
    except Exception:  # of a grammar that is matplotlib's own
        return False
    return True
