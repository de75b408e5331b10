"""Scan curves: means, ranges, panels with nothing to see, and where scanned values stand."""

import functools

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import ScanCurve, scan_curves
from nanotrigger.evaluation.figures.scan_axis import draw_scan_axis, scan_axis
from nanotrigger.numbers import FixedPoint

THREE = ScanCurve(
    "qat",
    [1, 2, 1, 2, 1],
    {
        "quality": [0.6, 0.7, 0.61, 0.72, 0.65],
        "aluts": [10, 30, 20, np.nan, 15],
        "rams": [0] * 5,
        "dsps": [0, 4] * 2 + [0],
    },
    measure="Accuracy",
)
PANELS = ("Accuracy", "ALUTs", "FFs", "RAM blocks", "DSPs", "MLABs")

NARROW = [FixedPoint(width, min(width, 2), narrow=True) for width in (2, 4, 16)]


@functools.cache
def draw(*curves: ScanCurve):
    """Return a figure, drawn once and not to be changed, and its panels by name."""
    figure = scan_curves(curves, key="sparsity", notes=["Simulated jets"], available={"aluts": 200})
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
    assert legend(figure) == ["qat", "mean over seeds", "smallest to largest", "one network"]


def test_one_seed_has_neither_mean_nor_range() -> None:
    known = {"interval": [[0.5, 0.7], [0.6, 0.8]], "chance": 0.5}
    figure, panels = draw(ScanCurve("qat", [1, 2], {"quality": [0.6, 0.7]}, measure="Accuracy", **known))
    assert legend(figure) == ["qat", "one network, 68 % interval", "random choice"]
    bars = next(part for part in panels["Accuracy"].collections if isinstance(part, LineCollection))
    np.testing.assert_allclose(bars.get_segments()[0], [[1, 0.5], [1, 0.7]])
    assert any(list(line.get_ydata()) == [0.5, 0.5] for line in panels["Accuracy"].get_lines())


def test_several_curves_are_named() -> None:
    figure, _ = draw(ScanCurve("dense", [1, 2], {"quality": [0.6, 0.7]}, measure="Accuracy"), THREE)
    assert legend(figure)[:2] == ["dense", "qat"]


def test_what_is_zero_or_unknown_is_said() -> None:
    _, panels = draw(THREE)
    said = {name: {text.get_text() for text in panel.findobj(Text)} for name, panel in panels.items()}
    assert "0 at every point" in said["RAM blocks"]
    assert {name for name in PANELS if "not known" in said[name]} == {"FFs", "MLABs"}
    assert list(panels["RAM blocks"].get_yticks()) == [0]
    assert not panels["RAM blocks"].get_lines()


def test_a_second_axis_has_the_share_of_the_device() -> None:
    _, panels = draw(THREE)
    (shares,) = panels["ALUTs"].child_axes
    assert shares.get_ylabel() == "% of device"
    np.testing.assert_allclose(shares.get_ylim(), np.array(panels["ALUTs"].get_ylim()) / 2)
    assert not panels["DSPs"].child_axes  # of which the device has no known number


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
    with pytest.raises(InputError, match="'qat' has no networks"):
        ScanCurve("qat", [], {})
    with pytest.raises(InputError, match=r"aluts has shape \(1,\) for 2 networks"):
        ScanCurve("qat", [1, 2], {"aluts": [5]})


def labels(values, *, inches: float = 1.7) -> tuple[list[str], str]:
    panel, axis = Figure().subplots(), scan_axis(values)
    for position in axis.positions.values():
        panel.plot(position, 0)
    draw_scan_axis(panel, axis, key="weights", inches=inches, is_lowest=True)
    return [label.get_text() for label in panel.get_xticklabels()], panel.get_xlabel()


def test_formats_stand_at_their_widths() -> None:
    axis = scan_axis([*NARROW, *NARROW])
    assert list(axis.positions.values()) == [2, 4, 16]
    assert labels(NARROW) == (["ternary", "fixed<4,2>", "fixed<16,2>"], "Width of weights [bits]")


def test_formats_of_one_width_are_categories() -> None:
    values = [FixedPoint(8, 2), FixedPoint(8, 4), FixedPoint(9, 4)]
    assert list(scan_axis(values).positions.values()) == [0, 1, 2]
    assert labels(values) == (["fixed<8,2>", "fixed<8,4>", "fixed<9,4>"], "Weights")


def test_formats_of_several_tensors_stand_at_their_widths() -> None:
    axis = scan_axis([FixedPoint(8, 2), FixedPoint(8, 6), FixedPoint(1, 1)], by_width=True)
    assert list(axis.positions.values()) == [8, 8, 1]
    assert axis.is_width


def test_two_unsigned_bits_are_not_ternary() -> None:
    assert scan_axis([FixedPoint(2, 0, signed=False), FixedPoint(2, 2)]).names == ("ufixed<2,0>", "fixed<2,2>")


def test_a_number_among_words_is_a_word() -> None:
    assert labels(["none", 0.5]) == (["none", "0.5"], "Weights")


def test_crowded_names_give_way_to_numbers() -> None:
    widths = [FixedPoint(width, 1) for width in range(1, 41)]
    assert "fixed<2,1>" not in labels(widths)[0]
    assert "fixed<2,1>" in labels(widths, inches=10)[0]


@pytest.mark.parametrize(
    ("values", "logarithmic"), [([1e-4, 1e-1], True), ([0, 1e6], False), ([1, 64], False), ([-1, 1e6], False)]
)
def test_orders_of_magnitude_need_a_logarithm(values, logarithmic: bool) -> None:
    assert scan_axis(values).is_logarithmic == logarithmic


def test_whole_numbers_have_no_ticks_between() -> None:
    assert not any("." in label for label in labels([1, 2, 3])[0])
