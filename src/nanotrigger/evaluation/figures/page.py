"""What all figures share: their style, a page with a header, the label of their events, their files."""

import functools
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib.style
import mplhep
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import MaxNLocator

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import write_plainly
from nanotrigger.evaluation.figures.ticks import give_minor_ticks, take_minor_ticks, write_numbers_plainly
from nanotrigger.files import whole_file

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
# directly, not by a list that matplotlib looks up when it draws, so that a figure keeps it outside of `styled`.
_PRINT = {
    "font.size": 8,
    "font.family": ["TeX Gyre Heros"],
    "mathtext.fontset": "stixsans",
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.labelpad": 2,
    "axes.titley": 1.0,  # where it would come to lie; matplotlib measures all ticks to find that out
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

_MARGIN = 0.05  # inches
_LINE_HEIGHT = 0.115  # inches, of the notes at 6.5 points
_NAME_WIDTH = 0.9  # inches, of the package's name at 9 points
LEGEND_ROW = 0.13  # inches, of a legend's further rows
_LEGEND_HEIGHT = 0.4  # inches, of a title and one row
_CHARACTERS_PER_INCH = 22  # of the notes, on average
_ENTRY_WIDTH = 0.7  # inches, of a legend's entry without its letters
_LETTER_WIDTH = 0.053  # inches, of a legend's letters on average

_DOTS_PER_INCH = 200


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house style inside this block.

    Matplotlib's settings are global to the process. Here they start from its defaults, so that a user's matplotlibrc
    changes nothing. They are restored at the end, and one thread at a time may hold them. A letter of a name that no
    font has is drawn as a box, without a warning.
    """
    with _LOCK, matplotlib.style.context([mplhep.style.ATLAS, _PRINT], after_reset=True), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
        yield


def drawn(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Make `draw` draw in the house style and settle the layout of the figure that it returns.

    Otherwise matplotlib computes the layout whenever it draws, from the last one, and no two files are alike.
    """

    @functools.wraps(draw)
    def draw_in_style(*arguments: P.args, **keywords: P.kwargs) -> Figure:
        with styled():
            figure = draw(*arguments, **keywords)
            for axes in figure.axes:  # the number of ticks depends on this size, which is read when drawing
                axes.tick_params(labelsize=_PRINT["xtick.labelsize"])
            taken = take_minor_ticks(figure)
            write_numbers_plainly(figure)
            write_plainly(figure)
            shown_at, engine, canvas = figure.dpi, figure.get_layout_engine(), FigureCanvasAgg(figure)
            figure.set_dpi(_DOTS_PER_INCH)  # as it is saved, so that matplotlib measures each text once
            canvas.get_renderer().mathtext_parser = _parser()
            if any(axes.tables for axes in figure.axes):  # which place their cells when they are drawn
                figure.draw_without_rendering()
            elif engine is not None:
                engine.execute(figure)  # half the time of drawing it
            give_minor_ticks(taken)
            figure.set_layout_engine(None)  # "none" would leave a placeholder, which doubles the drawing
            figure.set_dpi(shown_at)
        return figure

    return draw_in_style


@functools.cache
def _parser() -> MathTextParser:
    """Return one parser for all figures, which remembers the formulas that it has seen."""
    return FigureCanvasAgg(Figure()).get_renderer().mathtext_parser


def line_style(index: int) -> dict[str, Any]:
    """Return colour and dashes of class or curve number `index`, as keywords of matplotlib's lines.

    >>> line_style(0)
    {'color': '#0072b2', 'linestyle': '-'}
    """
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": DASHES[index % len(DASHES)]}


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

    Full rows take the full page width; the rest of the last row stays empty. Small panels have no minor ticks but on
    logarithmic axes, which set their own.
    """
    width = max(HALF_WIDTH, FULL_WIDTH * min(panels / columns, 1))
    columns = min(columns, panels)
    rows = -(-panels // columns)
    figure, body = new_page(width=width, height=_LEGEND_HEIGHT + panel_height * rows, notes=notes)
    grid = body.add_gridspec(rows, columns)
    axes = [body.add_subplot(grid[divmod(index, columns)]) for index in range(panels)]
    for panel in axes:
        panel.minorticks_off()  # a third of the time of drawing it
    return figure, body, axes


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


@dataclass(frozen=True)
class Sample:
    """Which events a figure shows; the figure says so.

    Args:
        source: where they come from, such as "Simulated jets (Pythia 8)".
        size: number of events, positive.
        split: "train", "validation" or "test".
        unit: what is counted, in the plural.

    Raises:
        InputError: `size` is not positive.

    >>> str(Sample("Simulated jets (Pythia 8)", size=10_000, split="test", unit="jets"))
    'Simulated jets (Pythia 8), 10,000 jets, test split'
    """

    source: str
    size: int
    split: str
    unit: str = "events"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"sample {self.source!r} has size {self.size}; give the number of {self.unit}")

    def __str__(self) -> str:
        return f"{self.source}, {self.extent}"

    @property
    def extent(self) -> str:
        """Size and split.

        >>> Sample("Simulated jets (Pythia 8)", size=10_000, split="test", unit="jets").extent
        '10,000 jets, test split'
        """
        return f"{self.size:,} {self.unit}, {self.split} split"

    def check_size(self, events: int) -> None:
        """Refuse data that this label does not describe.

        Raises:
            InputError: `events` is not `size`.
        """
        if events != self.size:
            raise InputError(f"the figure shows {events} {self.unit}, but its sample says {self.size}; fix the size")


@styled()
def save_figure(figure: Figure, path_without_suffix: Path, *, pdf: bool = True) -> tuple[Path, ...]:
    """Write `figure` as PNG (200 dots an inch) and PDF, and return the paths.

    Neither file appears unless both could be drawn. They hold no dates: a figure of this package gives the
    same bytes every time.

    Args:
        figure: of this package, or any other.
        path_without_suffix: ".png" and ".pdf" are appended, even if the name holds a dot.
        pdf: whether there is a PDF too, which takes as long again; without it, one of that name is deleted.
    """
    place = Path(path_without_suffix)
    png, vector = (place.with_name(f"{place.name}.{suffix}") for suffix in ("png", "pdf"))
    with ExitStack() as files:
        draft = files.enter_context(whole_file(png))
        if pdf:
            figure.savefig(files.enter_context(whole_file(vector)), format="pdf", metadata={"CreationDate": None})
        figure.savefig(
            draft, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None}, pil_kwargs={"compress_level": 3}
        )
    if pdf:
        return png, vector
    vector.unlink(missing_ok=True)  # of an older figure
    return (png,)
