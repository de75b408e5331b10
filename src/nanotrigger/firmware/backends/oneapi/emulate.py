"""Emulate a firmware project: run its C++ on the host, bit for bit."""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.firmware.backends.oneapi import run_library
from nanotrigger.firmware.backends.oneapi.compile import (
    Compiler,
    compile_library,
    compiler_version,
    find_compiler,
)
from nanotrigger.firmware.record import read_record
from nanotrigger.tools import run_tool


@dataclass(frozen=True, eq=False)
class Emulation:
    """What the firmware computed.

    Attributes:
        outputs: shape (rows, outputs).
        compiler: the first line of its version.
        seconds_compile: time to compile, in s.
        seconds_run: time to run all rows, in s.
    """

    outputs: NDArray[np.float64]
    compiler: str
    seconds_compile: float
    seconds_run: float


def emulate(project: Path, inputs: NDArray[np.float64], *, compiler: Compiler | None = None) -> Emulation:
    """Compile the sources that lie in the project now, and run them on every row.

    With icpx this is hls4ml's own emulation. Without, g++ compiles the same sources against a stand-in for
    the SYCL headers. Both run in a child process, and leave nothing in the project.

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
    with tempfile.TemporaryDirectory(prefix="nanotrigger.") as build:
        start = time.perf_counter()
        library = compile_library(project, firmware.name, Path(build), compiler)
        compiled = time.perf_counter()
        outputs = call_library(library, f"{firmware.name}_double", inputs, firmware.outputs)
        return Emulation(outputs, version, compiled - start, time.perf_counter() - compiled)


def check_inputs(inputs: NDArray[np.float64], features: int) -> None:
    """Raise InputError unless inputs are numbers of shape (rows, features)."""
    if inputs.ndim != 2 or inputs.shape[1] != features or not len(inputs):
        raise InputError(f"inputs have shape {inputs.shape}; the firmware reads (rows, {features}), at least one row")
    wrong = np.argwhere(~np.isfinite(inputs))
    if len(wrong):
        row, feature = wrong[0]
        raise InputError(
            f"inputs[{row}, {feature}] is {inputs[row, feature]}, which fixed-point numbers do not have; clean the data"
        )


def call_library(library: Path, function: str, inputs: NDArray[np.float64], outputs: int) -> NDArray[np.float64]:
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
