"""What a firmware project is made of, kept in the project as firmware.json."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.files import write_json
from nanotrigger.numbers import CoarseFixedPoint, FixedPoint
from nanotrigger.numbers.fixed_point import without_modes

FILE = "firmware.json"
PROBABILITIES, RADIUS = "probabilities", "radius"  # tensors of what `softmax=true` and `radius=true` append


@dataclass(frozen=True)
class Layer:
    """A layer of the generated firmware.

    Attributes:
        name: the back end's own, such as hls4ml's `Dense_dense_1`.
        kind: `Input`, `Dense`, `Activation`, `Softmax`, or the back end's word for something else.
        tensor: the tensor of the ONNX model that its output equals, quantizer included; `PROBABILITIES` or `RADIUS` for
            what the back end appended.
        variable: its output in the generated sources.
        size: number of output values.
        reuse_factor: how often hardware uses each multiplier; may differ from the one that was asked for.
        types: `fixed_point.type_name` of `weight`, `bias`, `accum`, `result` and the like.
        label: the network's name of the layer, such as `dense_1`.
    """

    name: str
    kind: str
    tensor: str
    variable: str
    size: int
    reuse_factor: int
    types: dict[str, str]
    label: str

    @property
    def multiplies(self) -> bool:
        """Whether it has multipliers, which reuse factors are about: a dense layer or a convolution."""
        return self.kind == "Dense" or "Conv" in self.kind


@dataclass(frozen=True)
class Firmware:
    """A firmware project as its back end wrote it.

    Attributes:
        name: of the project.
        fpga_part: FPGA family or part number; `part` in firmware.json.
        clock_period: target, in ns.
        io_type: `io_parallel` or `io_stream`.
        layers: in the order in which the data flow; the first is the input, the last the output.
    """

    name: str
    fpga_part: str
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

    @property
    def output_format(self) -> FixedPoint:
        """Format of the outputs; that of networks of others may have a step above one."""
        number = CoarseFixedPoint.parse(without_modes(self.layers[-1].types["result"]))
        return number if number.integer > number.width else FixedPoint(number.width, number.integer, number.signed)


def write_record(firmware: Firmware, project: Path) -> None:
    """Write the record into the project folder."""
    record = asdict(firmware)
    write_json(project / FILE, {"part" if key == "fpga_part" else key: value for key, value in record.items()})


def read_record(project: Path) -> Firmware:
    """Read the record of a project folder.

    Raises:
        InputError: the folder is no firmware project.
    """
    path = project / FILE
    if not path.is_file():
        raise InputError(f"{project} is no firmware project ({FILE} is missing); export the network first")
    record = json.loads(path.read_text(encoding="utf-8"))
    layers = tuple(_layer(layer) for layer in record.pop("layers"))
    return Firmware(fpga_part=record.pop("part"), layers=layers, **record)


def _layer(record: dict[str, Any]) -> Layer:
    """Return a layer; former records have no label, and hls4ml's name, which is the label after the layer's kind."""
    return Layer(**{"label": record["name"].removeprefix(f"{record['kind']}_"), **record})
