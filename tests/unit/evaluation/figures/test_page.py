"""What all figures share: styles told apart, labels that may not be wrong, files that are whole."""

import dataclasses
import hashlib
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import (
    Sample,
    confusion_figure,
    feature_distributions,
    pairwise_roc_curves,
    probability_histograms,
    roc_curves,
    save_figure,
)
from nanotrigger.evaluation.figures.page import COLOURS, DASHES, line_style, styled


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


def test_unit_is_written() -> None:
    assert Sample("Simulated collisions", 4_000_000, "test", unit="events").extent == "4,000,000 events, test split"


@pytest.mark.parametrize("size", [0, -1])
def test_size_must_be_positive(size: int) -> None:
    with pytest.raises(InputError, match=f"has size {size}"):
        Sample("Simulated jets", size, "test")


@pytest.mark.parametrize(
    "draw",
    [confusion_figure, pairwise_roc_curves, probability_histograms, roc_curves],
    ids=lambda d: d.__name__,
)
def test_size_must_be_that_of_the_data(draw, some_jets) -> None:
    wrong = dataclasses.replace(some_jets.sample, size=51)
    with pytest.raises(InputError, match="shows 50 jets, but its sample says 51"):
        draw(some_jets.logits, some_jets.labels, class_names=some_jets.class_names, sample=wrong)


def test_size_must_be_that_of_the_features(some_jets) -> None:
    with pytest.raises(InputError, match="shows 49 jets, but its sample says 50"):
        feature_distributions(
            some_jets.features[1:],
            some_jets.labels[1:],
            feature_names=some_jets.feature_names,
            class_names=some_jets.class_names,
            sample=some_jets.sample,
        )


def test_long_source_is_wrapped_clear_of_the_name() -> None:
    source = "Pythia 8.317 and FastJet 3.5.2, a stand-in for hls4ml_lhc_jets_hlf and not the OpenML data set"
    figure = roc_curves(np.eye(2), [0, 1], class_names=["g", "q"], sample=Sample(source, 2, "test"))
    name, notes = figure.subfigs[0].texts
    figure.draw_without_rendering()
    assert notes.get_text().count("\n") >= 2
    assert not name.get_window_extent().overlaps(notes.get_window_extent())


def test_both_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    png, pdf = save_figure(Figure(), tmp_path / "figures" / "figure")
    assert (png, pdf) == (tmp_path / "figures" / "figure.png", tmp_path / "figures" / "figure.pdf")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert {path.name for path in png.parent.iterdir()} == {"figure.png", "figure.pdf"}
    assert save_figure(Figure(), tmp_path / "figures" / "figure", pdf=False) == (png,)
    assert [path.name for path in png.parent.iterdir()] == ["figure.png"]  # no PDF of an older figure


def test_fonts_are_embedded_as_glyphs_that_every_reader_knows(figure: Figure, tmp_path: Path) -> None:
    content = save_figure(figure, tmp_path / "figure")[1].read_bytes()
    assert b"/Subtype /Type3" in content
    assert b"/FontFile2" not in content  # would hold OpenType outlines where TrueType is promised


@pytest.mark.slow
def test_the_same_data_gives_the_same_bytes(draw: Callable[..., Figure], some_jets, tmp_path: Path) -> None:
    figure = draw(some_jets)
    first = save_figure(figure, tmp_path / "first")
    assert b"CreationDate" not in first[1].read_bytes()
    for other in (save_figure(figure, tmp_path / "again"), save_figure(draw(some_jets), tmp_path / "anew")):
        assert [path.read_bytes() for path in other] == [path.read_bytes() for path in first]


def test_a_dot_in_the_name_is_kept(tmp_path: Path) -> None:
    png, pdf = save_figure(Figure(), tmp_path / "sparsity_0.75")
    assert (png.name, pdf.name) == ("sparsity_0.75.png", "sparsity_0.75.pdf")


@pytest.mark.parametrize("failing", ["png", "pdf"])
def test_an_error_leaves_nothing_new(failing: str, tmp_path: Path) -> None:
    class Failing(Figure):
        def savefig(self, *arguments, format: str, **keywords) -> None:
            super().savefig(*arguments, format=format, **keywords)
            if format == failing:
                raise RuntimeError("disk full")

    save_figure(Figure(), tmp_path / "figure")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RuntimeError, match="disk full"):
        save_figure(Failing(), tmp_path / "figure")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


PROGRAM = """
import socket, sys
def refuse(*arguments, **keywords):
    raise OSError("this test has no network")
socket.socket.connect = socket.getaddrinfo = refuse
import numpy as np
from nanotrigger.evaluation.figures import Sample, roc_curves, save_figure
sample = Sample("Simulated jets", size=3, split="test")
save_figure(roc_curves(np.eye(3), [0, 1, 2], class_names=["g", "q", "t"], sample=sample), sys.argv[1])
"""


@pytest.mark.slow
def test_neither_network_nor_home_is_needed_and_hashes_do_not_matter(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "XDG"))}
    environment["HOME"] = "/proc/nonexistent"
    digests = set()
    for seed in ("0", "1"):
        place = tmp_path / seed
        command = [sys.executable, "-W", "error", "-c", PROGRAM, str(place)]
        subprocess.run(command, env=environment | {"PYTHONHASHSEED": seed}, check=True, timeout=120)
        written = place.with_suffix(".png").read_bytes() + place.with_suffix(".pdf").read_bytes()
        digests.add(hashlib.sha256(written).hexdigest())
    assert len(digests) == 1
