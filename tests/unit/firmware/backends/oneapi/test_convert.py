from uuid import UUID

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from scipy import special

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends.oneapi.convert import build_model_graph, convert, possible_reuse_factors
from nanotrigger.firmware.backends.oneapi.emulate import emulate, layer_outputs
from nanotrigger.firmware.target import Target


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_types_of_a_quantized_network_are_those_of_its_quantizers(quantized, tmp_path):
    firmware = convert(quantized.model, tmp_path / "hls", name="jets")
    types = {layer.name: layer.types for layer in firmware.layers}
    assert list(types) == ["global_in", "Dense_MatMul_0", "Relu_0", "Dense_MatMul_1"]
    assert types["global_in"]["result"] == "fixed<8,4,RND_CONV,SAT>"
    assert types["Dense_MatMul_0"]["weight"] == "fixed<4,2,RND_CONV,SAT_SYM>"
    assert types["Dense_MatMul_0"]["bias"] == "fixed<8,2,RND_CONV,SAT>"
    assert types["Relu_0"]["result"] == "ufixed<8,2,RND_CONV,SAT>"
    assert types["Dense_MatMul_1"]["result"] == "fixed<12,5,RND_CONV,SAT>"


def test_layers_name_the_tensors_that_they_equal(quantized, tmp_path):
    firmware = convert(quantized.model, tmp_path / "hls")
    tensors = [layer.tensor for layer in firmware.layers]
    assert tensors == ["Quant_0_out0", "Add_0_out0", "Quant_5_out0", "global_out"]
    assert (firmware.features, firmware.outputs) == (6, 3)


def test_names_that_hls4ml_reserves_are_allowed(quantized, tmp_path):
    model = ModelWrapper(str(quantized.model))
    model.graph.node[0].name = "input"
    model.rename_tensor("Quant_0_out0", "input")
    model.save(str(tmp_path / "model.onnx"))
    firmware = convert(tmp_path / "model.onnx", tmp_path / "hls", Target(io_type="io_stream"))
    assert [layer.kind for layer in firmware.layers] == ["Input", "Dense", "Activation", "Dense"]
    assert firmware.layers[0].tensor == "input"


def test_clock_and_part_reach_the_build_files(quantized, tmp_path):
    convert(quantized.model, tmp_path / "hls", Target(fpga_part="Stratix10", clock_period=2.5))
    build = (tmp_path / "hls" / "CMakeLists.txt").read_text()
    assert '"Stratix10"' in build
    assert "-Xsclock=2.5ns;" in build


def test_same_arguments_give_the_same_files(quantized, tmp_path, monkeypatch):
    for stamp in ("9a8b7c6d", "12345678", "0b010101"):  # hls4ml's random one; YAML quotes numbers alone
        monkeypatch.setattr("uuid.uuid4", lambda stamp=stamp: UUID(24 * "0" + stamp))
        convert(quantized.model, tmp_path / stamp / "hls")
    first, *others = (files(folder) for folder in tmp_path.iterdir())
    assert all(other == first for other in others)


def test_files_do_not_name_the_folder(quantized, tmp_path):
    convert(quantized.model, tmp_path / "hls")
    assert not any(str(tmp_path).encode() in content for content in files(tmp_path / "hls").values())


def test_nothing_is_printed(quantized, tmp_path, capfd):
    convert(quantized.model, tmp_path / "hls")
    assert capfd.readouterr() == ("", "")


def test_failed_conversion_leaves_the_former_project(quantized, tmp_path, monkeypatch):
    convert(quantized.model, tmp_path / "hls")
    before = files(tmp_path)

    def fail(*_, **__):
        raise RuntimeError("disk full")

    monkeypatch.setattr("nanotrigger.firmware.backends.oneapi.convert.build_model_graph", fail)
    with pytest.raises(InputError, match=r"hls4ml cannot convert it: RuntimeError: disk full"):
        convert(quantized.model, tmp_path / "hls", name="other")
    assert files(tmp_path) == before


