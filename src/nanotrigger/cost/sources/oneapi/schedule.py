"""The compiler's schedule of the loops: loop_attr.ndjson."""

import math
from dataclasses import dataclass
from pathlib import Path

from nanotrigger.cost.sources.oneapi.records import Record, number, read_records


@dataclass(frozen=True)
class Schedule:
    """How the compiler schedules its blocks, each value that of the worst one; None if unknown.

    Attributes:
        latency_cycles: clock cycles through a block, which is not the latency from end to end.
        initiation_interval: clock cycles between two inputs of a block.
        clock: frequency that the compiler expects, in MHz.
    """

    latency_cycles: int | None = None
    initiation_interval: int | None = None
    clock: float | None = None


def read_schedule(path: Path) -> Schedule:
    """Read the schedule in a loop_attr.ndjson.

    Raises:
        InputError: the file is damaged.
    """
    blocks = read_records(path)
    latencies, intervals, clocks = (_values(blocks, key) for key in ("lt", "ii", "af"))
    return Schedule(
        math.ceil(max(latencies)) if latencies else None,
        math.ceil(max(intervals)) if intervals else None,
        min(clocks) if clocks else None,
    )


def _values(blocks: list[Record], key: str) -> list[float]:
    numbers = (number(block.get(key)) for block in blocks)
    return [value for value in numbers if value is not None]
