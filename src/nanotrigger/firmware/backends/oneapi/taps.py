"""Outputs of every layer of the firmware, to find the first that differs from the network."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends.oneapi.compile import compile_library, find_compiler
from nanotrigger.firmware.backends.oneapi.emulate import call_library, check_inputs
from nanotrigger.firmware.record import Firmware, read_record

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


def layer_outputs(project: Path, inputs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
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
    with tempfile.TemporaryDirectory(prefix="nanotrigger.") as build:
        copy = Path(build, "project")
        shutil.copytree(project / "src", copy / "src")
        _instrument(copy / "src", firmware)
        library = compile_library(copy, firmware.name, Path(build), compiler)
        values = call_library(library, "nanotrigger_taps", inputs, sum(sizes))
    columns = np.split(values, np.cumsum(sizes)[:-1], axis=1)
    return {layer.name: column for layer, column in zip(firmware.layers, columns, strict=True)}


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
