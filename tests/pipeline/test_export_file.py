"""export.py qonnx=FILE as a user runs it: networks that others made, proven or refused."""

import json
import re

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
    assert "qonnx_samples" not in parity  # it computed all of them
    assert parity["first_difference"] is None
    assert (exported / "model.onnx").read_bytes() == onnx.load(exported.parent / "cnn.onnx").SerializeToString()


def test_it_has_cost_verilog_datasheet_and_vectors(exported):
    report, verilog = read_reports(exported)
    assert (report.scope, verilog.scope) == ("whole IP", "Verilog")
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


def test_it_is_said_when_qonnx_is_no_witness(tmp_path):
    maker, generator = Maker(), np.random.default_rng(9)
    name = maker.quant(maker.input(4), 20, 1.0, name="input_quantizer")
    maker.write(tmp_path / "wide.onnx", maker.add("MatMul", name, maker.weights(generator, 4, 2, bits=8)))
    done = command("export.py", f"qonnx={tmp_path / 'wide.onnx'}")
    assert done.returncode == 0, done.stderr
    assert "between datapath and firmware" in done.stdout
    parity = json.loads((tmp_path / "wide_export" / "parity.json").read_text())
    assert parity["differing_words_of"] == {"datapath": 0, "firmware": 0}
    (remark,) = parity["remarks"]
    assert remark.startswith(
        "qonnx is left out as a witness: it computes in float32, whose 24 bits are too few for sums"
    )
    assert f"warning: {remark}" in done.stdout
    assert remark[1:] in (tmp_path / "wide_export" / "datasheet.html").read_text()


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


def odd_scales(maker):
    generator = np.random.default_rng(4)
    name = maker.quant(maker.input(2, 6, 6, name="image"), 8, 0.25, name="input_quantizer")
    name = maker.add("Conv", name, maker.weights(generator, 4, 1, 3, 3), group=2, kernel_shape=[3, 3], name="grouped")
    name = maker.quant(maker.add("Relu", name), 8, 0.13, signed=0, name="odd")
    name = maker.add("Flatten", maker.add("MaxPool", name, kernel_shape=[2, 2], strides=[2, 2]))
    name = maker.quant(maker.add("MatMul", name, maker.weights(generator, 16, 3)), 12, 0.125, name="logits")
    return maker.add("Softmax", name, axis=-1, name="probabilities")


def of_floats(maker):
    generator = np.random.default_rng(5)
    name = maker.add("Gemm", maker.input(6), maker.constant(generator.normal(size=(6, 8)) / 3), name="first")
    return maker.add("Gemm", maker.add("Relu", name), maker.constant(generator.normal(size=(8, 3)) / 3), name="last")


@pytest.fixture(scope="module")
def approximated(tmp_path_factory):
    folder, maker = tmp_path_factory.mktemp("approximate"), Maker()
    maker.write(folder / "odd.onnx", odd_scales(maker))
    features = np.random.default_rng(0).normal(0, 4, (300, 2, 6, 6))
    np.savez(folder / "events.npz", X=features, y=np.arange(300) % 3)
    done = command("export.py", f"qonnx={folder / 'odd.onnx'}", "approximate=true", f"data={folder / 'events.npz'}")
    assert done.returncode == 0, done.stderr
    return folder / "odd_export", done.stdout


def test_a_file_that_cannot_be_proven_is_refused_with_the_remedy(approximated):
    done = command("export.py", f"qonnx={approximated[0].parent / 'odd.onnx'}")
    assert done.returncode == 2
    assert "node odd: scale 0.13 of the quantizer is no power of two" in done.stderr
    assert "or give approximate=true" in done.stderr


def test_the_distance_is_said_and_nothing_is_claimed(approximated):
    folder, said = approximated
    parity = json.loads((folder / "parity.json").read_text())
    assert parity["differing_words"] is None
    assert parity["reason"].startswith("node odd: scale 0.13")
    assert (parity["samples"], parity["words"], parity["compared_samples"]) == (300, 900, 300)
    assert 0 < parity["mean_distance"] < 0.5 < parity["equal_words"] < 1
    assert parity["largest_distance"] * 0.125 == parity["largest_deviation"] < 2
    assert "node probabilities is left out: the firmware ends before it" in parity["remarks"]
    assert f"{100 * parity['equal_words']:.2f} % of the words are equal, 300 events" in said
    assert "no structural count: approximate=true: there are no integers" in said
    assert not (folder / "rtl").exists()
    texts = (said, (folder / "parity.json").read_text(), (folder / "datasheet.html").read_text())
    assert not any(re.search(r"\b(proof|proven|prove)\b", text.lower()) for text in texts)
    assert "An approximation." in texts[2]
    assert "approximate=true" in texts[2]


def test_the_distance_is_that_of_the_words(approximated):
    folder, _ = approximated
    parity = json.loads((folder / "parity.json").read_text())
    with np.load(folder.parent / "events.npz") as events:
        features, classes = events["X"], events["y"]
    words = np.loadtxt(folder / "tb_data" / "expected.txt")
    maker = Maker()
    odd_scales(maker)
    (logits,) = maker.run({"image": features}, "logits_out")
    distance = np.abs(words - logits / 0.125)
    assert parity["largest_distance"] == distance.max()
    assert parity["equal_words"] == (distance == 0).mean()
    assert parity["accuracy_file"] == (logits.argmax(axis=1) == classes).mean()
    assert parity["accuracy_firmware"] == (words.argmax(axis=1) == classes).mean()


