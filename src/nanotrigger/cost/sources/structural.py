"""Structural count: what a network costs on the chip, counted from its datapath without any tool."""

from collections import defaultdict

from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.report import NAMES, ResourceReport, ResourceRow, Scope, Source, total
from nanotrigger.cost.sources.calibration import ELU_VALUE, MLAB_BITS, SHELL
from nanotrigger.datapath.costs import aluts
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Kind
from nanotrigger.datapath.schedule import Schedule, levels_per_stage, schedule
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target

_REGISTERS = "registers"


def refusal(target: Target) -> str | None:
    """Return why firmware for `target` cannot be counted, or None if it can."""
    if target.io_type != "io_parallel":
        return f"io_type={target.io_type}: the structural count knows only io_parallel"
    if target.reuse_factor != 1:
        return f"reuse_factor={target.reuse_factor}: the structural count knows only 1, every product in parallel"
    if target.softmax:
        return "softmax=true: the structural count does not know the tables of a softmax"
    if target.radius:
        return "radius=true: the structural count does not know products of two signals"
    return None


def structural_report(
    datapath: Datapath, target: Target, *, scope: Scope = "whole IP", levels: int | None = None
) -> ResourceReport:
    """Count a datapath as firmware for `target`.

    Args:
        datapath: of the network.
        target: how the firmware is built.
        scope: `whole IP`, or the `datapath` with its output register but without the kernel's shell and output pipe.
        levels: levels of adders between two registers; by default what `calibration` says for the clock period.

    Raises:
        InputError: firmware for this target cannot be counted (see `refusal`), or `levels` is below 1.
    """
    reason = refusal(target)
    if reason is not None:
        raise InputError(reason)
    levels = levels_per_stage(target.clock_period) if levels is None else levels
    plan = schedule(datapath, levels)
    rows = datapath_rows(plan) + (shell_rows(datapath) if scope == "whole IP" else ())
    return ResourceReport(
        source=Source.STRUCTURAL_COUNT,
        tool_version=None,
        device=target.fpga_part,
        scope=scope,
        used=total(rows),
        available=resources_of(target.fpga_part),
        latency_cycles=plan.count,
        initiation_interval=1,
        clock=1000 / target.clock_period,
        assumptions=_assumptions(datapath, levels),
        rows=rows,
    )


def datapath_rows(plan: Schedule) -> tuple[ResourceRow, ...]:
    """Return what each kind of circuit in each layer costs; flip-flops count where their signal is made."""
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    datapath = plan.datapath
    operations = datapath.operations
    for position, held in enumerate(plan.flip_flops):
        operation = operations[position]
        kind = _REGISTERS if operation.kind == Kind.INPUT else operation.kind.value
        count = counts[operation.layer, kind]
        count[0] += aluts(datapath, position)
        count[1] += held
    rows = [ResourceRow(name=name, kind=kind, aluts=a, ffs=f) for (name, kind), (a, f) in counts.items()]
    bits = {output: datapath.bits[output] for output in datapath.outputs}
    constant = sum(bits[output] - datapath.known[output].unknown(bits[output]) for output in datapath.outputs)
    return (*rows, ResourceRow(name="output", kind=_REGISTERS, ffs=sum(datapath.output_bits) - constant))


def shell_rows(datapath: Datapath) -> tuple[ResourceRow, ...]:
    """Return what surrounds the datapath in hls4ml's oneAPI kernel."""
    pipe = -(-sum(datapath.output_bits) // MLAB_BITS)
    shell = {name: getattr(SHELL, name) for name in NAMES}
    return ResourceRow(name="kernel", kind="shell", **shell), ResourceRow(name="kernel", kind="output pipe", mlabs=pipe)


def elu_row(layer: str, values: int) -> ResourceRow:
    """Return what the tables of an ELU cost; no network of this package has one, but the calibration does."""
    return ResourceRow(
        name=layer, kind=Kind.ACTIVATION.value, **{name: values * getattr(ELU_VALUE, name) for name in NAMES}
    )


def _assumptions(datapath: Datapath, levels: int) -> tuple[str, ...]:
    return (
        "an estimate from the network's structure, not a measurement: every product by shifts and adders, none in a "
        "DSP; calibrated on early estimates of oneAPI 2025.0",
        f"a register after every {levels} levels of adders; the longest path has {datapath.depth}",
        "latency is that of the datapath; pipes and the kernel's control add cycles",
    )
