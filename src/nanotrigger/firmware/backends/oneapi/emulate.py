"""Emulate a firmware project: compile its C++ on the host and run it, bit for bit; also layer by layer."""

import re
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.firmware.backends.backend import Array, Emulation
from nanotrigger.firmware.backends.oneapi import run_library
from nanotrigger.firmware.record import Firmware, read_record
from nanotrigger.tools import run_tool, temporary_folder

Compiler = Literal["icpx", "g++"]

STAND_IN = Path(__file__).parent / "host_sycl"

# Values that hls4ml declares as constants of compile time, which Intel's ac_types can be and those of hls4ml cannot;
# in expressions that sed understands too.
CONSTANTS = (
    (rb"constexpr auto padds\b", rb"const auto padds"),  # of streaming convolutions
    (rb"static constexpr (\w+ (slope|shift)\b)", rb"static inline const \1"),  # of hard sigmoids and tanhs
)

# Weights become plain numbers, which are converted at the start: g++ took 13 KB and 0.7 ms for each constructor.
_WEIGHTS = (
    rb"static const (\w+) (\w+) = \{(\{[-+\w., \n]*\})\};",
    rb"static const double \2_values[] = \3;\nstatic const \1 \2 = nanotrigger::filled<\1>(\2_values);",
)

_END = "// hls-fpga-machine-learning return"  # hls4ml's mark where all layers have run

_RECORDER = """\
namespace nanotrigger {
double *tap = nullptr;
template <class Values> void record(const Values &values) {
    for (const auto &value : values)
        *tap++ = value.to_double();
}
} // namespace nanotrigger
"""

_ENTRY = """
namespace nanotrigger {{
extern double *tap;
}}
extern "C" void nanotrigger_taps(double *inputs, double *taps) {{
    double outputs[{outputs}];
    nanotrigger::tap = taps;
    {name}_double(inputs, outputs);
}}
"""


def emulate(project: Path, inputs: Array, *, compiler: Compiler | None = None) -> Emulation:
    """Compile the sources that lie in the project now, and run them on every row.

    With icpx this is hls4ml's own emulation. Without, g++ compiles the same sources against a stand-in for
    the SYCL headers, with a few constants as plain values. Both run in a child process, and leave nothing in the
    project.

    Args:
        project: folder that `convert` wrote.
        inputs: shape (rows, features), before quantization; they reach the firmware in double precision.
        compiler: `icpx`, `g++`, or the first of them on the PATH.

    Raises:
        InputError: no project, no compiler, or inputs that do not fit.
        FirmwareError: the sources do not compile, or the firmware aborts.
    """
    firmware = read_record(project)
    check_inputs(inputs, firmware.features)
    compiler = find_compiler(compiler)
    version = compiler_version(compiler)
    with temporary_folder() as build:
        start = time.perf_counter()
        library = compile_library(project, firmware.name, build, compiler)
        compiled = time.perf_counter()
        outputs = call_library(library, f"{firmware.name}_double", inputs, firmware.outputs)
        return Emulation(outputs, version, compiled - start, time.perf_counter() - compiled)


def layer_outputs(project: Path, inputs: Array) -> dict[str, Array]:
    """Return what every layer of the firmware computes, by hls4ml's name of the layer.

    A copy of the project is made to record them, and compiled with g++. The project's record
    says which tensor of the ONNX model each output equals.

    Args:
        project: folder that `convert` wrote, with `io_parallel`.
        inputs: shape (rows, features).

    Returns:
        arrays of shape (rows, values of the layer), in the order in which the data flow: the quantized
        inputs first, the outputs last.

    Raises:
        InputError: no project, no g++, inputs that do not fit, or a streaming project, whose layers
            hand their outputs on through pipes.
        FirmwareError: the sources do not compile, or the firmware aborts.
    """
    firmware = read_record(project)
    check_inputs(inputs, firmware.features)
    if firmware.io_type != "io_parallel":
        raise InputError(f"{project}: layer outputs need io_parallel, this is {firmware.io_type}")
    compiler = find_compiler("g++")
    sizes = [layer.size for layer in firmware.layers]
    with temporary_folder() as build:
        copy = build / "project"
        shutil.copytree(project / "src", copy / "src")
        _instrument(copy / "src", firmware)
        library = compile_library(copy, firmware.name, build, compiler)
        values = call_library(library, "nanotrigger_taps", inputs, sum(sizes))
    columns = np.split(values, np.cumsum(sizes)[:-1], axis=1)
    return {layer.name: column for layer, column in zip(firmware.layers, columns, strict=True)}


def check_inputs(inputs: Array, features: int) -> None:
    """Raise InputError unless inputs are numbers of shape (rows, features)."""
    if inputs.ndim != 2 or inputs.shape[1] != features or not len(inputs):
        raise InputError(f"inputs have shape {inputs.shape}; the firmware reads (rows, {features}), at least one row")
    wrong = np.argwhere(~np.isfinite(inputs))
    if len(wrong):
        row, feature = wrong[0]
        raise InputError(
            f"inputs[{row}, {feature}] is {inputs[row, feature]}, which fixed-point numbers do not have; clean the data"
        )


