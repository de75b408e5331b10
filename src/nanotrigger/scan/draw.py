"""Draw the figures of studies: a curve over each axis that is scanned, and the trade-off of all points."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import save_figure, scan_curves, tradeoff_figure
from nanotrigger.scan.curves import are_widths, available_to, curves_along, curves_by_width, notes_of, tradeoff_points
from nanotrigger.scan.results import Study
from nanotrigger.scan.words import in_words


def write_figures(studies: Sequence[Study], folder: Path) -> tuple[Path, ...]:
    """Write all figures of these studies into a folder, and return the paths.

    Raises:
        InputError: there is nothing to draw.
    """
    figures = draw_figures(studies)
    return tuple(path for name, figure in figures.items() for path in save_figure(figure, folder / name))


def draw_figures(studies: Sequence[Study]) -> dict[str, Figure]:
    """Return name of the file, without suffix → figure.

    Raises:
        InputError: a study has no complete point, or there is nothing to scan and no resource is known.
    """
    for study in studies:
        if not study.complete:
            raise InputError(
                f"{study.folder}: none of {len(study.rows)} points is complete; see `error` in results.csv"
            )
    studies = _told_apart(studies)
    figures = {}
    for axis in {axis.keys: axis for study in studies for axis in study.scanned}.values():
        sharing = [study for study in studies if axis.keys in [other.keys for other in study.scanned]]
        curves = curves_along(axis.keys, sharing)
        figures[f"scan_{re.sub(r'[^A-Za-z0-9]+', '_', axis.name)}"] = scan_curves(
            curves, key=in_words(axis.keys), notes=notes_of(sharing), available=available_to(sharing)
        )
    widths = {axis.keys for study in studies for axis in study.scanned if are_widths(axis)}
    if len(widths) > 1:
        figures["scan_bit_width"] = scan_curves(
            curves_by_width(studies),
            key="the formats",
            notes=notes_of([study for study in studies if any(map(are_widths, study.scanned))]),
            available=available_to(studies),
            by_width=True,
        )
    if points := tradeoff_points(studies):
        figures["tradeoff"] = tradeoff_figure(points, notes=notes_of(studies))
    if not figures:
        raise InputError(f"{studies[0].folder}: nothing is scanned and no resources are known; export the points")
    return figures


def _told_apart(studies: Sequence[Study]) -> list[Study]:
    """Return the studies, those of the same name with their folder after it."""
    times = Counter(study.name for study in studies)
    return [
        replace(study, name=f"{study.name} ({study.folder})") if times[study.name] > 1 else study for study in studies
    ]
