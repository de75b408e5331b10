"""Firmware of a file: written, run on events, and judged by who knows what it must compute."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.files import sha256, whole_folder, write_json
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.built import built, unmet
from nanotrigger.firmware.comparison import Difference
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.inputs import Inputs, accuracy_of_classes
from nanotrigger.firmware.proof import Judgement, Project, run_record, write_run
from nanotrigger.firmware.record import Firmware
from nanotrigger.firmware.target import Target
from nanotrigger.numbers import FixedPoint, WideFixedPoint
from nanotrigger.numbers.fixed_point import WIDEST, without_modes

Array = NDArray[np.float64]
Judge = Callable[[Project, Array], tuple[dict[str, Any], Difference | None]]
"""Project and outputs of the firmware → what parity.json says of them, `remarks` for the user too, and the first
difference, if there is one."""


@dataclass(frozen=True)
class FileFirmware:
    """What was exported of a file.

    Attributes:
        folder: holds model.onnx, hls4ml.onnx, the back end's project, parity.json and tb_data/.
        file: that was exported.
        target: how the firmware is built.
        inputs: on which it was judged.
        judgement: what came of that.
        remarks: what the user should know, a line each.
    """

    folder: Path
    file: Path
    target: Target
    inputs: Inputs
    judgement: Judgement
    remarks: tuple[str, ...]

    @property
    def project(self) -> Path:
        """Folder of the firmware."""
        return self.folder / backend_named(self.target.backend).folder


def write_firmware(
    file: Path,
    model: onnx.ModelProto,
    output: Path,
    *,
    target: Target,
    write: Callable[[Path], None],
    number: FixedPoint,
    formats: Mapping[str, FixedPoint],
    inputs: Inputs,
    judge: Judge,
    flat: Flat | None = None,
    remarks: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> FileFirmware:
    """Write firmware into `output`, run it, and record what a judge finds; the folder appears whole or stays as it was.

    Args:
        file: that is exported.
        model: its content.
        output: folder to write, or to replace if it holds an export.
        target: how the firmware is built.
        write: writes hls4ml.onnx, of which the firmware is made.
        number: format of its inputs.
        formats: of results in full precision, by node.
        inputs: on which it is run.
        judge: says what came of the run.
        flat: of which hls4ml.onnx is made, if it is.
        remarks: what the user should know besides.
        left_out: names of the nodes behind the firmware's end.

    Raises:
        InputError: the back end cannot convert a node, or the folder is not usable.
        FirmwareError: the generated sources do not compile, or the firmware aborts.
    """
    backend = backend_named(target.backend)
    with whole_folder(output, marker="parity.json") as folder:
        onnx.save(model, folder / "model.onnx")
        write(folder / "hls4ml.onnx")
        firmware = backend.convert(
            folder / "hls4ml.onnx",
            folder / backend.folder,
            target,
            name=backend.project_name(target.name or file.stem),
            input_format=number,
            formats=formats,
        )
        _check_output(firmware)
        said = (*remarks, *unmet(target, firmware, backend.possible_reuse_factors))
        said += tuple(f"node {name} is left out: the firmware ends before it" for name in left_out)
        said += (inputs.remark,) if inputs.remark else ()
        project = Project(folder, target, firmware, number, flat)
        emulation = project.emulate(inputs.values)
        figure = accuracy_of_classes(inputs, emulation.outputs)
        write_run(project, inputs, emulation, figure)
        found, difference = judge(project, emulation.outputs)
        said += tuple(found.get("remarks", ()))
        hashes = {"file": sha256(file), "data": inputs.sha256}
        record = run_record(project, inputs, emulation, emulation.outputs.size, hashes)
        parity = {**found, **record, "built": built(firmware), "remarks": list(said)}
        write_json(folder / "parity.json", parity)
    judgement = Judgement(parity, difference, emulation.outputs[: inputs.events], figure)
    return FileFirmware(output, file, target, inputs, judgement, said)


def _check_output(firmware: Firmware) -> None:
    """Refuse outputs wider than the double-precision numbers in which a back end hands them over."""
    last = firmware.layers[-1]
    number = WideFixedPoint.parse(without_modes(last.types["result"]))
    if number.width > WIDEST:
        raise InputError(
            f"layer {last.label}: outputs of {number}; emulation hands over {WIDEST} bits, end it in a quantizer"
        )
