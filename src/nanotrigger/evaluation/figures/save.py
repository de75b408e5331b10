"""Figures on disk, as PNG and PDF."""

from pathlib import Path

from matplotlib.figure import Figure

from nanotrigger.evaluation.figures.style import styled
from nanotrigger.files import whole_file

_DOTS_PER_INCH = 200


@styled()
def save_figure(figure: Figure, path_without_suffix: Path) -> tuple[Path, Path]:
    """Write `figure` as PNG (200 dots an inch) and PDF, and return the two paths.

    Neither file appears unless both could be drawn. They hold no dates: a figure of this package gives the
    same bytes every time.

    Args:
        figure: of this package, or any other.
        path_without_suffix: ".png" and ".pdf" are appended, even if the name holds a dot.
    """
    place = Path(path_without_suffix)
    png, pdf = (place.with_name(f"{place.name}.{suffix}") for suffix in ("png", "pdf"))
    with whole_file(png) as png_draft, whole_file(pdf) as pdf_draft:
        figure.savefig(png_draft, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
        figure.savefig(pdf_draft, format="pdf", metadata={"CreationDate": None})
    return png, pdf
