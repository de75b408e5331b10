"""Random networks: graph, datapath and Verilog compute what qonnx does. The long mode is tests.fuzz.graphs."""

import shutil

import pytest

from nanotrigger.graph.share_adders import shared_datapath
from tests.fuzz.graphs import check
from tests.simulated import simulated_words


@pytest.mark.parametrize("seed", range(20))
def test_it_computes_what_qonnx_does(seed, tmp_path):
    graph, features = check(seed, tmp_path)
    if shutil.which("iverilog") is None:
        pytest.skip("simulates the Verilog with Icarus (package iverilog)")
    levels, inputs = 1 + seed % 4, graph.input_words(features)
    datapath = shared_datapath(graph, levels)
    assert (simulated_words(datapath, inputs, tmp_path, levels=levels) == graph.unroll().evaluate(inputs)).all()
