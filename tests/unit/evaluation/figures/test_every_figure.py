"""What holds for every figure: drawn for any sample, labelled, readable, without global state."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import matplotlib.pyplot
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from nanotrigger.evaluation.figures import Sample, roc_curves

Draw = Callable[..., Figure]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def pixels(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def test_is_drawn_for_large_tiny_and_incomplete_samples(draw: Draw, jets) -> None:
    image = pixels(draw(jets))
    assert image[..., :3].min() < 50  # there is ink


def test_says_whose_it_is_and_what_it_shows(figure: Figure) -> None:
    written = " ".join(texts(figure))
    assert "Nanotrigger" in written
    assert re.search(r"Simulated jets \(Pythia 8\)\n50 jets, test split|round to nearest even", written)


def test_every_axis_is_named(figure: Figure) -> None:
    written = texts(figure)
    for axes in figure.axes:
        if axes.axison:
            assert axes.get_ylabel() or "Probability density" in written
            colour_bar = axes.get_label() == "<colorbar>"
            assert axes.get_xlabel() or colour_bar or not axes.xaxis.get_tick_params()["labelbottom"]


def test_no_text_is_cut_off(figure: Figure) -> None:
    pixels(figure)
    for text in figure.findobj(Text):
        box = text.get_window_extent()
        if text.get_text() and text.get_visible() and not text.get_clip_on() and box.width:
            assert min(box.x0, box.y0) > -1, text.get_text()
            assert box.x1 < figure.bbox.x1 + 1, text.get_text()
            assert box.y1 < figure.bbox.y1 + 1, text.get_text()


def test_global_state_is_neither_left_nor_used(draw: Draw, some_jets) -> None:
    settings = {"font.size": 20, "lines.linewidth": 5, "axes.grid": True, "figure.dpi": 50}
    with matplotlib.rc_context(settings):
        before = dict(matplotlib.rcParams)
        anew = pixels(draw(some_jets))
        assert dict(matplotlib.rcParams) == before
    np.testing.assert_array_equal(anew, pixels(draw(some_jets)))
    assert matplotlib.pyplot.get_fignums() == []


def test_threads_draw_the_same() -> None:
    sample = Sample("Two jets", size=2, split="test")

    def draw(_: int) -> Figure:
        return roc_curves(np.eye(2), [0, 1], class_names=["g", "q"], sample=sample)

    with ThreadPoolExecutor(4) as threads:
        figures = list(threads.map(draw, range(4)))
    first, *others = map(pixels, figures)  # matplotlib itself renders in one thread at a time
    assert all(np.array_equal(first, other) for other in others)


def test_inputs_are_left_alone(draw: Draw, some_jets) -> None:
    inputs = (some_jets.features, some_jets.logits, some_jets.labels)
    for array in inputs:
        array.setflags(write=False)
    draw(some_jets)
