"""What a firmware project is made of, kept in the project as firmware.json."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nanotrigger.errors import InputError
from nanotrigger.files import write_json

FILE = "firmware.json"


@dataclass(frozen=True)
class Layer:
    """A layer of the generated firmware.

    Attributes:
        name: hls4ml's name, such as `Dense_MatMul_0`.
        kind: hls4ml's class, such as `Dense`.
        tensor: the tensor of the ONNX model that its output equals, quantizer included; `probabilities` for
            a softmax that `convert` appended.
        variable: its output in the generated C++.
        size: number of output values.
        reuse_factor: how often hardware uses each multiplier; may differ from the one that was asked for.
        types: hls4ml type of `weight`, `bias`, `accum`, `result` and the like.
    """

    name: str
    kind: str
    tensor: str
    variable: str
    size: int
    reuse_factor: int
    types: dict[str, str]


@dataclass(frozen=True)
class Firmware:
    """A firmware project as hls4ml wrote it.

    Attributes:
        name: of the project; its kernel is `src/firmware/<name>.cpp`.
        part: FPGA family or part number.
        clock_period: target, in ns.
        io_type: `io_parallel` or `io_stream`.
        layers: in the order in which the data flow; the first is the input, the last the output.
    """

    name: str
    part: str
    clock_period: float
    io_type: str
    layers: tuple[Layer, ...]

    @property
    def features(self) -> int:
        """Number of inputs."""
        return self.layers[0].size

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.layers[-1].size


def write_record(firmware: Firmware, project: Path) -> None:
    """Write the record into the project folder."""
    write_json(project / FILE, asdict(firmware))


def read_record(project: Path) -> Firmware:
    """Read the record of a project folder.

    Raises:
        InputError: the folder is no firmware project.
    """
    path = project / FILE
    if not path.is_file():
        raise InputError(f"{project} is no firmware project ({FILE} is missing); export the network first")
    record = json.loads(path.read_text(encoding="utf-8"))
    layers = tuple(Layer(**layer) for layer in record.pop("layers"))
    return Firmware(layers=layers, **record)
