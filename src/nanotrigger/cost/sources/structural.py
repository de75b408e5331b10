"""Structural count: what a network costs on the chip, counted from its datapath without any tool.

Only the vendor's reports can tell what surrounds the datapath, and how its operations are made. The records are oneAPI
2025.0's early estimates for Agilex 7 at 5 ns, in the test suite of hls4ml (Apache-2.0): files
`test_keras_api_test_{activations,dense}_io_parallel-oneAPI*.json`, models in `test_keras_api.py`. Everything is
fixed<16,6>, truncated and wrapped. Weights are random: lecun-uniform, ±sqrt(3), for Dense(1→64), and uniform from 1 to
10 for Dense(1→2). The leaky ReLU has slope 1 and is no logic: 2,819 ALUTs, where ReLU makes it 3,737.

Two choices of the count rest on the same records. Multiples are summed from the top digit and share partial sums:
without sharing the count of Dense(1→64) is about half above the record, summed from the lowest digit about 15 % below.
The output register has the width of the output's format, whatever the range: 1,124 flip-flops for either activation.
"""

from collections import defaultdict

from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.report import NAMES, ResourceReport, ResourceRow, Resources, Scope, total
from nanotrigger.cost.sources.source import Design, Source, refusal
from nanotrigger.datapath.costs import aluts
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Kind
from nanotrigger.datapath.schedule import Schedule, levels_per_stage, schedule
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target

# ALUTs: kernel `Myproject` in summary.ndjson of a streamed Dense(16→5), whose layers are kernels of their own, so that
# only the shell is left. FFs: Dense(1→64) with ReLU or leaky ReLU, 1,124, less 64 output words of 16 bits.
SHELL = Resources(aluts=95, ffs=100)

# The output pipe holds 20 bits in an MLAB: 52 MLABs for 64 words of 16 bits, 2 for two words.
MLAB_BITS = 20

_REGISTERS = "registers"


class StructuralCount(Source):
    """A count by this package, for which nothing must be installed."""

    name = "structural count"
    title = "Structural count"
    meaning = "Estimate counted from the network's structure; no tool has synthesized anything."
    option = "structural"
    in_every_export = True

    def refusal(self, design: Design) -> str | None:
        """Return why the firmware is no datapath that can be counted."""
        return design.refusal

    def reports(self, design: Design) -> tuple[ResourceReport, ...]:
        """Count the whole IP, and the Verilog."""
        firmware = structural_report(design.datapath, design.target)
        return firmware, structural_report(design.verilog, design.target, scope="Verilog")


def structural_report(
    datapath: Datapath, target: Target, *, scope: Scope = "whole IP", levels: int | None = None
) -> ResourceReport:
    """Count a datapath as firmware for `target`.

    Args:
        datapath: of the network.
        target: how the firmware is built.
        scope: `whole IP`, or the `datapath` with its output register but without the kernel's shell and output pipe, of
            the firmware or of the `Verilog`.
        levels: levels of adders between two registers; by default those of `levels_per_stage` for the clock period.

    Raises:
        InputError: firmware for this target cannot be counted (see `design.refusal`), or `levels` is below 1.
    """
    reason = refusal(target)
    if reason is not None:
        raise InputError(reason)
    levels = levels_per_stage(target.clock_period) if levels is None else levels
    plan = schedule(datapath, levels)
    rows = datapath_rows(plan) + (shell_rows(datapath) if scope == "whole IP" else ())
    return ResourceReport(
        source=StructuralCount.name,
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


def _assumptions(datapath: Datapath, levels: int) -> tuple[str, ...]:
    return (
        "an estimate from the network's structure, not a measurement: every product by shifts and adders, none in a "
        "DSP; calibrated on early estimates of oneAPI 2025.0",
        *(["neurons of a layer share adders"] * any(one.kind == Kind.SHARED for one in datapath.operations)),
        f"a register after every {levels} levels of adders; the longest path has {datapath.depth}",
        "latency is that of the datapath; pipes and the kernel's control add cycles",
    )
