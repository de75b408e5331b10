"""Where scanned values stand, and what their ticks say."""

import pytest
from matplotlib.figure import Figure

from nanotrigger.evaluation.figures.scan_axis import draw_scan_axis, scan_axis
from nanotrigger.numbers import FixedPoint

NARROW = [FixedPoint(width, min(width, 2), narrow=True) for width in (2, 4, 16)]


def labels(values, *, inches: float = 1.7) -> tuple[list[str], str]:
    panel, axis = Figure().subplots(), scan_axis(values)
    for position in axis.positions.values():
        panel.plot(position, 0)
    draw_scan_axis(panel, axis, key="network.weight", inches=inches, is_lowest=True)
    return [label.get_text() for label in panel.get_xticklabels()], panel.get_xlabel()


def test_formats_stand_at_their_widths() -> None:
    axis = scan_axis([*NARROW, *NARROW])
    assert list(axis.positions.values()) == [2, 4, 16]
    assert labels(NARROW) == (["ternary", "fixed<4,2>", "fixed<16,2>"], "Width of network.weight [bits]")


def test_formats_of_one_width_are_categories() -> None:
    values = [FixedPoint(8, 2), FixedPoint(8, 4), FixedPoint(9, 4)]
    assert list(scan_axis(values).positions.values()) == [0, 1, 2]
    assert labels(values) == (["fixed<8,2>", "fixed<8,4>", "fixed<9,4>"], "network.weight")


def test_two_unsigned_bits_are_not_ternary() -> None:
    assert scan_axis([FixedPoint(2, 0, signed=False), FixedPoint(2, 2)]).names == ("ufixed<2,0>", "fixed<2,2>")


def test_a_number_among_words_is_a_word() -> None:
    assert labels(["none", 0.5]) == (["none", "0.5"], "network.weight")


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
