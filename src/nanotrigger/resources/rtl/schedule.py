"""Schedule: in which pipeline stage each signal is made, and how long it must be kept."""

from dataclasses import dataclass

from nanotrigger.resources.datapath import Datapath
from nanotrigger.resources.pipeline import stage_count


@dataclass(frozen=True)
class Schedule:
    """Pipeline stages of the signals of a datapath, by position.

    Attributes:
        stages: in which each signal is made, from 0.
        kept_until: last stage in which it is read; the outputs are read by the output register.
        count: number of stages, which is also the latency in clock cycles.
    """

    stages: tuple[int, ...]
    kept_until: tuple[int, ...]
    count: int


def schedule(datapath: Datapath, levels: int) -> Schedule:
    """Return the schedule with a register after every `levels` levels of adders, as `pipeline.flip_flops` counts it.

    Raises:
        InputError: `levels` is below 1.
    """
    count = stage_count(datapath, levels)
    stages = tuple(max(operation.level - 1, 0) // levels for operation in datapath.operations)
    kept_until = list(stages)
    for operation, stage, bits in zip(datapath.operations, stages, datapath.bits, strict=True):
        for operand in operation.operands if bits else ():
            kept_until[operand] = max(kept_until[operand], stage)
    for output in datapath.outputs:
        kept_until[output] = count - 1
    return Schedule(stages, tuple(kept_until), count)
