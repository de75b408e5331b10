"""Kernel: what the vendor's compiler makes of a datapath, and what hls4ml's oneAPI kernel adds to it.

The records are oneAPI 2025.0's early estimates for Agilex 7, kept in benchmarks/records: whole networks of a course at
480 MHz, and single layers from the test suite of hls4ml (Apache-2.0) at 5 ns. `benchmarks/vendor.py` compares them with
the count, and fits the constants here and those of `datapath/schedule.py`, which are all that is fitted.

Fitted are here `PRODUCT_ADDERS`, `REGISTER_COPIES`, `DSP_DIGITS`, and at 480 MHz the shell's logic and `long_wait`. The
rest is read off single records. At 5 ns: the 95 ALUTs of kernel `Myproject` of a streamed Dense(16→5), whose layers are
kernels of their own, so that only the shell is left; the 1,124 flip-flops of Dense(1→64), less 64 outputs of 16 bits;
its 4 cycles less its own stage; and the 4 more of a sigmoid for each table. At 480 MHz: the 2 RAMs of `Myproject`, its
MLAB and the 4 of the kernel of a streamed ReLU, and the 159 cycles of the latter, less two of its own.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nanotrigger.cost.report import NAMES, ResourceRow, Resources
from nanotrigger.datapath.assembly import signed_digits
from nanotrigger.datapath.compiled import multiples
from nanotrigger.datapath.costs import aluts
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Kind, Offset, Quantize, Sum
from nanotrigger.datapath.schedule import Schedule

PRODUCT_ADDERS = 2.9
"""Adders that a product by a constant takes at most: with more, it shares some with others, or a DSP takes them."""

REGISTER_COPIES = 1.09
"""Flip-flops for each bit that waits in a register: those that many read are copied."""

DSP_DIGITS = 8
"""Bits set in a constant from which on its product is in a DSP, at 480 MHz."""

MLAB_BITS = 20
"""Bits of a word in an MLAB of 32 words: 52 MLABs for 64 outputs of 16 bits, 2 for two."""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """What surrounds a datapath at a clock that is on record.

    Attributes:
        clock: in MHz.
        records: of what there are records at this clock.
        most_aluts: of a network like those on record.
        shell: of the kernel.
        latency: clock cycles in and out.
        softmax_latency: clock cycles of a softmax.
        long_wait: clock cycles of waiting beyond which an MLAB holds a word; None if none does.
        has_dsps: whether products of many digits are put into DSPs.
        error: half-widths that held 90 % of the ratios of count and record, each with its record left out of the fit.
    """

    clock: float
    records: str
    most_aluts: int
    shell: Resources
    latency: int
    softmax_latency: int
    long_wait: int | None
    has_dsps: bool
    error: Mapping[str, float]


KERNELS = (
    Kernel(
        clock=200.0,
        records="single layers",
        most_aluts=4_000,  # the largest on record has 3,737
        shell=Resources(aluts=95, ffs=100),
        latency=3,
        softmax_latency=8,
        long_wait=None,
        has_dsps=False,
        error={"aluts": 0.1, "ffs": 0.08, "latency_cycles": 0.15},
    ),
    Kernel(
        clock=480.0,
        records="whole networks with softmax",
        most_aluts=150_000,  # the largest on record has 128,000
        shell=Resources(aluts=1_500, ffs=1_500, rams=2, mlabs=5),
        latency=157,
        softmax_latency=19,  # 3 comparisons of 2 cycles, a difference, 4, 3 sums, 4, a product
        long_wait=4,
        has_dsps=True,
        error={"aluts": 0.08, "ffs": 0.13, "latency_cycles": 0.04},
    ),
)


def kernel_at(clock: float) -> Kernel:
    """Return the kernel of the clock on record that is nearest, as a ratio.

    >>> kernel_at(210).clock, kernel_at(400).clock
    (200.0, 480.0)
    """
    return min(KERNELS, key=lambda kernel: abs(math.log(kernel.clock / clock)))


@dataclass(frozen=True)
class _Product:
    """A signal times a constant."""

    layer: str
    source: int
    constant: int
    is_cast: bool  # so that its sign cannot be left to the sum that follows

    @property
    def adders(self) -> int:
        """How many it takes by shifts and adders, of its own."""
        return max(len(signed_digits(self.constant)) - 1, int(self.is_cast and self.constant < 0))


def compiled_rows(
    plan: Schedule,
    kernel: Kernel,
    *,
    product_adders: float = PRODUCT_ADDERS,
    register_copies: float = REGISTER_COPIES,
) -> tuple[ResourceRow, ...]:
    """Return what each kind of circuit in each layer takes as the vendor's compiler makes it.

    Products are made anew: the same product is made once, but products of other constants share nothing with it. The
    flip-flops of the datapath's own ones are taken in proportion.
    """
    datapath = plan.datapath
    kinds = [
        Kind.PRODUCT if _is_negation(datapath, position) else operation.kind
        for position, operation in enumerate(datapath.operations)
    ]
    dsps: dict[str, int] = defaultdict(int)
    made: dict[str, float] = defaultdict(float)
    for product in _products(datapath):
        adders = min(product.adders, product_adders)
        made[product.layer] += adders * (datapath.operations[product.source].range.bits + 1)
        dsps[product.layer] += kernel.has_dsps and abs(product.constant).bit_count() >= DSP_DIGITS
    rows = []
    for (name, kind), (logic, held) in circuits(plan, kinds, register_copies).items():
        if kind != Kind.PRODUCT.value:
            rows.append(ResourceRow(name=name, kind=kind, aluts=round(logic), ffs=round(held)))
        else:
            ffs = round(held * made[name] / logic if logic else held)
            rows.append(ResourceRow(name=name, kind=kind, aluts=round(made[name]), ffs=ffs, dsps=dsps[name]))
    return (*rows, output_row(datapath))


def circuits(plan: Schedule, kinds: Iterable[Kind], copies: float = 1) -> Mapping[tuple[str, str], Sequence[float]]:
    """Return ALUTs and flip-flops by layer and kind of circuit; flip-flops count where their signal is made.

    Args:
        plan: of a datapath.
        kinds: of its operations.
        copies: flip-flops for each bit that is held.
    """
    counts: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0])
    operations = zip(plan.datapath.operations, kinds, plan.flip_flops, strict=True)
    for position, (operation, kind, held) in enumerate(operations):
        count = counts[operation.layer, "registers" if kind == Kind.INPUT else kind.value]
        count[0] += aluts(plan.datapath, position)
        count[1] += held * copies
    return counts


def output_row(datapath: Datapath) -> ResourceRow:
    """Return the register of the outputs, as wide as their format whatever their range, without bits that are known."""
    bits = {output: datapath.bits[output] for output in datapath.outputs}
    constant = sum(bits[output] - datapath.known[output].unknown(bits[output]) for output in datapath.outputs)
    return ResourceRow(name="output", kind="registers", ffs=sum(datapath.output_bits) - constant)


def _is_negation(datapath: Datapath, position: int) -> bool:
    """Return whether an operation is the minus sign of a product, which the compiler makes part of the product."""
    operation = datapath.operations[position]
    if not isinstance(operation, Offset) or operation.constant or operation.sign > 0 or operation.source is None:
        return False
    source = datapath.operations[operation.source]
    return not (isinstance(source, Sum) and source.kind == Kind.TREE)


def _products(datapath: Datapath) -> Iterator[_Product]:
    """Yield every product once that an operation reads."""
    found = multiples(datapath)
    seen: dict[_Product, None] = {}
    for position, operation in enumerate(datapath.operations):
        if not datapath.bits[position] or operation.kind == Kind.PRODUCT:
            continue
        for operand in operation.operands:
            source, factor = found[operand]
            if isinstance(operation, Offset) and not operation.constant:
                seen[_Product(operation.layer, source, operation.sign * factor << operation.shift, True)] = None
            elif factor != 1:
                is_cast = isinstance(operation, Quantize)
                seen[_Product(operation.layer, source, factor if is_cast else abs(factor), is_cast)] = None
    return iter(seen)


def kernel_rows(plan: Schedule, kernel: Kernel, *, softmax: bool) -> tuple[ResourceRow, ...]:
    """Return what surrounds the datapath: the shell, the output pipe, words that wait for long, and a softmax."""
    datapath = plan.datapath
    shell = {name: getattr(kernel.shell, name) for name in NAMES}
    widths = datapath.output_bits
    pipe = -(-sum(min(bits, SOFTMAX_BITS) if softmax else bits for bits in widths) // MLAB_BITS)
    rows = [
        ResourceRow(name="kernel", kind="shell", **shell),
        ResourceRow(name="kernel", kind="output pipe", mlabs=pipe),
    ]
    if kernel.long_wait is not None:
        bits = sum(
            datapath.bits[position]
            for position, (stage, until) in enumerate(zip(plan.stages, plan.kept_until, strict=True))
            if until - stage > kernel.long_wait
        )
        rows.append(ResourceRow(name="kernel", kind="words that wait", mlabs=-(-bits // MLAB_BITS)))
    return (*rows, softmax_row(datapath, kernel)) if softmax else tuple(rows)


SOFTMAX_BITS = 16  # of its results at most
TABLE_BITS, TABLE_ENTRIES = 18, 1024  # of hls4ml's tables, fixed<18,8>
_SMALL_TABLE = 256  # entries that are no RAM: the record of fixed<8,6> has none


def softmax_row(datapath: Datapath, kernel: Kernel) -> ResourceRow:
    """Return what hls4ml's stable softmax takes (`nnet_activation.h`): its operations, and a RAM for each look-up.

    It finds the largest logit, subtracts it from each, looks up their exponentials, adds these, looks up the inverse of
    the sum, and multiplies, which is done in DSPs that hls4ml does not read from the report.
    """
    outputs = len(datapath.outputs)
    bits = max(datapath.operations[output].range.bits for output in datapath.outputs)
    largest = (outputs - 1) * (2 * bits + 1)
    differences = outputs * (2 * bits + 1)  # rounded and saturated
    sums = (outputs - 1) * 2 * TABLE_BITS + outputs * TABLE_BITS  # saturated; and the results
    entries = min(TABLE_ENTRIES, 1 << bits)
    waiting: Mapping[str, int] = {}
    if kernel.long_wait is not None:
        waiting = {"mlabs": -(-outputs * bits // MLAB_BITS) + -(-outputs * TABLE_BITS // MLAB_BITS)}
    logic = largest + differences + sums
    rams = outputs + 1 if entries > _SMALL_TABLE else 0
    return ResourceRow(name="softmax", kind="tables", aluts=logic, ffs=logic, rams=rams, **waiting)
