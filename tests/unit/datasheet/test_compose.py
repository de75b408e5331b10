"""The datasheet of an export: read from its folder, without a compiler."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nanotrigger.data.split import Events, Standardization
from nanotrigger.datasheet.compose import compose_datasheet
from nanotrigger.datasheet.page import render
from nanotrigger.files import write_json
from nanotrigger.firmware.backends.oneapi.convert import convert
from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.witnesses import torch_outputs
from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.checkpoint import TrainedNetwork

pytestmark = pytest.mark.slow
FORMATS = {
    "input": FixedPoint(8, 4),
    "weight": FixedPoint(4, 2, narrow=True),
    "bias": FixedPoint(8, 2),
    "activation": FixedPoint(8, 2, signed=False),
    "output": FixedPoint(12, 5),
}


def make_trained(formats: dict[str, FixedPoint]) -> TrainedNetwork:
    torch.manual_seed(1)
    data = {
        "source": "simulated",
        "description": "made by hand",
        "sha256": "d" * 64,
        "jets": 100,
        "test": 0.2,
        "validation": 0.25,
        "split_seed": 0,
        "feature_names": list("abcdef"),
        "class_names": ["g", "q", "t"],
    }
    scaling = Standardization(torch.arange(6).double(), torch.ones(6).double())
    return TrainedNetwork(MLP(6, (8,), 3, **formats).eval(), "JetTagging", data, scaling, 3, "c" * 64)


def make_events() -> Events:
    features = np.random.default_rng(1).normal(0, 3, (90, 6))
    return Events(features, np.arange(90) % 3, ("g", "q", "t"), "made by hand, 90 jets", "e" * 64)


def make_export(folder: Path, trained: TrainedNetwork, precision: str | None) -> None:
    write_qonnx(trained.network, folder / "model.onnx")
    convert(folder / "model.onnx", folder / "hls", Target(precision=precision), name="three_classes")
    parity = {
        "differing_words": None if precision else 0,
        "differing_words_of": {"torch": 0, "qonnx": 0, "datapath": 0, "firmware": 0},
        "accuracy_torch": 0.5,
        "accuracy_firmware": 0.5,
        "argmax_agreement": 0.99,
        "largest_deviation": 0.1,
        "words": 3 * 190,
        "inputs": {"events": {"samples": 90, "description": "made by hand"}, "extremes": {"samples": 100}},
        "compiler": "g++",
        "target": {"reuse_factor": 1, "softmax": False, "precision": precision},
        "sha256": {"checkpoint": "c" * 64},
    }
    write_json(folder / "parity.json", parity)


def compose(folder: Path, formats: dict[str, FixedPoint], precision: str | None):
    trained, events = make_trained(formats), make_events()
    make_export(folder, trained, precision)
    logits = torch_outputs(trained.network, events.features)
    return compose_datasheet(folder, trained, events, logits, reports=(), checkpoint=folder / "best.ckpt")


def test_quantized_network(tmp_path):
    (tmp_path / "config.yaml").touch()
    sheet = compose(tmp_path, FORMATS, None)
    assert (sheet.experiment, sheet.task, sheet.widths) == ("three_classes", "Jet tagging", "6-8-3")
    assert sheet.audits[0].name == "input"
    assert len(sheet.audits) == 7
    assert sheet.vectors == 190
    assert sheet.features[5].mean == 5
    assert all(np.array_equal(FORMATS["weight"].quantize(layer.values), layer.values) for layer in sheet.weights)
    assert sheet.commands[0].line == f"python train.py fit --config {tmp_path}/config.yaml --output NEW_RUN"
    assert sheet.commands[1].line == f"python export.py ckpt={tmp_path}/best.ckpt"
    lower, upper = sheet.performance.interval
    assert lower < sheet.performance.value < upper
    assert "three_classes" in render(sheet)


def test_weights_that_saturated_in_the_training_are_explained(tmp_path):
    sheet = compose(tmp_path, FORMATS | {"weight": FixedPoint(4, -3)}, None)
    assert [line.partition(":")[0] for line in sheet.saturation] == ["input"]
    assert sheet.trained_saturation.startswith("dense_1_weight, dense_2_weight: up to ")


def test_float_network(tmp_path):
    sheet = compose(tmp_path, {}, "fixed<16,6>")
    assert [(audit.name, audit.overflows) for audit in sheet.audits] == [
        *(("features", False), ("dense_1_weight", False), ("dense_1_bias", False), ("dense_1", False)),
        *(("relu_1", False), ("dense_2_weight", False), ("dense_2_bias", False), ("dense_2", False)),
    ]
    assert sheet.saturation == ()
    assert sheet.commands[0].line == f"python export.py ckpt={tmp_path}/best.ckpt 'precision=fixed<16,6>'"
    assert "quantized after training" in render(sheet)


def test_remarks_of_the_export_stand_in_the_datasheet(tmp_path):
    sheet = compose(tmp_path, {}, "fixed<12,0>")
    assert any(audit.overflows for audit in sheet.audits)
    remark = "precision=fixed<12,0> holds -0.5 to 0.499756"
    noted = replace(sheet, parity={**sheet.parity, "remarks": [remark]})
    assert f"{remark}.".replace("<", "&lt;").replace(">", "&gt;") in render(noted)


def test_same_bytes_of_the_same_export(tmp_path):
    pages = [render(compose(tmp_path, FORMATS, None)) for _ in range(2)]
    assert pages[0] == pages[1]
