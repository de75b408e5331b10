"""Designs: what sources get of an export, and why some have no datapath."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from nanotrigger.cost.sources.source import Design, read_design
from nanotrigger.cost.sources.structural import StructuralCount, structural_report
from nanotrigger.datapath.operations import Kind
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.numbers import FixedPoint
from tests.made_graphs import Layer, chain


@pytest.fixture
def folder(tmp_path, quantized_model):
    shutil.copy(quantized_model, tmp_path / "model.onnx")
    return tmp_path


def test_a_network_is_unrolled(folder):
    design = read_design(folder, Target())
    assert design.refusal is None
    assert len(design.datapath.outputs) == 3
    firmware, verilog = StructuralCount().reports(design)
    assert firmware == structural_report(design.graph.unroll(), Target())
    assert verilog == structural_report(design.verilog, Target(), scope="Verilog")


@pytest.mark.parametrize(("adders", "firmware", "verilog"), [(None, 0, 1), ("shared", 1, 1), ("unshared", 0, 0)])
def test_which_of_firmware_and_verilog_share_adders(adders, firmware, verilog):
    layer = Layer("a", np.array([[1, 1], [3, 3], [5, -5]]), 1.0, np.array([0, 0]), 1.0)
    graph = chain(FixedPoint(8, 8), (layer,))
    design = Design(folder=Path(), target=Target(adders=adders), graph=graph, refusal=None)
    shares = [any(one.kind == Kind.SHARED for one in path.operations) for path in (design.datapath, design.verilog)]
    assert shares == [firmware, verilog]
    with pytest.raises(InputError, match="adders=some: choose one of shared, unshared"):
        Target(adders="some")


def test_firmware_that_is_no_datapath_says_why(folder):
    design = read_design(folder, Target(io_type="io_stream"))
    assert design.refusal == "io_type=io_stream: the structural count knows only io_parallel"
    assert StructuralCount().refusal(design) == design.refusal
    for read in (lambda: design.datapath, lambda: StructuralCount().reports(design)):
        with pytest.raises(InputError, match="io_type=io_stream"):
            read()


def test_a_network_that_cannot_be_unrolled_says_why(tmp_path, float_model):
    shutil.copy(float_model, tmp_path / "model.onnx")
    design = read_design(tmp_path, Target())
    assert design.graph is None
    with pytest.raises(InputError, match=design.refusal):
        design.datapath  # noqa: B018
