"""The record of a project: what is written is read, former records included."""

import json
from dataclasses import replace

import pytest

from nanotrigger.errors import InputError
from nanotrigger.firmware.record import FILE, Firmware, Layer, read_record, write_record
from nanotrigger.numbers import FixedPoint

TYPES = {"result": "fixed<16,6,RND_CONV,SAT>"}
FIRMWARE = Firmware(
    "jets",
    "Agilex7",
    5.0,
    "io_parallel",
    (
        Layer("features", "Input", "input", "x", 16, 1, TYPES, "features"),
        Layer("Dense_dense_1", "Dense", "logits", "layer2_out", 5, 1, TYPES, "dense_1"),
    ),
)


def test_what_is_written_is_read(tmp_path):
    write_record(FIRMWARE, tmp_path)
    assert read_record(tmp_path) == FIRMWARE
    assert (FIRMWARE.features, FIRMWARE.outputs, FIRMWARE.output_format) == (16, 5, FixedPoint(16, 6))


def test_steps_of_outputs_may_be_above_one():
    coarse = replace(FIRMWARE.layers[-1], types={"result": "fixed<6,8,RND_CONV,SAT>"})
    assert replace(FIRMWARE, layers=(FIRMWARE.layers[0], coarse)).output_format.step == 4.0


def test_a_former_record_has_no_labels(tmp_path):
    write_record(FIRMWARE, tmp_path)
    record = json.loads((tmp_path / FILE).read_text())
    assert record["part"] == "Agilex7"
    for layer in record["layers"]:
        del layer["label"]
    (tmp_path / FILE).write_text(json.dumps(record))
    assert read_record(tmp_path) == FIRMWARE


def test_another_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="is no firmware project"):
        read_record(tmp_path)
