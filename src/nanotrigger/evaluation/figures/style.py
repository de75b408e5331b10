"""The style of every figure: the field's fonts and ticks at print size, colours that survive grey."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec

import matplotlib.style
import mplhep
from matplotlib.figure import Figure

P = ParamSpec("P")

FULL_WIDTH = 6.7  # inches: 170 mm, the text width of an A4 page
HALF_WIDTH = 3.35  # inches: 85 mm, one of two columns

# Seven of the eight colours of Okabe and Ito (https://jfly.uni-koeln.de/color/), told apart by the
# colour-blind; their eighth, yellow, is too pale for a line on paper.
COLOURS = ("#0072b2", "#d55e00", "#000000", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
MARKERS = "os^Dv"  # of curves with few points
# Seven colours and five dashes have no common factor: 35 lines before one repeats.
DASHES: tuple[Any, ...] = ("-", (0, (3, 1)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (10, 2)))

# mplhep draws for slides, 8 inches wide; these are its proportions on 85 mm of paper. The font is named
# directly, not through a list that matplotlib looks up when it draws: the figure keeps it outside `styled`.
_PRINT = {
    "font.size": 8,
    "font.family": ["TeX Gyre Heros"],
    "mathtext.fontset": "stixsans",
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.labelpad": 2,
    "axes.linewidth": 0.6,
    "axes.autolimit_mode": "data",
    "axes.unicode_minus": True,
    "axes.formatter.limits": (-3, 4),
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.size": 4,
    "ytick.major.size": 4,
    "xtick.minor.size": 2,
    "ytick.minor.size": 2,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.2,
    "lines.markersize": 3,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.borderpad": 0.2,
    "legend.handlelength": 3.4,
    "legend.columnspacing": 1.4,
    "pdf.fonttype": 3,  # not 42: matplotlib embeds this OpenType font as TrueType, which is no valid PDF
}
_LOCK = threading.RLock()


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house style inside this block.

    Matplotlib's settings are global to the process: they start from its defaults, so that a user's
    matplotlibrc changes nothing, are restored at the end, and one thread at a time may hold them.
    """
    with _LOCK, matplotlib.style.context([mplhep.style.ATLAS, _PRINT], after_reset=True):
        yield


def drawn(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Make `draw` draw in the house style and settle the layout of the figure that it returns.

    Matplotlib would find the layout each time it draws, starting from the last one: no two files alike.
    """

    @functools.wraps(draw)
    def draw_in_style(*arguments: P.args, **keywords: P.kwargs) -> Figure:
        with styled():
            figure = draw(*arguments, **keywords)
            for axes in figure.axes:  # the number of ticks follows this size, read as late as in drawing
                axes.tick_params(labelsize=_PRINT["xtick.labelsize"])
            figure.draw_without_rendering()
            figure.set_layout_engine(None)  # "none" would leave a placeholder, for which it is drawn twice as often
        return figure

    return draw_in_style


def line_style(index: int) -> dict[str, Any]:
    """Return colour and dashes of class or curve number `index`, as keywords of matplotlib's lines.

    >>> line_style(0)
    {'color': '#0072b2', 'linestyle': '-'}
    """
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": DASHES[index % len(DASHES)]}
