"""Source: somebody who says what firmware costs; and Design, an exported network as sources get it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from nanotrigger.cost.report import ResourceReport, Scope
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.errors import InputError
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.datapaths import firmware_datapath, verilog_datapath
from nanotrigger.firmware.target import Target
from nanotrigger.graph.graph import Graph


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """What a source is asked about.

    Attributes:
        folder: of the export: model.onnx, the firmware's project, and a place for logs.
        target: how the firmware is built.
        graph: the network as integers; None if the firmware is no datapath of these.
        refusal: why there is none; None if there is one.
    """

    folder: Path
    target: Target
    graph: Graph | None
    refusal: str | None

    @property
    def project(self) -> Path:
        """The firmware project, as its back end wrote it."""
        return self.folder / backend_named(self.target.backend).folder

    @property
    def datapath(self) -> Datapath:
        """Every sum and every rounding of the firmware.

        Raises:
            InputError: there is none; says why.
        """
        return firmware_datapath(self._counted, self.target)

    @property
    def verilog(self) -> Datapath:
        """Every sum and every rounding of the Verilog, in which neurons share adders; errors as of `datapath`."""
        return verilog_datapath(self._counted, self.target)

    @property
    def _counted(self) -> Graph:
        if self.graph is None:
            raise InputError(self.refusal or "the network has no datapath")
        return self.graph


def read_design(folder: Path, target: Target, graph: Graph | None = None) -> Design:
    """Return the design of an export, if it can be counted.

    Args:
        folder: of the export.
        target: how its firmware is built.
        graph: its integer graph, if it was read already.
    """
    from nanotrigger.graph.from_qonnx import read_graph  # brings ONNX, which counting in a training does not need

    reason = refusal(target)
    if reason is None and graph is None:
        try:
            graph = read_graph(folder / "model.onnx", target.precision)
        except InputError as error:
            reason = str(error)
    return Design(folder=folder, target=target, graph=graph if reason is None else None, refusal=reason)


def refusal(target: Target) -> str | None:
    """Return why firmware for `target` is no datapath that can be counted, or None if it is one."""
    if target.io_type != "io_parallel":
        return f"io_type={target.io_type}: the structural count knows only io_parallel"
    if target.reuse_factor != 1:
        return f"reuse_factor={target.reuse_factor}: the structural count knows only 1, every product in parallel"
    if target.radius:
        return "radius=true: the structural count does not know products of two signals"
    return None


class Source(ABC):
    """Somebody who says what firmware costs on the chip.

    Attributes:
        name: as resources.json and results.csv have it; never changes.
        title: for headings and legends.
        meaning: what its numbers are good for, a sentence. None is a measurement: no chip has run.
        option: the word that asks for it, `export.py report=WORD`.
        kind: of its numbers.
        latency_scope: what its latency is from end to end of.
        in_every_export: whether it is asked without being named, because it needs no tool and no time.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    option: ClassVar[str]
    kind: ClassVar[str] = "estimated"
    latency_scope: ClassVar[Scope] = "datapath"
    in_every_export: ClassVar[bool] = False

    def check_tools(self) -> None:  # noqa: B027 (most sources need none)
        """Check that its tools are there, before any work is done.

        Raises:
            InputError: one is missing; says where it comes from.
        """

    def refusal(self, design: Design) -> str | None:
        """Return why it can say nothing of a design, or None if it can."""
        return None

    @abstractmethod
    def reports(self, design: Design) -> tuple[ResourceReport, ...]:
        """Return its report of a design, and others to compare it with, if any; may take long.

        Raises:
            InputError: a tool is missing, or what it left cannot be read.
            FirmwareError: a tool failed.
        """
