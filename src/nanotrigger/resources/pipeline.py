"""Pipeline: which flip-flops a datapath needs if it is cut after every few levels of adders."""

from nanotrigger.errors import InputError
from nanotrigger.resources.datapath import Datapath


def stage_count(datapath: Datapath, levels_per_stage: int) -> int:
    """Return the number of pipeline stages; each ends in a register, the last one in that of the outputs.

    Raises:
        InputError: `levels_per_stage` is below 1.
    """
    if levels_per_stage < 1:
        raise InputError(f"levels_per_stage {levels_per_stage}: a stage holds at least one level of adders")
    return max(-(-datapath.depth // levels_per_stage), 1)


def flip_flops(datapath: Datapath, levels_per_stage: int) -> list[int]:
    """Return the flip-flops that hold each signal: its changing bits for every cut between source and last reader.

    The register of the output words is not among them.

    Raises:
        InputError: `levels_per_stage` is below 1.
    """
    last_stage = stage_count(datapath, levels_per_stage) - 1
    stages = [max(operation.level - 1, 0) // levels_per_stage for operation in datapath.operations]
    needed_until = list(stages)
    for operation, stage, bits in zip(datapath.operations, stages, datapath.bits, strict=True):
        for operand in operation.operands if bits else ():
            needed_until[operand] = max(needed_until[operand], stage)
    for output in datapath.outputs:
        needed_until[output] = last_stage
    changing = (known.unknown(bits) for known, bits in zip(datapath.known, datapath.bits, strict=True))
    return [bits * (until - stage) for bits, stage, until in zip(changing, stages, needed_until, strict=True)]
