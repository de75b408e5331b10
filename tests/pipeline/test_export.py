"""export.py as a user runs it: the proof, and that it can fail."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from nanotrigger.cost.record import read_reports
from nanotrigger.cost.sources.structural import StructuralCount
from nanotrigger.datapath.operations import Offset
from nanotrigger.firmware import proof
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.proof import judge
from nanotrigger.firmware.record import read_record
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.onnx_file import load_model
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import judged_events
from nanotrigger.training.checkpoint import load_trained
from tests.command import command


def export(*arguments: str, **options):
    return command("export.py", *arguments, **options)


@pytest.fixture(scope="module")
def exported(quantized_run) -> Path:
    done = export(f"ckpt={quantized_run / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    assert "parity        0 of" in done.stdout
    return quantized_run / "export"


def test_every_word_is_the_same(exported):
    parity = json.loads((exported / "parity.json").read_text())
    assert parity["remarks"] == []  # nothing was asked for that the firmware has not
    assert parity["differing_words"] == 0
    assert parity["differing_words_of"] == {"torch": 0, "qonnx": 0, "datapath": 0, "firmware": 0}
    assert parity["inputs"]["events"]["samples"] == 10_000  # the whole test split
    assert parity["inputs"]["extremes"]["samples"] >= 1_000
    assert parity["words"] == 5 * parity["samples"] == 5 * (10_000 + parity["inputs"]["extremes"]["samples"])
    assert set(parity["sha256"]) == {"checkpoint", "data", "qonnx", "firmware"}


def test_the_firmware_is_as_accurate_as_the_network(exported):
    emulation = json.loads((exported / "emulation.json").read_text())
    tested = json.loads((exported.parent / "test.json").read_text())
    assert emulation["accuracy"] == tested["accuracy"]


def test_every_export_states_its_cost(exported):
    report, verilog = read_reports(exported)
    assert (verilog.scope, verilog.used.aluts < report.used.aluts) == ("Verilog", True)
    assert report.source == StructuralCount.name
    assert 1_000 < report.used.aluts < 50_000
    assert report.used.dsps == 0
    assert report.used.mlabs == 4  # ceil(5 outputs of 16 bits / 20)
    assert report.used.aluts == sum(row.aluts for row in report.rows)


def test_the_datasheet_is_one_page_of_its_own(exported):
    page = (exported / "datasheet.html").read_text()
    parity = json.loads((exported / "parity.json").read_text())
    assert parity["sha256"]["firmware"] in page
    assert "Structural count" in page
    assert "<script" not in page
    assert 'src="http' not in page


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="simulates the Verilog with Icarus")
def test_the_verilog_passes_its_own_testbench(exported, tmp_path):
    rtl, bench = exported / "rtl", str(tmp_path / "bench.vvp")
    built = ["iverilog", "-g2012", "-o", bench, *map(str, rtl.glob("*.v"))]
    subprocess.run(built, check=True)
    done = subprocess.run(["vvp", "-n", bench], cwd=rtl, check=True, capture_output=True, text=True)
    assert "PASS" in done.stdout


def test_the_cpp_runs_with_gcc_alone(exported, tmp_path):
    script, words, alone = exported / "hls/host_sycl/run.sh", exported / "tb_data", {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", script], env=alone, check=True, capture_output=True, text=True)
    assert re.fullmatch(r"PASS: (\d+) words of \d+ events are equal\n", done.stdout)
    expected = (words / "expected.txt").read_text().split()
    expected[7] = str(int(expected[7]) ^ 1)
    (tmp_path / "other.txt").write_text(" ".join(expected))
    arguments = ["sh", script, words / "inputs.txt", tmp_path / "other.txt"]
    done = subprocess.run(arguments, env=alone, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"event 1, output 2: {int(expected[7]) ^ 1} instead of {expected[7]}\nFAIL: 1 of " in done.stdout


def test_what_cannot_be_counted_is_not_guessed(quantized_run, tmp_path):
    done = export(f"ckpt={quantized_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", "reuse_factor=4")
    assert done.returncode == 0, done.stderr
    assert "no structural count: reuse_factor=4: the structural count knows only 1" in done.stdout
    assert read_reports(tmp_path / "export") == ()


@pytest.mark.skipif(shutil.which("icpx") is not None, reason="the vendor's compiler is there")
def test_without_the_vendors_compiler_nothing_is_exported(quantized_run, tmp_path):
    done = export(f"ckpt={quantized_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", "report=vendor")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "icpx, the vendor's compiler, is not on the PATH; install oneAPI 2025.0" in done.stderr
    assert not (tmp_path / "export").exists()


def test_vectors_are_what_the_network_computes(exported):
    trained = load_trained(exported.parent / "best.ckpt")
    inputs, expected = (np.loadtxt(exported / "tb_data" / name) for name in ("inputs.txt", "expected.txt"))
    given, output = trained.network.formats["input"], trained.network.formats["output"]
    values = judged_events(trained).features
    np.testing.assert_array_equal(inputs[: len(values)], given.words(values))
    with torch.inference_mode():
        logits = trained.network.double()(torch.from_numpy(inputs * given.step)).numpy()
    np.testing.assert_array_equal(expected, output.words(logits))


def test_one_flipped_bit_is_found(exported, tmp_path):
    """Change the last bit of one weight in the generated C++: the check must fail and name the layer."""
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    firmware = read_record(folder / "hls")
    weights = next(path for path in sorted((folder / "hls").rglob("w*.h")) if _layer_of(path, firmware) == "dense_2")
    text = weights.read_text()
    values = re.search(r"\{(.*)\}", text, re.S)[1].split(",")
    step = FixedPoint(4, 2).step
    word = round(float(values[5]) / step)
    values[5] = f" {(word ^ 1) * step}"
    weights.write_text(re.sub(r"\{.*\}", lambda _: "{" + ",".join(values) + "}", text, flags=re.S))
    trained = load_trained(exported.parent / "best.ckpt")
    judgement = judge(trained, judged_events(trained), Target(), firmware, folder)
    parity, difference = judgement.parity, judgement.difference
    assert parity["differing_words_of"]["qonnx"] == 0
    assert parity["differing_words_of"]["firmware"] > 0
    assert parity["differing_words"] == parity["differing_words_of"]["firmware"]
    assert (difference.witness, difference.node) == ("firmware", "dense_2")


def _other_torch(trained, monkeypatch):
    with torch.no_grad():
        trained.network.layers.dense_2.weight[0, :3] += 0.5


def _other_qonnx(trained, monkeypatch):
    def load(path):
        model = load_model(path)
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "dense_2_weight_float")
        values = onnx.numpy_helper.to_array(tensor) + np.eye(32, dtype=np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        return model

    monkeypatch.setattr(proof, "load_model", load)


def _other_datapath(trained, monkeypatch):
    def unroll(graph, bounds=None):
        datapath = original(graph, bounds)
        if not bounds:  # what the Verilog is made of shares adders, and is another
            return datapath
        operations = tuple(
            operation._replace(constant=operation.constant + 64)
            if isinstance(operation, Offset) and operation.layer == "dense_2"
            else operation
            for operation in datapath.operations
        )
        return replace(datapath, operations=operations)

    original = Graph.unroll
    monkeypatch.setattr(Graph, "unroll", unroll)


@pytest.mark.parametrize(
    ("witness", "make_other"), [("torch", _other_torch), ("qonnx", _other_qonnx), ("datapath", _other_datapath)]
)
def test_a_witness_that_computes_something_else_is_named(exported, tmp_path, monkeypatch, witness, make_other):
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    trained = load_trained(exported.parent / "best.ckpt")
    events = judged_events(trained)
    make_other(trained, monkeypatch)
    judgement = judge(trained, events, Target(), read_record(folder / "hls"), folder)
    differing = judgement.parity["differing_words_of"]
    assert differing.pop(witness) == judgement.parity["differing_words"] > 0
    assert set(differing.values()) == {0}
    assert (judgement.difference.witness, judgement.difference.node) == (witness, "dense_2")


@pytest.mark.parametrize("softmax", [False, True])
def test_firmware_of_vector_layers_is_judged_the_same_way(exported, tmp_path, softmax):
    shutil.copy(exported / "model.onnx", tmp_path)
    flat, backend, target = Flat(read_graph(tmp_path / "model.onnx")), backend_named("oneapi"), Target(softmax=softmax)
    flat.write(tmp_path / "hls4ml.onnx")
    files, settings = (tmp_path / "hls4ml.onnx", tmp_path / "hls"), {"input_format": flat.number, "formats": flat.exact}
    firmware = backend.convert(*files, target, name="flat", **settings)
    trained = load_trained(exported.parent / "best.ckpt")
    judgement = judge(trained, judged_events(trained), target, firmware, tmp_path, flat=flat)
    assert judgement.parity["differing_words_of"] == {"torch": 0, "qonnx": 0, "datapath": 0, "firmware": 0}
    assert judgement.parity["inputs"] == json.loads((exported / "parity.json").read_text())["inputs"]
    for name in ("inputs.txt", "expected.txt")[: 1 if softmax else 2]:
        assert (tmp_path / "tb_data" / name).read_text() == (exported / "tb_data" / name).read_text()


def _layer_of(weights: Path, firmware) -> str | None:
    number = re.fullmatch(r"w(\d+)\.h", weights.name)
    variables = {layer.variable: layer.tensor for layer in firmware.layers}
    return variables.get(f"layer{number[1]}_out") if number else None


def test_a_float_network_is_quantized_after_training(float_run, tmp_path):
    done = export(f"ckpt={float_run / 'best.ckpt'}", f"output={tmp_path / 'wide'}", "precision=fixed<24,8>")
    assert done.returncode == 0, done.stderr
    wide = json.loads((tmp_path / "wide" / "parity.json").read_text())
    assert export(f"ckpt={float_run / 'best.ckpt'}", f"output={tmp_path / 'usual'}").returncode == 0
    assert json.loads((tmp_path / "usual" / "rtl" / "module.json").read_text())["exact"]
    usual = json.loads((tmp_path / "usual" / "parity.json").read_text())
    assert usual["target"]["precision"] == "fixed<16,6>"
    assert wide["largest_deviation"] < usual["largest_deviation"] < 0.5
    assert wide["argmax_agreement"] > 0.999
    assert abs(wide["accuracy_torch"] - wide["accuracy_firmware"]) < 0.001


def test_softmax(quantized_run, tmp_path):
    done = export(f"ckpt={quantized_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", "softmax=true")
    assert done.returncode == 0, done.stderr
    parity = json.loads((tmp_path / "export" / "parity.json").read_text())
    assert parity["differing_words"] == 0
    assert parity["softmax"]["largest_deviation"] < 0.05
    assert parity["softmax"]["argmax_agreement"] > 0.98


@pytest.mark.parametrize("precision", ["fixed<10,6>", "ufixed<8,4>", "fixed<9,-2,RND,SAT>"])
def test_softmax_of_a_float_network_whose_logits_are_widened(float_run, tmp_path, precision):
    options = (f"precision={precision}", "softmax=true")
    done = export(f"ckpt={float_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", *options)
    assert done.returncode == 0, done.stderr
    parity = json.loads((tmp_path / "export" / "parity.json").read_text())
    assert parity["softmax"]["largest_deviation"] < 0.05
    assert parity["softmax"]["argmax_agreement"] > 0.98


def test_a_softmax_that_no_table_serves_is_one_line_before_anything_is_written(float_run, tmp_path):
    options = ("precision=fixed<12,9>", "softmax=true")
    done = export(f"ckpt={float_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", *options)
    assert done.returncode == 2
    assert "softmax of fixed<12,9>: its tables serve at most 8 integer bits" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "export").exists()


def test_a_precision_that_overflows_is_told_and_recorded_with_both_accuracies(float_run, tmp_path):
    done = export(f"ckpt={float_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", "precision=fixed<12,0>")
    assert done.returncode == 0, done.stderr
    parity = json.loads((tmp_path / "export" / "parity.json").read_text())
    overflow, worse = parity["remarks"]
    assert re.match(
        r"precision=fixed<12,0> holds -0.5 to 0.499756; out of range are inputs \(to .*; weights of ", overflow
    )
    better = re.search(r"integer bits would hold all of them: (precision=fixed<\d+,\d+>)$", overflow)[1]
    both = [parity[f"accuracy_{name}"] for name in ("torch", "firmware")]
    assert worse.endswith(f"falls from {both[0]:.4f} (float network) to {both[1]:.4f} (firmware)")
    page = (tmp_path / "export" / "datasheet.html").read_text()
    for remark in parity["remarks"]:
        assert f"warning: {remark}\n" in done.stdout
        assert remark.replace("<", "&lt;").replace(">", "&gt;") in page
    again = export(f"ckpt={float_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", better)
    assert again.returncode == 0, again.stderr
    assert json.loads((tmp_path / "export" / "parity.json").read_text())["remarks"] == []


def test_a_reuse_factor_that_hls4ml_does_not_take_is_told_and_recorded(quantized_run, tmp_path):
    done = export(f"ckpt={quantized_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", "reuse_factor=3")
    assert done.returncode == 0, done.stderr
    parity = json.loads((tmp_path / "export" / "parity.json").read_text())
    firmware = read_record(tmp_path / "export" / "hls")
    dense = {layer.label: layer.reuse_factor for layer in firmware.layers if layer.kind == "Dense"}
    assert parity["target"]["reuse_factor"] == 3
    assert parity["built"]["reuse_factor"] == dense == {f"dense_{depth}": 2 for depth in (1, 2, 3, 4)}
    assert "warning: reuse_factor=3: layer dense_1 has 2, because 16 × 32 products can only be shared by" in done.stdout
    assert "layers dense_2 and dense_3 have 2" in done.stdout
    assert len(parity["remarks"]) == 3
    assert parity["remarks"][0] in (tmp_path / "export" / "datasheet.html").read_text()


def test_options_reach_the_firmware(quantized_run, tmp_path):
    options = ("fpga_part=AGFB014R24A3E3V", "clock_period=4", "io_type=io_stream", "reuse_factor=4")
    done = export(f"ckpt={quantized_run / 'best.ckpt'}", f"output={tmp_path / 'export'}", *options)
    assert done.returncode == 0, done.stderr
    settings = (tmp_path / "export" / "hls" / "hls4ml_config.yml").read_text()
    for line in ("Part: AGFB014R24A3E3V", "ClockPeriod: '4'", "IOType: io_stream"):
        assert line in settings
    parity = json.loads((tmp_path / "export" / "parity.json").read_text())
    assert parity["differing_words"] == 0
    assert parity["built"] == {
        **{"fpga_part": "AGFB014R24A3E3V", "clock_period": 4.0, "io_type": "io_stream"},
        "reuse_factor": {f"dense_{depth}": 4 for depth in (1, 2, 3, 4)},
    }


def test_other_data_and_missing_data(quantized_run, tmp_path):
    trained = load_trained(quantized_run / "best.ckpt")
    trained.data.update(source=str(tmp_path / "gone.h5"), description="gone.h5", sha256="0" * 64)
    events = judged_events(trained)
    assert len(events.labels) == 50_000
    assert "the training data (gone.h5) are not at hand, the scaling is the checkpoint's own" in events.description


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "ckpt"),
        (["ckpt=nowhere.ckpt"], "ckpt=nowhere.ckpt: no such file"),
        (["ckpt={run}/config.yaml"], "config.yaml"),
        (["ckpt={run}/best.ckpt", "precision=fixed<16,6>"], "precision=fixed<16,6> is for float checkpoints"),
        (["ckpt={run}/best.ckpt", "io_type=io_serial"], "io_type 'io_serial': must be io_parallel or io_stream"),
        (["ckpt={run}/best.ckpt", "reuse_factor=0"], "reuse_factor 0: must be at least 1"),
        (["ckpt={run}/best.ckpt", "reuse_factr=1"], "reuse_factr"),
        (["ckpt={run}/best.ckpt", "output={run}"], "parity.json is missing"),
        (["ckpt={run}/best.ckpt", "data=nowhere.h5"], "data.source=nowhere.h5: no file nowhere.h5"),
        (["ckpt={float}/best.ckpt", "precision=fixed<4,6>"], "fixed<4,6>: integer bits must be at most the width"),
    ],
)
def test_bad_input_is_one_line(quantized_run, float_run, arguments, message):
    before = sorted(path for path in quantized_run.rglob("*") if "export" not in path.parts)
    done = export(*(argument.format(run=quantized_run, float=float_run) for argument in arguments))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert sorted(path for path in quantized_run.rglob("*") if "export" not in path.parts) == before


def test_no_compiler(quantized_run, tmp_path):
    nowhere = os.environ | {"PATH": str(tmp_path)}
    done = export(f"ckpt={quantized_run / 'best.ckpt'}", f"output={tmp_path / 'x'}", env=nowhere)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "g++" in done.stderr
    assert not (tmp_path / "x").exists()
