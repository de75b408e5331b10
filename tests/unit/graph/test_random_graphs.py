"""Random networks: graph, datapath and Verilog compute what qonnx does. The long mode is tests.fuzz.graphs."""

import shutil

import pytest

from tests.fuzz.graphs import check
from tests.simulated import simulated_words


@pytest.mark.parametrize("seed", range(20))
def test_it_computes_what_qonnx_does(seed, tmp_path):
    graph, features = check(seed, tmp_path)
    if shutil.which("iverilog") is None:
        pytest.skip("simulates the Verilog with Icarus (package iverilog)")
    datapath, inputs = graph.unroll(), graph.input_words(features)
    assert (simulated_words(datapath, inputs, tmp_path, levels=1 + seed % 4) == datapath.evaluate(inputs)).all()
