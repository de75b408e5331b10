"""Schedule: in which pipeline stage each signal is made, and how long it is kept. The one place that decides it."""

from dataclasses import dataclass

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.errors import InputError

# Dense(1→64) with ReLU, six levels deep, is one stage at 5 ns: the vendor's record of it has no flip-flops but the
# kernel's own and those of the outputs. 8 levels are an assumption beyond that record.
_LEVELS_PER_STAGE = 8
_CLOCK_PERIOD = 5.0  # in ns


@dataclass(frozen=True)
class Schedule:
    """Pipeline stages of the signals of a datapath, by position.

    Attributes:
        datapath: that is scheduled.
        levels: levels of adders between two registers.
        stages: in which each signal is made, from 0.
        kept_until: last stage in which it is read; the outputs are read by the output register.
        count: number of stages, each of which ends in a register, the last one in that of the outputs. It is also the
            latency in clock cycles.
    """

    datapath: Datapath
    levels: int
    stages: tuple[int, ...]
    kept_until: tuple[int, ...]
    count: int

    @property
    def flip_flops(self) -> tuple[int, ...]:
        """The flip-flops that hold each signal: its changing bits for every cut between source and last reader.

        The register of the output words is not among them.
        """
        changing = (known.unknown(bits) for known, bits in zip(self.datapath.known, self.datapath.bits, strict=True))
        return tuple(
            bits * (until - stage) for bits, stage, until in zip(changing, self.stages, self.kept_until, strict=True)
        )


def schedule(datapath: Datapath, levels: int) -> Schedule:
    """Return the schedule with a register after every `levels` levels of adders.

    Raises:
        InputError: `levels` is below 1.
    """
    if levels < 1:
        raise InputError(f"levels={levels}: a pipeline stage holds at least one level of adders")
    count = max(-(-datapath.depth // levels), 1)
    stages = tuple(max(operation.level - 1, 0) // levels for operation in datapath.operations)
    kept_until = list(stages)
    for operation, stage, bits in zip(datapath.operations, stages, datapath.bits, strict=True):
        for operand in operation.operands if bits else ():
            kept_until[operand] = max(kept_until[operand], stage)
    for output in datapath.outputs:
        kept_until[output] = count - 1
    return Schedule(datapath, levels, stages, tuple(kept_until), count)


def levels_per_stage(clock_period: float) -> int:
    """Return how many levels of adders fit between two registers: in proportion to the clock period, in ns.

    Only 5 ns is on record; the proportion is an assumption.

    >>> levels_per_stage(5.0), levels_per_stage(2.5), levels_per_stage(0.1)
    (8, 4, 1)
    """
    return max(int(_LEVELS_PER_STAGE * clock_period / _CLOCK_PERIOD), 1)
