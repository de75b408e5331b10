"""Designs: what sources get of an export, and why some have no datapath."""

import shutil

import pytest

from nanotrigger.cost.sources.source import read_design
from nanotrigger.cost.sources.structural import StructuralCount, structural_report
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target


@pytest.fixture
def folder(tmp_path, quantized_model):
    shutil.copy(quantized_model, tmp_path / "model.onnx")
    return tmp_path


def test_a_network_is_unrolled(folder):
    design = read_design(folder, Target())
    assert design.refusal is None
    assert len(design.datapath.outputs) == 3
    assert StructuralCount().reports(design) == (structural_report(design.datapath, Target()),)


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
