"""The back end oneAPI: hls4ml's C++ for Intel's FPGA compiler."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanotrigger.files import whole_file
from nanotrigger.firmware.backends.backend import Array, Backend, Emulation
from nanotrigger.firmware.backends.oneapi.checks import check_target, is_project_name
from nanotrigger.firmware.backends.oneapi.emulate import emulate, layer_outputs
from nanotrigger.firmware.backends.oneapi.standalone import FOLDER, SCRIPT, write_standalone
from nanotrigger.firmware.record import Firmware, read_record
from nanotrigger.firmware.target import Target
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import type_name

if TYPE_CHECKING:
    import onnx


class OneAPI(Backend):
    """hls4ml's project for oneAPI, compiled with icpx, or with g++ against headers that stand in for SYCL's."""

    folder = "hls"
    sources = "hls/src/firmware"
    language = "C++"
    packages = ("hls4ml",)
    build = "cd hls && mkdir build && cd build && cmake .. && make report"
    emulation = f"sh hls/{FOLDER}/{SCRIPT}"
    testbench = ("hls/tb_data/", "has the same events as values for the testbench that hls4ml generates.")

    def check(self, target: Target) -> None:
        """Check part, clock, interface and reuse factor."""
        check_target(target)

    def convert(
        self,
        model: Path,
        project: Path,
        target: Target,
        *,
        name: str,
        input_format: FixedPoint,
        formats: Mapping[str, FixedPoint] | None = None,
    ) -> Firmware:
        """Write the project; see `oneapi.convert`."""
        from nanotrigger.firmware.backends.oneapi.convert import convert  # hls4ml takes a while to import

        types = None if formats is None else {node: type_name(number) for node, number in formats.items()}
        return convert(model, project, target, name=name, input_precision=type_name(input_format), types=types)

    def prepare(self, model: "onnx.ModelProto") -> "onnx.ModelProto":
        """Mend what hls4ml's converter would stumble over; see `oneapi.prepare`."""
        from nanotrigger.firmware.backends.oneapi.prepare import prepared

        return prepared(model)

    def possible_reuse_factors(self, inputs: int, outputs: int) -> Sequence[int]:
        """Return those that divide the products as hls4ml needs it."""
        from nanotrigger.firmware.backends.oneapi.convert import possible_reuse_factors

        return possible_reuse_factors(inputs, outputs)

    def emulate(self, project: Path, inputs: Array) -> Emulation:
        """Run the project's C++; see `oneapi.emulate`."""
        return emulate(project, inputs)

    def has_layer_outputs(self, firmware: Firmware) -> bool:
        """Streaming layers hand their outputs on through pipes, where they cannot be seen."""
        return firmware.io_type == "io_parallel"

    def layer_outputs(self, project: Path, inputs: Array) -> dict[str, Array]:
        """Run a copy of the C++ that records every layer; see `oneapi.emulate.layer_outputs`."""
        outputs = layer_outputs(project, inputs)
        return {layer.tensor: outputs[layer.name] for layer in read_record(project).layers}

    def project_name(self, wanted: str) -> str:
        """Return a name that is not that of a generated header either."""
        name = super().project_name(wanted)
        return name if is_project_name(name) else f"nn_{name}_"

    def files(self, firmware: Firmware) -> dict[str, str]:
        """Return the kernel and the header that declares its pipes."""
        return {
            "Kernel": f"{self.sources}/{firmware.name}.cpp",
            "Pipes": f"declared in {self.sources}/{firmware.name}.h",
        }

    def interface(self, firmware: Firmware) -> str:
        """Return how the kernel's pipe hands over the words of an event."""
        if firmware.io_type == "io_parallel":
            return "io_parallel: all words of an event in one transfer"
        return firmware.io_type

    def write_testbench(
        self,
        project: Path,
        inputs: NDArray[np.int64],
        outputs: NDArray[np.int64],
        *,
        formats: tuple[FixedPoint, FixedPoint],
    ) -> None:
        """Write the events as values, as hls4ml's testbench reads them, and what runs the C++ with g++ alone."""
        names = ("tb_input_features.dat", "tb_output_predictions.dat")
        for name, words, number in zip(names, (inputs, outputs), formats, strict=True):
            with whole_file(project / "tb_data" / name) as temporary:
                np.savetxt(temporary, words * number.step, fmt="%.17g")
        write_standalone(project, formats)