def call_library(library: Path, function: str, inputs: Array, outputs: int) -> Array:
    """Call `function` of a library for every row, in a child process; return shape (rows, outputs).

    Raises:
        FirmwareError: the child did not survive; says on which row.
    """
    inputs_file, outputs_file = library.with_name("inputs.npy"), library.with_name("outputs.npy")
    np.save(inputs_file, np.asarray(inputs, np.float64))
    np.save(outputs_file, np.full((len(inputs), outputs), np.nan))
    # -P: modules beside the script must not shadow installed ones
    command = [
        sys.executable,
        "-P",
        run_library.__file__,
        str(library),
        function,
        str(inputs_file),
        str(outputs_file),
    ]
    try:
        run_tool(command)
    except FirmwareError as error:
        done = int(np.isfinite(np.load(outputs_file)).all(axis=1).sum())
        raise FirmwareError(f"firmware stopped in row {done} of {len(inputs)}: {error}") from error
    return np.asarray(np.load(outputs_file))


def find_compiler(wanted: Compiler | None = None) -> Compiler:
    """Return the compiler to use: `wanted`, or else icpx if it is on the PATH, or else g++.

    Raises:
        InputError: it is not on the PATH.
    """
    candidates: tuple[Compiler, ...] = (wanted,) if wanted else ("icpx", "g++")
    for compiler in candidates:
        if shutil.which(compiler):
            return compiler
    missing = f"{wanted} is not" if wanted else "neither icpx nor g++ is"
    raise InputError(f"{missing} on the PATH; install g++, or source oneAPI's setvars.sh")


def compile_library(project: Path, name: str, build: Path, compiler: Compiler) -> Path:
    """Compile the sources of project `name` as they are now; return the library, which lies in `build`.

    Raises:
        InputError: icpx is there but cmake is not.
        FirmwareError: the sources do not compile.
    """
    return _with_icpx(project, build) if compiler == "icpx" else _with_gcc(project, name, build)


def compiler_version(compiler: Compiler) -> str:
    """Return the first line with which the compiler introduces itself."""
    return run_tool([compiler, "--version"]).splitlines()[0]


def _with_gcc(project: Path, name: str, build: Path) -> Path:
    library, preprocessed = build / f"lib{name}.so", build / f"{name}.ii"
    sources = project / "src"
    command = ["g++", "-std=c++17", "-w"]  # attributes and pragmas for the FPGA compiler mean nothing here
    run_tool(
        [
            *(*command, "-E"),
            *("-I", str(STAND_IN), "-I", str(ac_types())),
            # both sources as one: half of the time goes into reading the same headers
            *("-include", str(sources / "firmware" / f"{name}.cpp"), str(sources / f"{name}_bridge.cpp")),
            *("-o", str(preprocessed)),
        ]
    )
    text = preprocessed.read_bytes()
    for constant, value in (_WEIGHTS, *CONSTANTS):
        text = re.sub(constant, value, text)
    preprocessed.write_bytes(text)
    run_tool(
        [
            *(*command, "-O2", "-fPIC", "-shared"),
            "-fno-gnu-unique",  # else two networks in one process would share their weights
            "-fmax-errors=3",
            *(str(preprocessed), "-o", str(library)),
        ]
    )
    return library


def _with_icpx(project: Path, build: Path) -> Path:
    """Do what hls4ml's own `compile` does, outside the project."""
    if not shutil.which("cmake"):
        raise InputError("icpx needs cmake, which is not on the PATH; install it, or compile with g++")
    try:
        run_tool(["cmake", "-S", str(project), "-B", str(build)])
        run_tool(["cmake", "--build", str(build), "--target", "lib"])
    except FirmwareError as error:
        hint = "icpx builds FPGA firmware up to oneAPI 2025.0; with a later one, take it off the PATH to use g++"
        raise FirmwareError(f"{error}\n({hint})") from error
    return next(build.glob("lib*.so"))


def ac_types() -> Path:
    """Return hls4ml's copy of the ac_types headers, without importing hls4ml, which takes a while."""
    package = find_spec("hls4ml")
    if package is None or not package.submodule_search_locations:
        raise InputError("hls4ml is not installed; it has the fixed-point headers")
    return Path(package.submodule_search_locations[0], "templates", "quartus", "ac_types")


def _instrument(sources: Path, firmware: Firmware) -> None:
    """Record every layer's variable at the end of the kernel, where all are still there."""
    kernel = sources / "firmware" / f"{firmware.name}.cpp"
    text = kernel.read_text(encoding="utf-8")
    if _END not in text:
        raise InputError(f"{kernel}: the line {_END!r} is missing; export the network again")
    records = "".join(f"nanotrigger::record({layer.variable});\n    " for layer in firmware.layers)
    kernel.write_text(_RECORDER + text.replace(_END, records + _END), encoding="utf-8")
    bridge = sources / f"{firmware.name}_bridge.cpp"
    with bridge.open("a", encoding="utf-8") as file:
        file.write(_ENTRY.format(name=firmware.name, outputs=firmware.outputs))
