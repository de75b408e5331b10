"""Curves that can be told apart, also by the colour-blind and on grey paper."""

import itertools
import threading

import matplotlib
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nanotrigger.evaluation.figures.style import COLOURS, DASHES, line_style, styled


def test_no_two_of_the_first_35_lines_are_alike() -> None:
    styles = {str(line_style(index)) for index in range(35)}
    assert len(styles) == len(COLOURS) * len(DASHES) == 35


def test_neighbouring_lines_differ_in_their_dashes() -> None:
    for one, other in itertools.combinations(range(len(DASHES)), 2):
        assert line_style(one)["linestyle"] != line_style(other)["linestyle"]


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_stands_out_on_white(colour: str) -> None:
    red, green, blue = to_rgb(colour)
    assert 0.299 * red + 0.587 * green + 0.114 * blue < 0.75


def test_settings_are_restored_after_an_error() -> None:
    before = matplotlib.rcParams["font.size"]
    with pytest.raises(RuntimeError), styled():
        assert matplotlib.rcParams["font.size"] == 8
        raise RuntimeError
    assert matplotlib.rcParams["font.size"] == before


def test_one_thread_at_a_time_holds_the_settings() -> None:
    entered = threading.Event()

    def enter() -> None:
        with styled():
            entered.set()

    with styled():
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.05)
    thread.join(5)
    assert entered.is_set()


def test_the_font_of_the_field_is_installed() -> None:
    with styled():
        font = Figure().text(0, 0, "jets").get_fontproperties()
    assert "texgyreheros" in matplotlib.font_manager.findfont(font, fallback_to_default=False)
