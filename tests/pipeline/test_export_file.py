"""export.py qonnx=FILE as a user runs it: networks that others made, proven or refused."""

import json

import numpy as np
import onnx
import pytest

import nanotrigger as nt
from nanotrigger.cost.record import read_reports
from nanotrigger.firmware.file_export import export_file
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.vector_layers import VectorLayers
from tests.command import command
from tests.made_models import Maker


def depthwise(maker: Maker) -> str:
    """Return a convolution of each channel by itself, which hls4ml gets wrong for oneAPI, max-pooling, a dense head."""
    generator = np.random.default_rng(3)
    name = maker.quant(maker.input(2, 6, 6, name="image"), 6, 0.125, name="input_quantizer")
    weights = maker.weights(generator, 4, 1, 3, 3)
    name = maker.add("Conv", name, weights, group=2, kernel_shape=[3, 3], name="depthwise")
    name = maker.quant(maker.add("Relu", name), 6, 0.25, signed=0, name="activation")
    name = maker.add("Flatten", maker.add("MaxPool", name, kernel_shape=[2, 2], strides=[2, 2], name="pool"))
    name = maker.add("MatMul", name, maker.weights(generator, 16, 3), name="head")
    return maker.quant(maker.add("Add", name, maker.weights(generator, 3)), 12, 0.125, name="logits")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder, maker = tmp_path_factory.mktemp("files"), Maker()
    maker.write(folder / "cnn.onnx", depthwise(maker))
    done = command("export.py", f"qonnx={folder / 'cnn.onnx'}")
    assert done.returncode == 0, done.stderr
    assert "0 of" in done.stdout
    assert "QONNX, datapath and firmware" in done.stdout
    return folder / "cnn_export"


def test_every_word_is_the_same(exported):
    parity = json.loads((exported / "parity.json").read_text())
    assert parity["differing_words_of"] == {"qonnx": 0, "datapath": 0, "firmware": 0}
    assert parity["words"] >= 3 * 2048
    assert parity["qonnx_samples"] == 64
    assert parity["first_difference"] is None
    assert (exported / "model.onnx").read_bytes() == onnx.load(exported.parent / "cnn.onnx").SerializeToString()


def test_it_has_cost_verilog_datasheet_and_vectors(exported):
    (report,) = read_reports(exported)
    assert report.used.aluts > 1000
    assert any(row.name == "pool" for row in report.rows)
    assert (exported / "rtl").is_dir()
    assert len((exported / "tb_data" / "inputs.txt").read_text().splitlines()) >= 2048
    page = (exported / "datasheet.html").read_text()
    assert "depthwise" in page
    assert "export.py qonnx=" in page


def test_streams(exported, tmp_path):
    done = command(
        "export.py", f"qonnx={exported.parent / 'cnn.onnx'}", "io_type=io_stream", f"output={tmp_path / 'out'}"
    )
    assert done.returncode == 0, done.stderr
    parity = json.loads((tmp_path / "out" / "parity.json").read_text())
    assert parity["differing_words_of"] == {"qonnx": 0, "datapath": 0, "firmware": 0}
    kinds = {layer["kind"] for layer in json.loads((tmp_path / "out" / "hls" / "firmware.json").read_text())["layers"]}
    assert {"Conv2D", "Pooling2D", "Dense"} <= kinds


def test_it_is_verified(exported):
    assert all(finding.holds for finding in nt.verify(exported))


def test_events_of_a_file(exported, tmp_path):
    rows = np.random.default_rng(0).normal(size=(50, 2, 6, 6))
    np.savez(tmp_path / "events.npz", X=rows)
    folder = nt.export(exported.parent / "cnn.onnx", tmp_path / "out", data=str(tmp_path / "events.npz"))
    parity = json.loads((folder / "parity.json").read_text())
    assert parity["inputs"]["events"] == {"samples": 50, "description": "events.npz, all 50"}
    assert parity["differing_words"] == 0


def test_a_firmware_that_is_wrong_is_named(exported, tmp_path, monkeypatch):
    product = VectorLayers.product

    def wrong(self, source, matrix, step, name, *bias):
        return product(
            self, source, matrix + (name == "head") * np.eye(*matrix.shape, dtype=np.int64), step, name, *bias
        )

    monkeypatch.setattr(VectorLayers, "product", wrong)
    result = export_file(exported.parent / "cnn.onnx", tmp_path / "out", target=Target())
    assert result.judgement.difference.witness == "firmware"
    assert result.judgement.difference.node == "logits"  # in which hls4ml has its head too
    assert result.judgement.parity["differing_words_of"]["datapath"] == 0


def scale_of_a_tenth(maker):
    return maker.quant(maker.quant(maker.input(3), 6, 0.25), 6, 0.1, name="odd")


def table(maker):
    return maker.quant(maker.add("Tanh", maker.quant(maker.input(3), 6, 0.25), name="curve"), 6, 0.125)


def floats(maker):
    return maker.add("MatMul", maker.input(3), maker.constant(np.ones((3, 2))))


def no_input_quantizer(maker):
    return maker.quant(maker.add("MatMul", maker.input(3), maker.weights(np.random.default_rng(0), 3, 2)), 8, 0.25)


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (scale_of_a_tenth, [], "odd"),
        (table, [], "curve"),
        (floats, [], "no quantizers"),
        (no_input_quantizer, [], "input="),
        (no_input_quantizer, ["input=fixed<0,0>"], "input=fixed<0,0>"),
        (no_input_quantizer, ["input=fixed<16,6>", "softmax=true"], "softmax=True"),
        (no_input_quantizer, ["input=fixed<16,6>", "data=missing.npz"], "missing.npz: no such file"),
    ],
)
def test_refuses_in_one_line(network, arguments, message, tmp_path):
    maker = Maker()
    maker.write(tmp_path / "made.onnx", network(maker))
    done = command("export.py", f"qonnx={tmp_path / 'made.onnx'}", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["made.onnx"]


def test_input_gives_the_format_of_inputs(tmp_path):
    maker = Maker()
    maker.write(tmp_path / "made.onnx", no_input_quantizer(maker))
    folder = nt.export(tmp_path / "made.onnx", input_format="fixed<10,4>")
    assert json.loads((folder / "parity.json").read_text())["differing_words"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "neither of ckpt and qonnx"),
        (["ckpt=a.ckpt", "qonnx=b.onnx"], "both of ckpt and qonnx"),
        (["ckpt=a.ckpt", "input=fixed<16,6>"], "input=fixed<16,6>: a checkpoint has its own"),
        (["qonnx=missing.onnx"], "missing.onnx: no such QONNX file"),
    ],
)
def test_arguments_that_do_not_go_together(arguments, message):
    done = command("export.py", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
