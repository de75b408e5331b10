"""PNG and PDF: both or neither, the same bytes every time, in any home."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from nanotrigger.evaluation.figures import save_figure


def test_both_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    png, pdf = save_figure(Figure(), tmp_path / "figures" / "figure")
    assert (png, pdf) == (tmp_path / "figures" / "figure.png", tmp_path / "figures" / "figure.pdf")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert {path.name for path in png.parent.iterdir()} == {"figure.png", "figure.pdf"}


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
