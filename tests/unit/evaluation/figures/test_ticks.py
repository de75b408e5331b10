import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from nanotrigger.evaluation.figures import page
from nanotrigger.evaluation.figures.ticks import MinorTicks


@page.drawn
def _figure():
    figure, body = page.new_page(width=page.HALF_WIDTH, height=3.0, notes=["notes"])
    grid = body.add_gridspec(2, 1)
    log, linear = body.add_subplot(grid[0]), body.add_subplot(grid[1])
    log.plot([3e-5, 0.3], [2e-3, 40.0])
    log.set(xscale="log", yscale="log", xlim=(3e-5, 0.3), xlabel="rate")
    log.xaxis.set_minor_formatter(NullFormatter())
    log.yaxis.set_minor_formatter(NullFormatter())
    linear.plot([-0.37, 5.2], [0, 17])
    linear.xaxis.set_tick_params(which="minor", top=False)
    return figure


def _pixels(figure: Figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).astype(int)


def test_minor_ticks_look_as_those_of_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = _figure()
    monkeypatch.setattr(page, "take_minor_ticks", lambda figure: [])
    theirs = _figure()
    with page.styled():
        assert np.abs(_pixels(ours) - _pixels(theirs)).max() <= 2


def test_minor_ticks_are_one_object_an_axis() -> None:
    panels = _figure().axes
    assert [sum(isinstance(artist, MinorTicks) for artist in axes.artists) for axes in panels] == [2, 2]
    assert not any(len(axis.get_minor_ticks()) for axes in panels for axis in (axes.xaxis, axes.yaxis))


def test_numbers_on_axes_are_text_and_their_power_of_ten_a_formula() -> None:
    @page.drawn
    def draw():
        figure, body = page.new_page(width=page.HALF_WIDTH, height=2.0, notes=[])
        axes = body.add_subplot()
        axes.plot([-2, 3], [0, 6e7])
        return figure

    figure = draw()
    (axes,) = figure.axes
    labels = [text.get_text() for text in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    assert "−2" in labels
    assert not any("$" in label for label in labels)
    assert axes.yaxis.get_offset_text().get_text() == r"$\times\mathdefault{10^{7}}\mathdefault{}$"
