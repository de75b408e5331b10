"""Scan curves: means, ranges, and panels without anything to see."""

import functools

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import ScanCurve, scan_curves

THREE = ScanCurve(
    "qat",
    [1, 2, 1, 2, 1],
    {
        "accuracy": [0.6, 0.7, 0.61, 0.72, 0.65],
        "aluts": [10, 30, 20, np.nan, 15],
        "rams": [0] * 5,
        "dsps": [0, 4] * 2 + [0],
    },
)
PANELS = ("Accuracy", "ALUTs", "FFs", "RAM blocks", "DSPs", "MLABs")


@functools.cache
def draw(*curves: ScanCurve):
    """Return a figure, drawn once and not to be changed, and its panels by name."""
    figure = scan_curves(curves, key="pruning.sparsity", notes=["Simulated jets"])
    assert [panel.get_ylabel() for panel in figure.axes] == list(PANELS)
    return figure, dict(zip(PANELS, figure.axes, strict=True))


def legend(figure) -> list[str]:
    (found,) = figure.subfigs[1].legends
    return [text.get_text() for text in found.get_texts()]


def test_line_is_the_mean_of_what_is_known() -> None:
    _, panels = draw(THREE)
    accuracy, points = panels["Accuracy"].get_lines()
    np.testing.assert_allclose(accuracy.get_xydata(), [[1, 0.62], [2, 0.71]])
    assert len(points.get_xydata()) == 5
    aluts, points = panels["ALUTs"].get_lines()
    np.testing.assert_allclose(aluts.get_xydata(), [[1, 15], [2, 30]])
    assert len(points.get_xydata()) == 4


def test_band_reaches_from_smallest_to_largest() -> None:
    figure, panels = draw(THREE)
    (band,) = [part for part in panels["Accuracy"].collections if isinstance(part, PolyCollection)]
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert corners == {(1, 0.6), (1, 0.65), (2, 0.7), (2, 0.72)}
    assert legend(figure) == ["mean over seeds", "smallest to largest", "one training"]


def test_one_seed_has_neither_mean_nor_range() -> None:
    figure, _ = draw(ScanCurve("qat", [1, 2], {"accuracy": [0.6, 0.7]}))
    assert legend(figure) == ["one training"]


def test_several_curves_are_named() -> None:
    figure, _ = draw(ScanCurve("dense", [1, 2], {"accuracy": [0.6, 0.7]}), THREE)
    assert legend(figure)[:2] == ["dense", "qat"]


def test_what_is_zero_or_unknown_is_said() -> None:
    _, panels = draw(THREE)
    said = {name: {text.get_text() for text in panel.findobj(Text)} for name, panel in panels.items()}
    assert "0 at every point" in said["RAM blocks"]
    assert {name for name in PANELS if "not known" in said[name]} == {"FFs", "MLABs"}
    assert list(panels["RAM blocks"].get_yticks()) == [0]


def test_counts_begin_at_zero() -> None:
    _, panels = draw(THREE)
    low, high = panels["ALUTs"].get_ylim()
    assert low <= 0 < 30 < high
    assert all(tick == int(tick) for tick in panels["DSPs"].get_yticks())


def test_all_panels_have_one_horizontal_axis() -> None:
    _, panels = draw(THREE)
    assert len({panel.get_xlim() for panel in panels.values()}) == 1


def test_wrong_curves_are_refused() -> None:
    with pytest.raises(InputError, match="give at least one"):
        scan_curves([], key="seed", notes=[])
    with pytest.raises(InputError, match="'qat' has no trainings"):
        ScanCurve("qat", [], {})
    with pytest.raises(InputError, match=r"aluts has shape \(1,\) for 2 trainings"):
        ScanCurve("qat", [1, 2], {"aluts": [5]})
