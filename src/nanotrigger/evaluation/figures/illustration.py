"""Illustrations: figures as images that a page carries in itself."""

import base64
from dataclasses import dataclass
from io import BytesIO

from matplotlib import rc_context
from matplotlib.figure import Figure

from nanotrigger.evaluation.figures.page import styled

_PIXELS_PER_INCH = 96  # of CSS
# Letters as paths need no font; ids must not be random.
_SELF_CONTAINED = {"svg.fonttype": "path", "svg.hashsalt": "nanotrigger"}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


@dataclass(frozen=True, eq=False)
class Illustration:
    """A figure with what a reader needs beside it.

    Attributes:
        figure: as the functions of `evaluation.figures` return it.
        caption: what is to be seen.
        description: the same for those who do not see it.
    """

    figure: Figure
    caption: str
    description: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of CSS."""
        width, height = self.figure.get_size_inches()
        return round(width * _PIXELS_PER_INCH), round(height * _PIXELS_PER_INCH)

    @property
    def data_uri(self) -> str:
        """The figure as SVG in a `data:` address; the same figure gives the same one."""
        return f"data:image/svg+xml;base64,{base64.b64encode(_svg(self.figure)).decode()}"


@styled()
def _svg(figure: Figure) -> bytes:
    stream = BytesIO()
    with rc_context(_SELF_CONTAINED):
        figure.savefig(stream, format="svg", metadata=_NO_METADATA)
    return stream.getvalue()
