import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.schedule import schedule
from nanotrigger.errors import InputError
from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.firmware.vectors import extreme_inputs, write_vectors
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.checkpoint import load_trained
from nanotrigger.verilog.record import read_module
from nanotrigger.verilog.write import verilog, verilog_testbench, write_rtl
from tests.made_graphs import Layer, Result, chain
from tests.qonnx_float64 import execute

REFERENCE = Path("checkpoints/reference/jets_qat.ckpt")
needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog (package iverilog)")


def small_network(seed: int = 0, output: FixedPoint | None = None) -> MLP:
    torch.manual_seed(seed)
    network = MLP(
        3,
        [5, 4],
        2,
        input=FixedPoint(6, 2),
        weight=FixedPoint(4, 1, narrow=True),
        bias=FixedPoint(6, 1),
        activation=FixedPoint(5, 1, signed=False),
        output=output,
    )
    for name, tensor in network.named_parameters():
        tensor.data.uniform_(-1.0, 1.0) if name.endswith("weight") else tensor.data.uniform_(-0.5, 0.5)
    return network


def datapath_of(model: Path) -> Datapath:
    return read_graph(model).unroll()


def write_run(network: MLP, run: Path, **options) -> np.ndarray:
    """Write model.onnx, rtl/ and tb_data/ as an export does; return the expected words."""
    write_qonnx(network, run / "model.onnx")
    write_rtl(datapath_of(run / "model.onnx"), run / "rtl", **options)
    number = network.formats["input"]
    features = network.configuration["features"]
    anywhere = np.random.default_rng(1).normal(0.0, 1.0, (500, features)).astype(np.float32)
    inputs = np.concatenate([extreme_inputs(number, features), anywhere])
    logits = execute(onnx.load(run / "model.onnx"), inputs)["logits"]
    words = logits / read_graph(run / "model.onnx").unroll().output_step
    assert (words == np.rint(words)).all()
    write_vectors(run / "tb_data", number.words(inputs), words.astype(np.int64), formats=(number, number))
    return words.astype(np.int64)


