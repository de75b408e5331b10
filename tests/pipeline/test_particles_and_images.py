"""Deep Sets on particles, convolutions on images: trained, resumed, pruned, exported, proven, and as Verilog."""

import json
import shutil
import subprocess

import pytest

from tests.command import command

SMALL = {
    "jets_deepsets": ("network.phi=[8,8]", "network.rho=[8]"),
    "jets_cnn": ("network.filters=[2,2]", "network.hidden=[4]"),
}
QUICK = (
    "data.source=simulated",
    "data.batch_size=512",
    "pruning.sparsity=0.25",
    "pruning.end_step=100",
    "trainer.enable_progress_bar=false",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=SMALL)
def run(request, tmp_path_factory):
    """A run of four epochs, the last two resumed, with its export."""
    folder = tmp_path_factory.mktemp(request.param) / "run"
    words = (f"experiment={request.param}", *SMALL[request.param], *QUICK, f"output={folder}", "ckpt_path=last")
    for epochs, evaluate in ((2, "false"), (4, "true")):
        done = command("train.py", *words, f"trainer.max_epochs={epochs}", f"evaluate={evaluate}")
        assert done.returncode == 0, done.stderr
    done = command("export.py", f"ckpt={folder / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    return folder


def test_it_learned_and_was_pruned(run):
    tested = json.loads((run / "test.json").read_text())
    assert tested["accuracy"] > 0.3  # of five classes
    total = tested["sparsity"]["total"]
    assert total["zeros"] >= total["weights"] // 4 - 4
    assert (run / "metrics.csv").read_text().count("\n") == 5


def test_no_word_differs_on_the_whole_test_split(run):
    parity = json.loads((run / "export" / "parity.json").read_text())
    assert parity["differing_words_of"] == {"torch": 0, "qonnx": 0, "datapath": 0, "firmware": 0}
    assert parity["inputs"]["events"]["samples"] == 10_000
    emulated = json.loads((run / "export" / "emulation.json").read_text())
    assert emulated["accuracy"] == json.loads((run / "test.json").read_text())["accuracy"]


def test_cost_datasheet_and_hashes_are_there(run):
    report, _ = json.loads((run / "export" / "resources.json").read_text())["reports"]
    assert report["used"]["aluts"] > 500
    page = (run / "export" / "datasheet.html").read_text()
    assert "Structural count" in page
    names = {name for name in ("dense_1", "conv_1", "pool_1") if name in page}
    assert names == ({"dense_1"} if "deepsets" in str(run) else {"conv_1", "pool_1"})


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="simulates the Verilog with Icarus")
def test_the_verilog_passes_its_own_testbench(run, tmp_path):
    rtl, bench = run / "export" / "rtl", str(tmp_path / "bench.vvp")
    built = ["iverilog", "-g2012", "-o", bench, *map(str, rtl.glob("*.v"))]
    subprocess.run(built, check=True)
    done = subprocess.run(["vvp", "-n", bench], cwd=rtl, check=True, capture_output=True, text=True)
    assert "PASS" in done.stdout
