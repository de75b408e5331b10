"""Datasheet: everything that its page says, as plain values, and the commands that build the firmware again."""

import platform
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nanotrigger.cost.report import ResourceReport
from nanotrigger.cost.sources import best_first
from nanotrigger.datasheet.provenance import Provenance
from nanotrigger.evaluation.figures.illustration import Illustration
from nanotrigger.evaluation.performance import Performance
from nanotrigger.firmware.audit import QuantizerAudit, saturation_warnings, trained_saturation
from nanotrigger.firmware.backends import Backend, backend_named, backend_of
from nanotrigger.firmware.record import Firmware
from nanotrigger.firmware.target import Target
from nanotrigger.graph.node import Node
from nanotrigger.networks.weights import LayerWeights
from nanotrigger.numbers import FixedPoint
from nanotrigger.verilog.record import Module


@dataclass(frozen=True)
class Command:
    """A line for the shell, and what it is for."""

    purpose: str
    line: str


@dataclass(frozen=True)
class JudgedBy:
    """The events by which the firmware was judged.

    Attributes:
        samples: their number.
        description: which these are.
    """

    samples: int
    description: str


@dataclass(frozen=True)
class Feature:
    """An input of the network: word = quantized((value - mean) / scale)."""

    name: str
    mean: float
    scale: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Datasheet:
    """What an FPGA engineer must know of an export.

    Attributes:
        experiment: whose network it is.
        task: what the network does.
        performance: of the firmware; None if its outputs do not tell.
        judged_by: the events on which it was found.
        firmware: its layers, types and interface.
        nodes: of the integer graph, which say how it is drawn; none for a network that was quantized after training.
        features: its inputs, in the order of the words.
        outputs: names of its outputs, in the order of the words.
        meaning: what the outputs are, in words.
        parity: the content of parity.json.
        reports: what it costs, by any number of sources.
        audits: of the quantizers, or of the firmware's types for a network that was quantized after training.
        weights: of the linear layers.
        weight_figure: their illustration; None if there are none.
        performance_figures: how well the firmware does its task.
        vectors: number of test vectors in tb_data/.
        training: what the checkpoint says of it.
        commands: that build it again.
        versions: of the tools, by name.
        module: the Verilog; None if there is none.
        provenance: which version of this package wrote the export; None if that is not recorded.
    """

    experiment: str
    task: str
    performance: Performance | None
    judged_by: JudgedBy
    firmware: Firmware
    nodes: tuple[Node, ...] = ()
    features: tuple[Feature, ...]
    outputs: tuple[str, ...]
    meaning: str
    parity: Mapping[str, Any]
    reports: tuple[ResourceReport, ...]
    audits: tuple[QuantizerAudit, ...]
    weights: tuple[LayerWeights, ...]
    weight_figure: Illustration | None
    performance_figures: tuple[Illustration, ...]
    vectors: int
    training: Mapping[str, str]
    commands: tuple[Command, ...]
    versions: Mapping[str, str]
    module: Module | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reports", best_first(self.reports))

    @property
    def backend(self) -> Backend:
        """The back end that wrote the firmware."""
        return backend_of(self.parity)

    @property
    def headline(self) -> ResourceReport | None:
        """The report of the best source, None if there is no report."""
        return self.reports[0] if self.reports else None

    @property
    def is_proven(self) -> bool:
        """Whether every output word was compared and none differs."""
        return self.parity["differing_words"] == 0

    @property
    def output_features(self) -> tuple[Feature, ...]:
        """The outputs as words that are not scaled."""
        return tuple(Feature(name, 0.0, 1.0) for name in self.outputs)

    @property
    def is_standardized(self) -> bool:
        """Whether inputs are scaled before they become words."""
        return any((feature.mean, feature.scale) != (0.0, 1.0) for feature in self.features)

    @property
    def saturation(self) -> tuple[str, ...]:
        """A line for each quantizer that saturates too often; of a float network the remarks of parity.json tell it."""
        if self.parity["differing_words"] is None:
            return ()
        hashes = self.parity["sha256"]
        is_random = "file" in hashes and hashes.get("data") is None
        said = "; these inputs are random, and events may do otherwise: give data=FILE" if is_random else ""
        return tuple(f"{line}{said}" for line in saturation_warnings(self.audits))

    @property
    def trained_saturation(self) -> str:
        """A line on quantizers that saturate as they did in the training; nothing if none does."""
        return trained_saturation(self.audits)

    @property
    def widths(self) -> str:
        """Number of units from layer to layer, such as `16-32-32-32-5`."""
        sizes = [layer.size for layer in self.firmware.layers if layer.multiplies]
        return "-".join(str(size) for size in (self.firmware.features, *sizes))


def rebuild_commands(checkpoint: Path, target: Target, *, data: str | None = None) -> tuple[Command, ...]:
    """Return the commands from the training, if its config.yaml lies beside the checkpoint, to the vendor's report."""
    config = checkpoint.parent / "config.yaml"
    training = [Command("Train the network", _line("train.py", "fit", "--config", str(config), "--output", "NEW_RUN"))]
    build = backend_named(target.backend).build
    return (
        *(training if config.is_file() else []),
        Command("Export the firmware and prove it", export_line(checkpoint, target, data=data)),
        *([] if build is None else [Command("Compile for the FPGA: the compiler's resource estimate", build)]),
    )


def file_commands(
    file: Path,
    target: Target,
    *,
    data: str | None = None,
    number: FixedPoint | None = None,
    approximate: bool = False,
) -> tuple[Command, ...]:
    """Return the commands from a QONNX file to the vendor's report."""
    given = {"data": data, "input": number, "approximate": "true" if approximate else None}
    more = [f"{key}={value}" for key, value in given.items() if value is not None]
    build = backend_named(target.backend).build
    return (
        Command(
            "Export the firmware" if approximate else "Export the firmware and prove it",
            _line("export.py", f"qonnx={file}", *_differing(target), *more),
        ),
        *([] if build is None else [Command("Compile for the FPGA: the compiler's resource estimate", build)]),
    )


def export_line(checkpoint: Path, target: Target, *, data: str | None = None) -> str:
    """Return the command that exports a checkpoint for `target`; defaults are left out.

    >>> export_line(Path("run/best.ckpt"), Target(reuse_factor=2, precision="fixed<12,5>"))
    "python export.py ckpt=run/best.ckpt reuse_factor=2 'precision=fixed<12,5>'"
    """
    source = [] if data is None else [f"data={data}"]
    return _line("export.py", f"ckpt={checkpoint}", *_differing(target), *source)


def tool_versions(backend: Backend) -> dict[str, str]:
    """Return the versions of Python and of the packages that determine the firmware."""
    packages = ("nanotrigger", "torch", "brevitas", "qonnx", *backend.packages, "onnx", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def _differing(target: Target) -> list[str]:
    """Return the settings of a target that are not the default's."""
    default = asdict(Target())
    return [f"{key}={_spelled(value)}" for key, value in asdict(target).items() if value != default[key]]


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(script: str, *words: str) -> str:
    return shlex.join(["python", script, *words])
