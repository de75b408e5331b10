"""Allowance: what a network may cost on the chip, and what it does cost, counted for the target of its firmware."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from nanotrigger.cost.contest import contest_figure
from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.report import ResourceReport
from nanotrigger.cost.sources.kernel import kernel_at
from nanotrigger.cost.sources.source import refusal
from nanotrigger.cost.sources.structural import StructuralCount, structural_report
from nanotrigger.errors import InputError
from nanotrigger.firmware.datapaths import firmware_datapath
from nanotrigger.firmware.qonnx import exported_graph
from nanotrigger.firmware.target import Target, settled
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.graph import Graph
from nanotrigger.networks import Network
from nanotrigger.networks.learned import frozen
from nanotrigger.networks.network import WHOLE


@dataclass(frozen=True)
class Cost:
    """What a network costs, counted from its structure.

    Attributes:
        aluts: adaptive lookup tables.
        ffs: flip-flops.
        share: ALUT % plus FF % of the device, what the contest counts.
        ebops: effective bit operations.
    """

    aluts: int
    ffs: int
    share: float
    ebops: int


class Bill(NamedTuple):
    """What a network costs.

    Attributes:
        cost: what is limited.
        paid: what is paid for it, in the same unit.
    """

    cost: float
    paid: float


@dataclass(frozen=True)
class Allowance:
    """What a network may cost.

    Args:
        unit: a field of `Cost`.
        most: of that unit.
        target: for which firmware.
    """

    unit: str
    most: float
    target: Target

    def check_target(self) -> None:
        """Check that firmware for the target can be counted.

        Raises:
            InputError: it cannot, or what its device offers is unknown and a share of that is limited.
        """
        reason = refusal(self.target)
        if reason is not None:
            raise InputError(f"budget.target.{reason}")
        if not 0 < self.target.clock_period < math.inf:
            raise InputError(f"budget.target.clock_period={self.target.clock_period}: must be positive, in ns")
        self._check_shell()
        if self.unit == "share" and resources_of(self.target.fpga_part) is None:
            raise InputError(
                f"budget.target.fpga_part={self.target.fpga_part}: what it offers is not known here; give a budget in "
                "aluts or ffs"
            )

    def _check_shell(self) -> None:
        """Check that something is left for a network beside what surrounds every one."""
        least = getattr(shell_cost(self.target), self.unit)
        is_whole = isinstance(least, int)
        if self.most < least + 1 if is_whole else self.most <= least:
            what = "a network of zeros" if self.unit == "ebops" else "the kernel's shell alone"
            enough = f"at least {least + 1}" if is_whole else f"more than {least:.4g}"
            raise InputError(
                f"budget.{self.unit}={self.most:g}: {what} costs {least:.4g}; give {enough}, with room for the network"
            )

    def check_network(self, network: Network) -> None:
        """Check that the target's firmware can be made of a network, and counted.

        Raises:
            InputError: see `check_target` and `firmware.target.settled`.
        """
        self.check_target()
        settled(network, self.target)


def bill_of(network: Network, allowance: Allowance, first: Cost) -> Bill:
    """Return what a network of fixed formats costs, and what a refinement that began at `first` pays.

    They differ for flip-flops, of which a change of a single weight seldom saves one: half of what is paid are ALUTs.
    """
    if allowance.unit == "ebops":
        value = _graph(network, allowance.target).bit_operations()
        return Bill(value, value)
    cost = cost_of(network, allowance.target)
    if allowance.unit == "ffs":
        return Bill(cost.ffs, (cost.ffs + cost.aluts * first.ffs / first.aluts) / 2)
    return Bill(getattr(cost, allowance.unit), getattr(cost, allowance.unit))


def shell_cost(target: Target) -> Cost:
    """Return what every network costs, whatever its weights: what surrounds the datapath."""
    shell = kernel_at(1000 / target.clock_period).shell
    report = ResourceReport(
        source=StructuralCount.name,
        tool_version=None,
        device=target.fpga_part,
        scope="whole IP",
        used=shell,
        available=resources_of(target.fpga_part),
    )
    return Cost(shell.aluts or 0, shell.ffs or 0, contest_figure(report) or 0.0, 0)


def cost_of(network: Network, target: Target) -> Cost:
    """Return what a quantized network costs as firmware for `target`; one of learned bits as it would be frozen now.

    Raises:
        InputError: firmware for this target cannot be counted.
    """
    graph = _graph(frozen(network), target)
    report = structural_report(firmware_datapath(graph, target), target)
    return Cost(report.used.aluts or 0, report.used.ffs or 0, contest_figure(report) or 0.0, graph.bit_operations())


def _graph(network: Network, target: Target) -> Graph:
    section = network.section(target.part or WHOLE)
    return graph_of(section) if section.is_chain else exported_graph(section)