def simulate(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the testbench as README.md says."""
    build = ["iverilog", "-g2012", "-Wall", "-o", "testbench.vvp", "nanotrigger.v", "testbench.v"]
    compiled = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=True)
    assert not compiled.stderr
    return subprocess.run(["vvp", "-n", "testbench.vvp"], cwd=folder, capture_output=True, text=True)


@needs_icarus
@pytest.mark.parametrize("levels", [1, 3, 100])
@pytest.mark.parametrize("output", [None, FixedPoint(5, 3)])
def test_verilog_of_a_small_network_gives_its_words(tmp_path, levels, output):
    words = write_run(small_network(output=output), tmp_path, levels=levels)
    result = simulate(tmp_path / "rtl")
    assert result.returncode == 0
    assert result.stdout.strip() == f"PASS: {words.size} words of {len(words)} events are equal"
    assert len(np.unique(words)) >= 10


@needs_icarus
@pytest.mark.parametrize("clock_period", [2.0, 5.0])
def test_verilog_of_the_reference_network_gives_its_words(tmp_path, clock_period):
    words = write_run(load_trained(REFERENCE).network, tmp_path, clock_period=clock_period)
    result = simulate(tmp_path / "rtl")
    assert f"PASS: {words.size} words" in result.stdout
    assert result.returncode == 0


@needs_icarus
def test_a_flipped_weight_makes_the_testbench_fail(tmp_path):
    network = small_network()
    write_run(network, tmp_path, levels=2)
    network.layers.get_submodule("dense_2").weight.data[1, 0] *= -1
    write_qonnx(network, tmp_path / "flipped.onnx")
    write_rtl(datapath_of(tmp_path / "flipped.onnx"), tmp_path / "rtl", levels=2)
    result = simulate(tmp_path / "rtl")
    assert result.returncode != 0
    assert "FAIL" in result.stdout and " instead of " in result.stdout and "PASS" not in result.stdout


@needs_icarus
@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("inputs.txt", lambda lines: lines[:-1], "expected has more"),
        ("expected.txt", lambda lines: lines[:-1], "no word 0"),
        ("inputs.txt", lambda lines: [*lines[:-1], "1 2"], "no word 2"),
        ("inputs.txt", lambda lines: [], "expected has more"),
        ("inputs.txt", None, "cannot read ../tb_data/inputs.txt"),
    ],
)
def test_vectors_that_are_not_whole_make_the_testbench_fail(tmp_path, name, change, message):
    write_run(small_network(), tmp_path, levels=2)
    path = tmp_path / "tb_data" / name
    if change is None:
        path.unlink()
    else:
        path.write_text("".join(f"{line}\n" for line in change(path.read_text().splitlines())))
    result = simulate(tmp_path / "rtl")
    assert result.returncode != 0
    assert "FAIL" in result.stdout and message in result.stdout


def random_format(generator: np.random.Generator, *, signed: bool) -> FixedPoint:
    width = int(generator.integers(2, 9))
    return FixedPoint(width, int(generator.integers(-2, width + 1)), signed, narrow=signed and generator.random() < 0.3)


def random_network(generator: np.random.Generator) -> Graph:
    """Return a network of formats that few would train, so that every kind of rounding and bound occurs."""
    number = random_format(generator, signed=generator.random() < 0.7)
    widths = generator.integers(1, 5, 3)
    layers = []
    exact = generator.random() < 0.7
    for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        weight, bias = random_format(generator, signed=True), random_format(generator, signed=True)
        words = generator.integers(weight.minimum_word, weight.maximum_word + 1, (inputs, outputs))
        words *= generator.random(words.shape) < 0.7
        biases = generator.integers(bias.minimum_word, bias.maximum_word + 1, outputs)
        result = random_format(generator, signed=generator.random() < 0.5)
        result = result if exact else replace(result, narrow=False)  # what wraps has no narrow range
        result_of = Result(result, relu=generator.random() < 0.5, exact=exact)
        layers.append(Layer(f"dense.{depth}", words, weight.step, biases, bias.step, None, (result_of,)))
    return chain(number, tuple(layers))


@needs_icarus
@pytest.mark.parametrize("seed", range(20))
def test_verilog_of_any_formats_gives_the_words_of_its_datapath(tmp_path, seed):
    network = random_network(np.random.default_rng(seed))
    datapath = network.unroll()
    _write_datapath(tmp_path, datapath, seed)
    result = simulate(tmp_path / "rtl")
    assert "PASS" in result.stdout, result.stdout
    assert result.returncode == 0


def _write_datapath(run: Path, datapath: Datapath, seed: int) -> None:
    number = datapath.input_formats[0]
    shape = (300, datapath.inputs)
    plan = schedule(datapath, 1 + seed % 3)
    inputs = np.random.default_rng(seed).integers(number.minimum_word, number.maximum_word + 1, shape)
    write_vectors(run / "tb_data", inputs, datapath.evaluate(inputs), formats=(number, number))
    (run / "rtl").mkdir()
    (run / "rtl" / "nanotrigger.v").write_text(verilog(plan))
    (run / "rtl" / "testbench.v").write_text(verilog_testbench(plan))


@needs_icarus
def test_two_networks_stand_in_one_project_and_inputs_may_have_a_register(tmp_path):
    sources = []
    for seed, name in enumerate(("plain", "registered")):
        run = tmp_path / name
        options = {"clock_period": 4.0, "registered_inputs": bool(seed), "exact": not seed}
        write_run(small_network(seed), run, levels=2, name=name, **options)
        assert ("some words differ" in (run / "rtl" / "README.md").read_text()) == bool(seed)
        assert "create_clock -name clock -period 4.000" in (run / "rtl" / f"{name}.sdc").read_text()
        sources += [run / "rtl" / f"{name}.v", run / "rtl" / "testbench.v"]
    plain, registered = (read_module(tmp_path / name / "rtl") for name in ("plain", "registered"))
    assert registered.latency == plain.latency + 1
    build = ["iverilog", "-g2012", "-Wall", "-o", str(tmp_path / "both.vvp"), *map(str, sources)]
    for module in (plain, registered):
        tops = ["-s", f"{module.name}_testbench", "-s", "plain", "-s", "registered"]
        assert not subprocess.run([*build, *tops], capture_output=True, text=True, check=True).stderr
        result = subprocess.run(["vvp", "-n", build[4]], cwd=tmp_path / module.name / "rtl", capture_output=True)
        assert b"PASS" in result.stdout, result.stdout


def test_names_tell_layer_neuron_and_multiple(tmp_path):
    write_qonnx(small_network(), tmp_path / "model.onnx")
    write_rtl(datapath_of(tmp_path / "model.onnx"), tmp_path / "rtl", levels=2)
    text = (tmp_path / "rtl" / "nanotrigger.v").read_text()
    assert "wire signed [5:0] feature_2 = features[17:12];" in text
    assert " dense_1_n4 = " in text and " dense_2_n3_sum_1 = " in text and " output_1 = " in text
    assert "// dense_2: 5 inputs, 4 neurons, " in text
    assert "result as ufixed<5,1> behind a ReLU (to nearest, ties to even, saturated)" in text


def test_folder_appears_whole_or_not_at_all(tmp_path):
    write_qonnx(small_network(), tmp_path / "model.onnx")
    folder = tmp_path / "rtl"
    with pytest.raises(InputError, match="levels=0"):
        write_rtl(datapath_of(tmp_path / "model.onnx"), folder, levels=0)
    assert not folder.exists()
    write_rtl(datapath_of(tmp_path / "model.onnx"), folder, levels=8)
    write_rtl(datapath_of(tmp_path / "model.onnx"), folder, levels=8)
    names = {"nanotrigger.v", "nanotrigger.sdc", "testbench.v", "module.json", "README.md"}
    assert {path.name for path in folder.iterdir()} == names
    folder.joinpath("testbench.v").unlink()
    with pytest.raises(InputError, match="testbench.v is missing"):
        write_rtl(datapath_of(tmp_path / "model.onnx"), folder, levels=8)