def test_a_failure_without_a_reason_still_says_something(quantized, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise AssertionError

    monkeypatch.setattr("nanotrigger.firmware.backends.oneapi.convert.build_model_graph", fail)
    with pytest.raises(InputError, match=r"cannot convert it: AssertionError: no reason; use other layers there$"):
        convert(quantized.model, tmp_path / "hls")


def test_former_project_is_replaced_build_included(quantized, tmp_path):
    convert(quantized.model, tmp_path / "hls", name="former")
    (tmp_path / "hls" / "build").mkdir()
    convert(quantized.model, tmp_path / "hls", name="latter")
    assert not (tmp_path / "hls" / "build").exists()
    assert not (tmp_path / "hls" / "src" / "former_bridge.cpp").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["hls"]


def test_reuse_factor_is_the_nearest_that_a_layer_allows(quantized, tmp_path):
    firmware = convert(quantized.model, tmp_path / "hls", Target(reuse_factor=5))
    reuse = {layer.name: layer.reuse_factor for layer in firmware.layers if layer.kind == "Dense"}
    assert reuse == {"Dense_MatMul_0": 6, "Dense_MatMul_1": 4}


@pytest.mark.parametrize("clock_period", [1 / 3, 5, 4.0, 1e-6, 1234567.891])
def test_the_record_is_what_hls4ml_has(quantized, tmp_path, clock_period, monkeypatch):
    models = []

    def build(*arguments, **options):
        models.append(build_model_graph(*arguments, **options))
        return models[0]

    monkeypatch.setattr("nanotrigger.firmware.backends.oneapi.convert.build_model_graph", build)
    target = Target(clock_period=clock_period, reuse_factor=5, fpga_part="Stratix10", io_type="io_stream")
    firmware = convert(quantized.model, tmp_path / "hls", target)
    settings = {key: models[0].config.get_config_value(key) for key in ("Part", "ClockPeriod", "IOType")}
    assert (firmware.fpga_part, f"{firmware.clock_period:g}", firmware.io_type) == (
        *(settings["Part"], f"{float(settings['ClockPeriod']):g}", settings["IOType"]),
    )
    assert firmware.clock_period == clock_period  # all its digits
    assert f"-Xsclock={settings['ClockPeriod']}ns;" in (tmp_path / "hls" / "CMakeLists.txt").read_text()
    assert {layer.name: layer.reuse_factor for layer in firmware.layers} == {
        layer.name: layer.get_attr("reuse_factor") for layer in models[0].get_layers()
    }
    for layer in firmware.layers:
        if layer.kind == "Dense":
            assert layer.reuse_factor in possible_reuse_factors(*((6, 8) if layer.size == 8 else (8, 3)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "jets-qat"}, "project name 'jets-qat'"),
        ({"name": "defines"}, "project name 'defines'"),
        ({"target": Target(fpga_part="Agilex 7")}, "part 'Agilex 7'"),
        ({"target": Target(clock_period=0.0)}, "clock_period 0.0"),
        ({"target": Target(clock_period=float("inf"))}, "clock_period inf"),
        ({"target": Target(io_type="io_serial")}, "io_type 'io_serial'"),
        ({"target": Target(reuse_factor=0)}, "reuse_factor 0"),
        ({"input_precision": "int8"}, "precision 'int8'"),
        ({"target": Target(precision="fixed<16,6>")}, "this one has quantizers"),
    ],
)
def test_wrong_arguments_are_named(quantized, tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        convert(quantized.model, tmp_path / "hls", **arguments)
    assert not (tmp_path / "hls").exists()


def test_missing_and_broken_models_are_named(tmp_path):
    with pytest.raises(InputError, match=r"model\.onnx: no such QONNX file"):
        convert(tmp_path / "model.onnx", tmp_path / "hls")
    (tmp_path / "model.onnx").write_text("not a protocol buffer")
    with pytest.raises(InputError, match=r"model\.onnx: damaged, or no ONNX file"):
        convert(tmp_path / "model.onnx", tmp_path / "hls")


def test_folder_of_something_else_is_not_deleted(quantized, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"has other content \(firmware.json is missing\)"):
        convert(quantized.model, tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_float_network_needs_a_precision(floating, tmp_path):
    with pytest.raises(InputError, match="give a precision such as fixed<16,6>"):
        convert(floating.model, tmp_path / "hls")


@pytest.mark.parametrize("precision", ["fixed<16,6>", "fixed<16,6,RND,SAT>"])
def test_precision_of_a_float_network_is_that_of_every_tensor(floating, tmp_path, precision):
    firmware = convert(floating.model, tmp_path / "hls", Target(precision=precision))
    expected = precision if "RND" in precision else "fixed<16,6,TRN,WRAP>"
    for layer in firmware.layers:
        for key in layer.types.keys() & {"accum", "bias", "result", "weight"}:
            assert layer.types[key] == expected, (layer.name, key)


def test_float_network_truncates_and_wraps_as_hls4ml_does(floating, tmp_path):
    convert(floating.model, tmp_path / "hls", Target(precision="fixed<10,3>"))
    outputs = emulate(tmp_path / "hls", floating.inputs).outputs
    np.testing.assert_array_equal(outputs, reference(floating, width=10, integer=3))


def reference(exported, *, width, integer):
    """Evaluate the float network in integer words: every product truncated, every sum wrapped."""
    import onnx

    graph = onnx.load(exported.model).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    fraction = width - integer

    def wrap(words):
        return (words + 2 ** (width - 1)) % 2**width - 2 ** (width - 1)

    def words_of(values):
        return wrap(np.floor(values * 2.0**fraction).astype(np.int64))

    words = words_of(exported.inputs)
    for node in graph.node:
        if node.op_type == "MatMul":
            products = words[:, :, None] * words_of(constants[node.input[1]])
            words = wrap((products >> fraction).sum(axis=1))
        elif node.op_type == "Add":
            words = wrap(words + words_of(constants[node.input[1]]))
        else:
            words = np.maximum(words, 0)
    return words * 2.0**-fraction


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_softmax_is_close_to_the_exact_one(quantized, tmp_path, io_type):
    firmware = convert(quantized.model, tmp_path / "hls", Target(softmax=True, io_type=io_type))
    outputs = emulate(tmp_path / "hls", quantized.inputs).outputs
    assert firmware.layers[-1].name == "softmax"
    assert np.abs(outputs - special.softmax(quantized.logits, axis=1)).max() < 0.02


def test_softmax_reads_narrow_logits(floating, tmp_path):
    convert(floating.model, tmp_path / "logits", Target(precision="fixed<8,3>"))
    convert(floating.model, tmp_path / "hls", Target(precision="fixed<8,3>", softmax=True))
    logits = emulate(tmp_path / "logits", floating.inputs).outputs
    outputs = emulate(tmp_path / "hls", floating.inputs).outputs
    assert np.abs(outputs - special.softmax(logits, axis=1)).max() < 0.02


def test_logits_that_are_widened_for_the_softmax_can_still_be_read(floating, tmp_path):
    convert(floating.model, tmp_path / "logits", Target(precision="fixed<10,6>"))
    firmware = convert(floating.model, tmp_path / "hls", Target(precision="fixed<10,6>", softmax=True))
    logits = firmware.layers[-2]
    assert (logits.tensor, logits.types["result"]) == ("global_out", "fixed<11,6,TRN,WRAP>")
    expected = emulate(tmp_path / "logits", floating.inputs).outputs
    np.testing.assert_array_equal(layer_outputs(tmp_path / "hls", floating.inputs)[logits.name], expected)


def test_softmax_refuses_logits_beyond_its_tables(floating, tmp_path):
    with pytest.raises(InputError, match=r"softmax of fixed<16,9>.* at most 8 integer bits"):
        convert(floating.model, tmp_path / "hls", Target(precision="fixed<16,9>", softmax=True))
