import os
import re
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest
import torch

from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.firmware.backends.oneapi import emulate as compiling
from nanotrigger.firmware.backends.oneapi.convert import convert
from nanotrigger.firmware.backends.oneapi.emulate import emulate, layer_outputs
from nanotrigger.firmware.target import Target
from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint


@pytest.fixture(scope="module")
def project(quantized, tmp_path_factory):
    folder = tmp_path_factory.mktemp("firmware") / "hls"
    convert(quantized.model, folder, name="jets")
    return folder


@pytest.fixture
def copy(project, tmp_path):
    return shutil.copytree(project, tmp_path / "hls")


def edit(path, pattern, replacement):
    text, changes = re.subn(pattern, replacement, path.read_text(), count=1)
    assert changes
    path.write_text(text)


def test_firmware_computes_what_torch_computes(project, quantized):
    emulation = emulate(project, quantized.inputs)
    np.testing.assert_array_equal(emulation.outputs, quantized.logits)
    assert len(np.unique(emulation.outputs)) > 1000


def test_inputs_far_out_of_range_saturate(project):
    inputs = np.outer([1e300, 100.0, 7.9375, -8.0, -100.0, -1e300], np.ones(6))
    outputs = emulate(project, inputs).outputs
    assert (outputs[:3] == outputs[0]).all()
    assert (outputs[3:] == outputs[3]).all()


FORMATS = {
    "without output format": {
        "input": FixedPoint(18, 9),
        "weight": FixedPoint(16, 2),
        "bias": FixedPoint(16, 4),
        "activation": FixedPoint(16, 6, signed=False),
    },
    "ternary, fractions only": {
        "input": FixedPoint(4, 0),
        "weight": FixedPoint(2, 1, narrow=True),
        "bias": FixedPoint(4, -1),
        "activation": FixedPoint(3, -2, signed=False),
        "output": FixedPoint(6, 3, narrow=True),
    },
    "unsigned input and output": {
        "input": FixedPoint(6, 2, signed=False),
        "weight": FixedPoint(3, -1),
        "bias": FixedPoint(12, 1),
        "activation": FixedPoint(10, 3, signed=False),
        "output": FixedPoint(9, 2, signed=False),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("formats", FORMATS.values(), ids=FORMATS)
def test_every_format_is_exact(export_network, tmp_path, formats):
    torch.manual_seed(0)
    network = MLP(6, (8,), 3, **formats)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=formats["weight"].maximum)
    exported = export_network(network, tmp_path)
    convert(exported.model, tmp_path / "hls")
    np.testing.assert_array_equal(emulate(tmp_path / "hls", exported.inputs).outputs, exported.logits)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        {"reuse_factor": 4},
        {"reuse_factor": 24},
        {"io_type": "io_stream"},
        {"io_type": "io_stream", "reuse_factor": 4},
    ],
)
def test_options_do_not_change_the_outputs(quantized, tmp_path, arguments):
    convert(quantized.model, tmp_path / "hls", Target(**arguments))
    np.testing.assert_array_equal(emulate(tmp_path / "hls", quantized.inputs).outputs, quantized.logits)


def test_project_is_left_as_it_was(project, quantized):
    before = sorted(project.rglob("*"))
    emulate(project, quantized.inputs[:1])
    assert sorted(project.rglob("*")) == before


def test_changed_weight_changes_the_outputs(copy, quantized):
    weights = next((copy / "src" / "firmware" / "weights").glob("w*.h"))
    edit(weights, r"\{\{-?[\d.]+", "{{-1.75")
    emulation = emulate(copy, quantized.inputs)
    assert (emulation.outputs != quantized.logits).any()


def test_layer_outputs_are_named_in_order(project, quantized):
    layers = layer_outputs(project, quantized.inputs[:100])
    assert list(layers) == ["global_in", "Dense_MatMul_0", "Relu_0", "Dense_MatMul_1"]
    assert layers["Relu_0"].shape == (100, 8)
    np.testing.assert_array_equal(layers["global_in"], np.clip(np.rint(quantized.inputs[:100] * 16) / 16, -8, 7.9375))
    np.testing.assert_array_equal(layers["Dense_MatMul_1"], quantized.logits[:100])


@pytest.mark.slow
def test_layer_outputs_show_where_changed_firmware_differs(project, copy, quantized):
    weights = max((copy / "src" / "firmware" / "weights").glob("w*.h"), key=lambda path: path.name)
    edit(weights, r"\{\{-?[\d.]+", "{{-1.75")
    changed, original = layer_outputs(copy, quantized.inputs), layer_outputs(project, quantized.inputs)
    differing = [name for name in original if (original[name] != changed[name]).any()]
    assert differing == ["Dense_MatMul_1"]


def test_layer_outputs_need_parallel_firmware(quantized, tmp_path):
    convert(quantized.model, tmp_path / "hls", Target(io_type="io_stream"))
    with pytest.raises(InputError, match="layer outputs need io_parallel, this is io_stream"):
        layer_outputs(tmp_path / "hls", quantized.inputs)


