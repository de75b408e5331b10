"""The datasheet in headless Chromium: it loads without a complaint, and every figure is drawn."""

import json
import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

from nanotrigger.datasheet.page import render, write_datasheet

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-logging=stderr",
)
# The page itself has no script; its copy gets one that writes down what was drawn. It lies in a frame, since a window
# cannot be as narrow as a telephone.
SCRIPT = """<script>addEventListener("load", () => {
  const images = [...document.images].map(i => i.complete && i.naturalWidth > 0 && i.naturalHeight > 0);
  const boxes = [...document.querySelectorAll(innerWidth < 700 ? "svg.network" : "svg")]  // the bars are left out there
    .map(s => s.getBoundingClientRect());
  parent.document.title = "FOUND" + JSON.stringify({
    images, drawings: boxes.map(b => b.width > 0 && b.height > 0),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    loaded: performance.getEntriesByType("resource").map(r => r.name).filter(n => !n.startsWith("data:"))});
});</script></body>"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH")]


def browse(profile: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run Chromium with a profile of its own and return what it printed."""
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("kind", ["quantized_sheet", "float_sheet"])
def test_every_figure_is_drawn(kind, width, request, tmp_path):
    copy = tmp_path / "copy.html"
    text = escape(render(request.getfixturevalue(kind)).replace("</body>", SCRIPT))
    copy.write_text(f'<!DOCTYPE html><iframe width="{width}" height="900" srcdoc="{text}"></iframe>', encoding="utf-8")
    done = browse(tmp_path / "profile", "--window-size=1300,900", "--dump-dom", copy.as_uri())
    found = json.loads(re.search(r"<title>FOUND(.*?)</title>", done.stdout)[1])
    assert found["images"] == [True, True]
    assert found["drawings"]
    assert all(found["drawings"])
    assert found["overflow"] == 0
    assert found["loaded"] == []
    assert "CONSOLE" not in done.stderr


def test_console_is_watched(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!DOCTYPE html><title>x</title><script>console.error('seen')</script>", encoding="utf-8")
    assert "CONSOLE" in browse(tmp_path / "profile", "--dump-dom", page.as_uri()).stderr


def test_prints(quantized_sheet, tmp_path):
    page, paper = write_datasheet(quantized_sheet, tmp_path), tmp_path / "datasheet.pdf"
    browse(tmp_path / "profile", "--no-pdf-header-footer", f"--print-to-pdf={paper}", page.as_uri())
    assert paper.read_bytes().startswith(b"%PDF")