def test_an_approximation_is_verified_as_what_it_is(approximated):
    findings = {finding.check: finding for finding in nt.verify(approximated[0])}
    assert all(finding.holds for finding in findings.values())
    assert findings["parity"].text.startswith("an approximation of the file, at most ")


def test_floats_take_a_precision(tmp_path):
    maker = Maker()
    maker.write(tmp_path / "floats.onnx", of_floats(maker))
    distances = {}
    for precision in ("fixed<12,6>", "fixed<24,6>"):
        folder = nt.export(tmp_path / "floats.onnx", approximate=True, precision=precision)
        parity = json.loads((folder / "parity.json").read_text())
        assert parity["output_format"] == parity["target"]["precision"] == precision
        distances[precision] = parity["largest_deviation"]
    assert distances["fixed<24,6>"] < 0.001 < distances["fixed<12,6>"] < 1


def test_a_residual_of_any_scale_is_near_the_file(tmp_path):
    maker, generator = Maker(), np.random.default_rng(0)
    name = maker.quant(maker.input(6), 8, 0.1)
    dense = maker.add("Relu", maker.add("MatMul", name, maker.weights(generator, 6, 6, scale=0.2)))
    maker.write(tmp_path / "residual.onnx", maker.quant(maker.add("Add", name, maker.quant(dense, 8, 0.1)), 10, 0.11))
    folder = nt.export(tmp_path / "residual.onnx", approximate=True)
    parity = json.loads((folder / "parity.json").read_text())
    assert parity["equal_words"] > 0.8  # hls4ml by itself has none right
    assert parity["largest_deviation"] < 0.3


def test_a_dense_layer_of_torch_with_a_scale_for_each_channel(tmp_path):
    maker, generator = Maker(), np.random.default_rng(8)
    name = maker.quant(maker.input(6), 6, 0.25, name="input_quantizer")
    weights = maker.weights(generator, 3, 6, scale=[[0.11], [0.2], [0.3]])
    maker.write(tmp_path / "made.onnx", maker.add("Gemm", name, weights, maker.weights(generator, 3), transB=1))
    folder = nt.export(tmp_path / "made.onnx", approximate=True)
    parity = json.loads((folder / "parity.json").read_text())
    assert parity["largest_deviation"] < 0.01


def test_what_can_be_proven_stays_proven(exported, tmp_path):
    file = exported.parent / "cnn.onnx"
    done = command("export.py", f"qonnx={file}", "approximate=true", f"output={tmp_path / 'out'}")
    assert "approximate=true changes nothing" in done.stdout
    assert (tmp_path / "out" / "parity.json").read_bytes() == (exported / "parity.json").read_bytes()


def test_labels_give_the_accuracy_beside_the_proof(exported, tmp_path):
    rows = np.random.default_rng(0).normal(0, 3, (60, 2, 6, 6))
    np.savez(tmp_path / "events.npz", X=rows, y=np.eye(3)[np.arange(60) % 3])
    file = exported.parent / "cnn.onnx"
    done = command("export.py", f"qonnx={file}", f"data={tmp_path / 'events.npz'}", f"output={tmp_path / 'out'}")
    parity = json.loads((tmp_path / "out" / "parity.json").read_text())
    words = np.loadtxt(tmp_path / "out" / "tb_data" / "expected.txt")[:60]
    assert parity["accuracy_file"] == parity["accuracy_firmware"] == (words.argmax(axis=1) == np.arange(60) % 3).mean()
    assert f"{parity['accuracy_file']:.4f} (file), {parity['accuracy_firmware']:.4f} (firmware)" in done.stdout


def unknown(maker):
    return maker.add("Erf", maker.quant(maker.input(3), 6, 0.25), name="curve")


def two_inputs(maker):
    sides = (maker.quant(maker.input(3, name=name), 6, 0.1) for name in ("left", "right"))
    return maker.add("Add", *sides)


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (unknown, [], "node curve: hls4ml knows no Erf"),
        (two_inputs, [], "has 2 inputs and 1 outputs"),
        (of_floats, ["precision=many"], "precision=many"),
        (of_floats, ["softmax=true"], "softmax=True"),
    ],
)
def test_what_cannot_be_approximated_is_refused_in_one_line(network, arguments, message, tmp_path):
    maker = Maker()
    maker.write(tmp_path / "made.onnx", network(maker))
    done = command("export.py", f"qonnx={tmp_path / 'made.onnx'}", "approximate=true", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["made.onnx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "neither of ckpt and qonnx"),
        (["ckpt=a.ckpt", "qonnx=b.onnx"], "both of ckpt and qonnx"),
        (["ckpt=a.ckpt", "input=fixed<16,6>"], "input=fixed<16,6>: a checkpoint has its own"),
        (["ckpt=a.ckpt", "approximate=true"], "approximate=true: is for files"),
        (["qonnx=missing.onnx"], "missing.onnx: no such QONNX file"),
    ],
)
def test_arguments_that_do_not_go_together(arguments, message):
    done = command("export.py", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_network_without_weights(tmp_path):
    maker = Maker()
    maker.write(tmp_path / "made.onnx", maker.add("MaxPool", maker.quant(maker.input(1, 4), 6, 4.0), kernel_shape=[2]))
    folder = nt.export(tmp_path / "made.onnx")
    assert json.loads((folder / "parity.json").read_text())["differing_words"] == 0
    assert "No layer multiplies with constants." in (folder / "datasheet.html").read_text()