def test_sources_that_do_not_compile_show_the_compilers_words(copy, quantized):
    edit(copy / "src" / "firmware" / "jets.cpp", r"nnet::relu<", "nnet::no_such_layer<")
    with pytest.raises(FirmwareError, match=r"(?s)g\+\+ ended with exit code 1:.*no_such_layer"):
        emulate(copy, quantized.inputs)


def test_firmware_that_aborts_tells_row_and_reason(copy, quantized):
    edit(
        copy / "src" / "firmware" / "jets.cpp",
        "// hls-fpga-machine-learning read in",
        "static int rows = 0; assert(rows++ < 3);",
    )
    with pytest.raises(FirmwareError, match=r"(?s)stopped in row 3 of 5000:.*SIGABRT.*Assertion `rows\+\+ < 3' failed"):
        emulate(copy, quantized.inputs)


def test_kernel_that_reads_too_much_aborts_instead_of_hanging(copy, quantized):
    kernel = copy / "src" / "firmware" / "jets.cpp"
    edit(kernel, "// hls-fpga-machine-learning return", "GlobalInPipe::read();")
    with pytest.raises(FirmwareError, match="read from an empty pipe"):
        emulate(copy, quantized.inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 5)), r"shape \(2, 5\); the firmware reads \(rows, 6\)"),
        (np.zeros(6), r"shape \(6,\)"),
        (np.zeros((0, 6)), r"shape \(0, 6\).*at least one row"),
        (np.array([[0.0] * 6, [0.0, np.nan, 0.0, 0.0, 0.0, 0.0]]), r"inputs\[1, 1\] is nan"),
    ],
)
def test_wrong_inputs_are_named(project, inputs, message):
    with pytest.raises(InputError, match=message):
        emulate(project, inputs)


def test_folder_without_firmware_is_named(tmp_path):
    with pytest.raises(InputError, match=r"is no firmware project \(firmware.json is missing\)"):
        emulate(tmp_path, np.zeros((1, 6)))


def test_missing_compiler_is_named_with_its_remedy(project, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"neither icpx nor g\+\+ is on the PATH; install g\+\+"):
        emulate(project, np.zeros((1, 6)))
    with pytest.raises(InputError, match=r"^icpx is not on the PATH"):
        emulate(project, np.zeros((1, 6)), compiler="icpx")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cmake"), reason="needs cmake, as icpx does")
def test_icpx_builds_with_the_projects_own_build_files(project, quantized, monkeypatch, tmp_path):
    """A script stands in for icpx: it calls g++ with the stand-in headers, less the flags of oneAPI."""
    script = tmp_path / "icpx"
    script.write_text(
        "#!/bin/sh\n"
        'for flag; do shift; case "$flag" in -fsycl|-fintelfpga|-qactypes|-fconstexpr-steps=*) ;; '
        '*) set -- "$@" "$flag";; esac; done\n'
        f'exec g++ -std=c++17 -w -fPIC -I{compiling.STAND_IN} -I{compiling.ac_types()} "$@"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    emulation = emulate(project, quantized.inputs)
    np.testing.assert_array_equal(emulation.outputs, quantized.logits)
    monkeypatch.setattr(compiling.shutil, "which", lambda tool: None if tool == "cmake" else tool)
    with pytest.raises(InputError, match="icpx needs cmake"):
        emulate(project, quantized.inputs)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cmake"), reason="needs cmake, as icpx does")
def test_icpx_without_fpga_support_is_named_with_its_remedy(project, quantized, monkeypatch, tmp_path):
    script = tmp_path / "icpx"
    script.write_text("#!/bin/sh\necho icpx of the future\ntest $# -eq 1\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(FirmwareError, match=r"(?s)cmake ended with exit code 1.*take it off the PATH to use g\+\+"):
        emulate(project, quantized.inputs)


CALL = """
import sys
from pathlib import Path
import numpy as np
from nanotrigger.firmware.backends.oneapi.emulate import call_library
from nanotrigger.tools import run_tool, temporary_folder
with temporary_folder() as folder:
    (folder / "a.c").write_text("void f(const double *x, double *y) { *y = *x; }")
    run_tool(["g++", "-shared", "-fPIC", "-xc", str(folder / "a.c"), "-o", str(folder / "liba.so")])
    call_library(folder / "liba.so", "f", np.ones((2, 1)), 1)
"""
MOUNTED = 'mount -t tmpfs -o noexec tmpfs "$TMPDIR" || exit 77; exec "$@"'


def test_a_temporary_folder_from_which_no_program_can_be_run(tmp_path):
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh", sys.executable, "-c", CALL]
    if not shutil.which("unshare"):
        pytest.skip("needs Linux namespaces")
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("may not mount here")
    assert f"InputError: TMPDIR={tmp_path}: no program can be run from there (mounted noexec)" in done.stderr
