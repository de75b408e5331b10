"""An empty figure at print size under a header that says whose it is and what it shows."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nanotrigger.evaluation.figures.style import FULL_WIDTH, HALF_WIDTH, line_style

_MARGIN = 0.05  # inches
_LINE_HEIGHT = 0.115  # inches, of the notes at 6.5 points
_NAME_WIDTH = 0.9  # inches, of the package's name at 9 points
LEGEND_ROW = 0.13  # inches, of a legend's further rows
_LEGEND_HEIGHT = 0.4  # inches, of a title and one row
_CHARACTERS_PER_INCH = 22  # of the notes, on the average
_ENTRY_WIDTH = 0.7  # inches, of a legend's entry without its letters
_LETTER_WIDTH = 0.053  # inches, of a legend's letters on the average


def new_page(*, width: float, height: float, notes: Sequence[str]) -> tuple[Figure, SubFigure]:
    """Return a figure, `width` inches wide, and the part of it below the header, `height` inches high.

    The header holds the package's name and `notes`, which are wrapped where they are long. Draw into the
    part: its layout engine keeps axes, labels and "outside" legends inside it.
    """
    characters = int((width - _NAME_WIDTH - 2 * _MARGIN) * _CHARACTERS_PER_INCH)
    lines = [line for note in notes for line in textwrap.wrap(note, characters)]
    header_height = _LINE_HEIGHT * max(len(lines), 2) + _MARGIN
    figure = Figure(figsize=(width, height + header_height))
    figure.set_layout_engine("constrained", w_pad=_MARGIN, h_pad=_MARGIN, hspace=0, wspace=0)
    rows = figure.add_gridspec(2, 1, height_ratios=[header_height, height])
    header, body = figure.add_subfigure(rows[0]), figure.add_subfigure(rows[1])
    side, top = _MARGIN / width, 1 - _MARGIN / header_height
    header.text(side, top, "Nanotrigger", va="top", weight="bold", style="italic", fontsize=9)
    header.text(1 - side, top, "\n".join(lines), va="top", ha="right", fontsize=6.5, linespacing=1.15)
    return figure, body


def new_panels(
    panels: int, *, columns: int, panel_height: float, notes: Sequence[str]
) -> tuple[Figure, SubFigure, list[Axes]]:
    """Return a page with `panels` axes in rows of `columns`, and the part below its header for a legend.

    Full rows take the full page width; the rest of the last row stays empty.
    """
    width = max(HALF_WIDTH, FULL_WIDTH * min(panels / columns, 1))
    columns = min(columns, panels)
    rows = -(-panels // columns)
    figure, body = new_page(width=width, height=_LEGEND_HEIGHT + panel_height * rows, notes=notes)
    grid = body.add_gridspec(rows, columns)
    return figure, body, [body.add_subplot(grid[divmod(index, columns)]) for index in range(panels)]


def class_legend(body: SubFigure, entries: Sequence[str], *, title: str, columns: int) -> None:
    """Put one legend of all classes above the panels, `columns` entries in a row at most."""
    lines = [Line2D([], [], **line_style(index)) for index in range(len(entries))]
    body.legend(lines, entries, loc="outside upper center", ncols=min(columns, len(entries)), title=title)


def legend_columns(entries: Sequence[str], *, width: float = FULL_WIDTH) -> int:
    """Return in how many columns a legend `width` inches wide has the fewest rows, equally full.

    >>> legend_columns(["Training", "Validation"])
    2
    >>> legend_columns([f"network of width {width}" for width in range(5)])
    3
    """
    longest = _ENTRY_WIDTH + _LETTER_WIDTH * max(map(len, entries))
    rows = -(-len(entries) // max(1, int(width / longest)))
    return -(-len(entries) // rows)


def round_ticks(count: int) -> MaxNLocator:
    """Return a locator of at most `count` intervals between round numbers: 1, 2 or 5 times a power of ten."""
    return MaxNLocator(count, steps=[1, 2, 5, 10])
