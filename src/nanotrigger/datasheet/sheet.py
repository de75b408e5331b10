"""Datasheet: everything that its page says, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nanotrigger.cost.audit import QuantizerAudit
from nanotrigger.cost.report import ResourceReport, best_first
from nanotrigger.datasheet.illustration import Illustration
from nanotrigger.datasheet.rebuild import Command
from nanotrigger.firmware.backends import Backend, backend_of
from nanotrigger.firmware.record import Firmware
from nanotrigger.networks.weights import LayerWeights
from nanotrigger.tasks.performance import Performance


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
        features: its inputs, in the order of the words.
        outputs: names of its outputs, in the order of the words.
        meaning: what the outputs are, in words.
        parity: the content of parity.json.
        reports: what it costs, by any number of sources.
        audits: of the quantizers; none for a network that was quantized after training.
        weights: of the linear layers.
        weight_figure: their illustration.
        performance_figures: how well the firmware does its task.
        vectors: number of test vectors in tb_data/.
        training: what the checkpoint says of it.
        commands: that build it again.
        versions: of the tools, by name.
    """

    experiment: str
    task: str
    performance: Performance | None
    judged_by: JudgedBy
    firmware: Firmware
    features: tuple[Feature, ...]
    outputs: tuple[str, ...]
    meaning: str
    parity: Mapping[str, Any]
    reports: tuple[ResourceReport, ...]
    audits: tuple[QuantizerAudit, ...]
    weights: tuple[LayerWeights, ...]
    weight_figure: Illustration
    performance_figures: tuple[Illustration, ...]
    vectors: int
    training: Mapping[str, str]
    commands: tuple[Command, ...]
    versions: Mapping[str, str]

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
    def widths(self) -> str:
        """Number of units from layer to layer, such as `16-32-32-32-5`."""
        dense = [layer.size for layer in self.firmware.layers if layer.kind == "Dense"]
        return "-".join(str(size) for size in (self.firmware.features, *dense))
