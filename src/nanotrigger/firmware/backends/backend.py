"""Backend: what a vendor's flow must do and say to serve in an export."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.firmware.record import Firmware
from nanotrigger.firmware.target import Target
from nanotrigger.numbers import FixedPoint

if TYPE_CHECKING:
    import onnx

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Emulation:
    """What the firmware computed.

    Attributes:
        outputs: shape (rows, outputs).
        compiler: the first line of the version of what compiled the sources, or of what ran them.
        seconds_compile: time to compile, in s.
        seconds_run: time to run all rows, in s.
    """

    outputs: Array
    compiler: str
    seconds_compile: float
    seconds_run: float


class Backend(ABC):
    """Turns model.onnx into a project, and runs that project on the host, bit for bit.

    A project is a folder in an export. Its record, firmware.json, says what it is made of; `convert` writes both. The
    proof compares what `emulate` gives with the trained network; `layer_outputs` helps it to name the layer in which
    they differ first. Paths below are relative to the export.

    Attributes:
        folder: name of the project in an export.
        sources: folder whose files are what is proven; parity.json has the hash of all that is in it.
        language: of the sources.
        packages: Python packages whose versions determine the firmware.
        build: shell command that compiles the project for the FPGA; None if there is none.
        emulation: shell command that runs the sources on the events of tb_data/ with an ordinary compiler, and says
            whether their words equal the expected ones; None if there is none.
        testbench: folder into which `write_testbench` writes, and what is in it, in words; None if there is none.
    """

    folder: str
    sources: str
    language: str
    packages: tuple[str, ...] = ()
    build: str | None = None
    emulation: str | None = None
    testbench: tuple[str, str] | None = None

    @abstractmethod
    def check(self, target: Target) -> None:
        """Check what a target asks for before any work is done.

        Raises:
            InputError: it asks for something that this back end cannot do.
        """

    @abstractmethod
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
        """Write a network as a project, its record included; compile nothing.

        The record says what the project has, which the export compares with what the target asks for.

        The folder appears whole or stays as it was. The same arguments give the same files, whatever the folder's name.
        After the network comes what the target asks for: `target.softmax` a layer whose tensor is
        `record.PROBABILITIES`, `target.radius` one whose tensor is `record.RADIUS`.

        Args:
            model: QONNX file, as `write_qonnx` or `Flat.write` leaves it.
            project: folder to write, or to replace if it holds a project.
            target: what the firmware is built for; `target.precision` is the type of everything in a float network, and
                of what has no format in a quantized one that is approximated.
            name: of the project, as `project_name` gives it.
            input_format: to which inputs are brought, rounded to nearest, ties to even, and saturated.
            formats: of results in full precision, by node; if None, ReLUs without a quantizer have such results.

        Raises:
            InputError: the network cannot be converted.
        """

    def prepare(self, model: "onnx.ModelProto") -> "onnx.ModelProto":
        """Return a network of others in the form of which `convert` makes firmware that approximates it.

        Args:
            model: as `graph.normalize.normalized` leaves it, with one input and one output; may be changed.

        Raises:
            InputError: a node cannot be converted; the message names it.
        """
        raise InputError(f"approximate=true: {type(self).__name__} converts only what can be computed exactly")

    def possible_reuse_factors(self, inputs: int, outputs: int) -> Sequence[int]:
        """Return the reuse factors that a dense layer can have; none if this back end does not say.

        A layer gets the one that its record says. Where that is not `target.reuse_factor`, the export tells why by
        these.
        """
        return ()

    @abstractmethod
    def emulate(self, project: Path, inputs: Array) -> Emulation:
        """Run the sources that lie in the project now on every row; leave the project as it is.

        Args:
            project: folder that `convert` wrote.
            inputs: shape (rows, features), before quantization.

        Raises:
            InputError: no project, inputs that do not fit, or a tool that is missing.
            FirmwareError: the sources do not compile, or the firmware aborts.
        """

    def has_layer_outputs(self, firmware: Firmware) -> bool:
        """Whether `layer_outputs` can look into this firmware."""
        return False

    def layer_outputs(self, project: Path, inputs: Array) -> dict[str, Array]:
        """Return what every layer of the firmware computes, by the tensor of model.onnx that it equals.

        Args:
            project: folder that `convert` wrote.
            inputs: shape (rows, features).

        Returns:
            arrays of shape (rows, values of the layer), in the order in which the data flow.

        Raises:
            InputError: this firmware cannot be looked into, or as for `emulate`.
            FirmwareError: as for `emulate`.
        """
        raise InputError(f"{project}: the outputs of its layers cannot be read")

    def project_name(self, wanted: str) -> str:
        """Return the name that a project gets for a wanted one: small letters, digits and _, a letter first."""
        name = re.sub(r"[^a-z0-9_]+", "_", wanted.lower())
        return name if name[:1].isalpha() else f"nn_{name}_"

    def files(self, firmware: Firmware) -> dict[str, str]:
        """Return where an engineer finds what, for the datasheet: what → file, or file in a few words."""
        return {"Sources": self.sources}

    def interface(self, firmware: Firmware) -> str:
        """Return in words how the words of an event reach the firmware."""
        return firmware.io_type

    def write_testbench(  # noqa: B027 - a project need not have a testbench
        self,
        project: Path,
        inputs: NDArray[np.int64],
        outputs: NDArray[np.int64],
        *,
        formats: tuple[FixedPoint, FixedPoint],
    ) -> None:
        """Write events for the project's own testbench, if it has one.

        Args:
            project: folder that `convert` wrote.
            inputs: words, shape (events, inputs).
            outputs: words of the verified network, shape (events, outputs).
            formats: of the inputs and of the outputs.
        """
