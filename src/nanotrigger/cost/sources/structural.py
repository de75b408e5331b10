"""Structural count: what a network costs on the chip, counted from its datapath without any tool.

The datapath alone is counted as it is; the whole IP as the vendor's compiler makes it of hls4ml's C++ (`kernel.py`).
"""

from collections.abc import Mapping
from dataclasses import replace

from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.report import ResourceReport, ResourceRow, Resources, Scope, total
from nanotrigger.cost.sources.kernel import Kernel, circuits, compiled_rows, kernel_at, kernel_rows, output_row
from nanotrigger.cost.sources.source import Design, Source, refusal
from nanotrigger.datapath.compiled import compiled
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Kind
from nanotrigger.datapath.schedule import Schedule, schedule
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.graph.quantize_channels import QuantizeChannels

_SAME_CLOCK = 0.01  # relative difference


class StructuralCount(Source):
    """A count by this package, for which nothing must be installed."""

    name = "structural count"
    title = "Structural count"
    meaning = "Estimate counted from the network's structure; no tool has synthesized anything."
    option = "structural"
    in_every_export = True
    latency_scope = "whole IP"

    def refusal(self, design: Design) -> str | None:
        """Return why the firmware is no datapath that can be counted."""
        return design.refusal

    def reports(self, design: Design) -> tuple[ResourceReport, ...]:
        """Count the whole IP, and the Verilog.

        The IP has no error if it is no chain of dense layers with a format each, of which alone there are records.
        """
        nodes = () if design.graph is None else design.graph.nodes
        is_chain = all(
            len(node.inputs) == 1 and getattr(node, "gather", None) is None and not isinstance(node, QuantizeChannels)
            for node in nodes
        )
        firmware = structural_report(design.datapath, design.target, is_recorded=is_chain)
        return firmware, structural_report(design.verilog, design.target, scope="Verilog")


def structural_report(
    datapath: Datapath,
    target: Target,
    *,
    scope: Scope = "whole IP",
    levels: int | None = None,
    is_recorded: bool = True,
) -> ResourceReport:
    """Count a datapath as firmware for `target`.

    Args:
        datapath: of the network.
        target: how the firmware is built.
        scope: `whole IP`, as the vendor's compiler makes it, or the `datapath` as it is, with its output register but
            without softmax, the kernel's shell and output pipe, of the firmware or of the `Verilog`.
        levels: levels of adders between two registers; by default as many as fit into the clock period.
        is_recorded: whether the vendor's records are of networks like this one, so that an error can be stated.

    Raises:
        InputError: firmware for this target cannot be counted (see `design.refusal`), or `levels` is below 1.
    """
    reason = refusal(target)
    if reason is not None:
        raise InputError(reason)
    plan, clock = schedule(datapath, levels, clock_period=target.clock_period), 1000 / target.clock_period
    error: Mapping[str, float] = {}
    if scope != "whole IP":
        rows, cycles, assumptions = datapath_rows(plan), plan.count, _assumptions(plan)
    else:
        kernel, plan = kernel_at(clock), replace(plan, datapath=compiled(datapath))
        rows = (*compiled_rows(plan, kernel), *kernel_rows(plan, kernel, softmax=target.softmax))
        around = kernel.latency + target.softmax * kernel.softmax_latency
        gap = "of such layers" if not is_recorded else _missing_record(total(rows), kernel, clock)
        error = {} if gap else kernel.error
        cycles, assumptions = plan.count + around, _assumptions_of_ip(plan, around, gap, kernel)
    return ResourceReport(
        source=StructuralCount.name,
        tool_version=None,
        device=target.fpga_part,
        scope=scope,
        used=total(rows),
        available=resources_of(target.fpga_part),
        latency_cycles=cycles,
        initiation_interval=1,
        clock=clock,
        error=error,
        assumptions=assumptions,
        rows=rows,
    )


def datapath_rows(plan: Schedule) -> tuple[ResourceRow, ...]:
    """Return what each kind of circuit in each layer costs; flip-flops count where their signal is made."""
    counts = circuits(plan, (operation.kind for operation in plan.datapath.operations))
    rows = [ResourceRow(name=name, kind=kind, aluts=round(a), ffs=round(f)) for (name, kind), (a, f) in counts.items()]
    return (*rows, output_row(plan.datapath))


def _assumptions(plan: Schedule) -> tuple[str, ...]:
    return (
        "an estimate from the network's structure, not a measurement: every product by shifts and adders"
        + ", which neurons of a layer share" * any(one.kind == Kind.SHARED for one in plan.datapath.operations),
        f"a pipeline stage {plan.rule}; the longest path has {plan.datapath.depth} levels of adders",
        "latency is that of the datapath; pipes and the kernel's control add cycles",
    )


def _assumptions_of_ip(plan: Schedule, around: int, gap: str, kernel: Kernel) -> tuple[str, ...]:
    first, stages, _ = _assumptions(plan)
    known = f"± holds 90 % of the records at {kernel.clock:g} MHz, {kernel.records}, each left out of the calibration"
    return (
        f"{first}, as oneAPI 2025.0 makes them",
        f"error unknown, no record {gap}; the kernel is that of {kernel.clock:g} MHz" if gap else known,
        stages,
        f"of the latency {plan.count} cycles are the datapath's, {around} those of pipes and the kernel's control",
    )


def _missing_record(used: Resources, kernel: Kernel, clock: float) -> str:
    """Return of what there is no record of the vendor's; nothing if there is one."""
    if abs(clock / kernel.clock - 1) > _SAME_CLOCK:
        return f"at {clock:.4g} MHz"
    if (used.aluts or 0) > kernel.most_aluts:
        return f"above {kernel.most_aluts:,} ALUTs at {kernel.clock:g} MHz"
    return ""
