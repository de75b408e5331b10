"""Schedule: in which pipeline stage each signal is made, and how long it is kept. The one place that decides it.

A stage holds what fits into the clock period: its registers take `REGISTER`, an operation `LEVEL`, and `CARRY` for each
bit through which its carry runs. The three were chosen so that all records of the vendor's estimates for Agilex 7 hold
(`benchmarks/vendor.py`): at 5 ns a layer of six levels, Dense(1→64) with ReLU, is one stage; at 480 MHz every adder is
registered, whether it has 8 bits or 40. Between the two clocks there is no record.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Offset, Quantize
from nanotrigger.errors import InputError

REGISTER = 1.2  # ns: clock to output, setup, and the wires between
LEVEL = 0.45  # ns: a look-up table, or the first bit of an adder, with its wires
CARRY = 0.004  # ns for each bit of a carry chain

_ROUNDING_ERROR = 1e-9  # ns


@dataclass(frozen=True)
class Schedule:
    """Pipeline stages of the signals of a datapath, by position.

    Attributes:
        datapath: that is scheduled.
        rule: what a stage holds, in words.
        stages: in which each signal is made, from 0.
        kept_until: last stage in which it is read; the outputs are read by the output register.
        count: number of stages, each of which ends in a register, the last one in that of the outputs. It is also the
            latency in clock cycles.
    """

    datapath: Datapath
    rule: str
    stages: tuple[int, ...]
    kept_until: tuple[int, ...]
    count: int

    @property
    def flip_flops(self) -> tuple[int, ...]:
        """The flip-flops that hold each signal: its changing bits for every cut between source and last reader.

        A signal that is some of the bits of another one has none of its own: they are among that one's. The register
        of the output words is not among them.
        """
        pieces = _pieces(self.datapath)
        kept = defaultdict(list)
        for position, piece in enumerate(pieces):
            if self.kept_until[position] > self.stages[position] and piece.high > piece.low:
                kept[piece.source].append((self.kept_until[position], piece))
        held = [0] * len(pieces)
        for source, readers in kept.items():
            known = self.datapath.known[source]
            for stage in range(self.stages[source], max(until for until, _ in readers)):
                alive = [piece for until, piece in readers if until > stage]
                high, low = max(piece.high for piece in alive), min(piece.low for piece in alive)
                held[source] += known.unknown(high) - known.unknown(low)
        return tuple(held)


@dataclass(frozen=True, slots=True)
class _Piece:
    """The bits of a signal of which another one consists, as far as an output depends on them.

    Attributes:
        source: position of that signal.
        first: where the other one's lowest bit is in it; negative if that is an appended zero.
        low, high: the bits, from `low` up to but without `high`.
    """

    source: int
    first: int
    low: int
    high: int


def _pieces(datapath: Datapath) -> Sequence[_Piece]:
    """Return for each signal of which bits it consists: its own, or some of an earlier signal."""
    pieces: list[_Piece] = []
    every = zip(datapath.operations, datapath.bits, datapath.idle_bits, strict=True)
    for position, (operation, bits, idle) in enumerate(every):
        piece = _Piece(position, 0, idle, bits)
        if isinstance(operation, Quantize | Offset) and bits and is_free(datapath, position):
            drop = operation.drop if isinstance(operation, Quantize) else -operation.shift
            constant = 0 if isinstance(operation, Quantize) else operation.constant
            if operation.source is not None and not constant:
                of = pieces[operation.source]
                first = of.first + drop
                low = max(of.low, first + idle)
                piece = _Piece(of.source, first, low, max(low, min(of.high, first + bits)))
        pieces.append(piece)
    return pieces


def is_free(datapath: Datapath, position: int) -> bool:
    """Return whether a signal is wires alone: an input, or other signals moved, cut or side by side."""
    operation = datapath.operations[position]
    levels = (datapath.operations[operand].level for operand in operation.operands)
    return operation.level == max(levels, default=0)


def delay(datapath: Datapath, position: int) -> float:
    """Return the time in ns that an operation takes after its operands are there."""
    if is_free(datapath, position):
        return 0.0
    operation = datapath.operations[position]
    carries = not isinstance(operation, Quantize) or (operation.rounds and operation.drop > 0)
    return LEVEL + CARRY * carries * datapath.bits[position]


def schedule(datapath: Datapath, levels: int | None = None, *, clock_period: float = 5.0) -> Schedule:
    """Return the schedule in which every stage holds what fits into the clock period.

    Args:
        datapath: to be scheduled.
        levels: put a register after every so many levels of adders instead.
        clock_period: in ns. An operation that takes longer has a stage of its own.

    Raises:
        InputError: `levels` is below 1.
    """
    if levels is not None and levels < 1:
        raise InputError(f"levels={levels}: a pipeline stage holds at least one level of adders")
    if levels is None:
        room, rule = clock_period - REGISTER, f"of {clock_period:g} ns holds the operations that fit into it"
        delays = [delay(datapath, position) for position in range(len(datapath.operations))]
    else:
        room, rule = float(levels), f"holds {levels} levels of adders"
        delays = [0.0 if is_free(datapath, position) else 1.0 for position in range(len(datapath.operations))]
    stages, count = _stages(datapath, delays, room)
    kept_until = list(stages)
    for operation, stage, bits in zip(datapath.operations, stages, datapath.bits, strict=True):
        for operand in operation.operands if bits else ():
            kept_until[operand] = max(kept_until[operand], stage)
    for output in datapath.outputs:
        kept_until[output] = count - 1
    return Schedule(datapath, rule, stages, tuple(kept_until), count)


def _stages(datapath: Datapath, delays: Sequence[float], room: float) -> tuple[tuple[int, ...], int]:
    """Return in which stage each signal is made, as early as it can be, and how many stages there are."""
    ready: list[tuple[int, float]] = []  # the stage, and the time in it
    for operation, takes in zip(datapath.operations, delays, strict=True):
        stage, time = max((ready[operand] for operand in operation.operands), default=(0, 0.0))
        if takes and time and time + takes > room + _ROUNDING_ERROR:
            stage, time = stage + 1, 0.0
        ready.append((stage, time + takes))
    return tuple(stage for stage, _ in ready), max(ready[output][0] for output in datapath.outputs) + 1
