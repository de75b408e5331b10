"""Parse damaged input in processes with limited memory and time."""

import json
import random
import signal
import tempfile
import traceback
from itertools import zip_longest
from pathlib import Path

from tests.command import CONTEXT, limit_memory
from tests.fuzz.mutations import mutate
from tests.fuzz.targets import outcome, targets

MEMORY, SECONDS = 3 << 30, 60  # what parsing may take beyond what Python has; for one input


def parse(seed: int, numbers: range, only: str | None = None) -> list[tuple[int, str, str]]:
    """Parse damaged inputs; return number, target and end of each: `read`, `refused`, or what happened instead."""
    ends: list[tuple[int, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        while len(ends) < len(numbers):
            log = Path(folder, str(len(ends)))
            process = CONTEXT.Process(target=_parse, args=(seed, numbers[len(ends) :], only, log))
            process.start()
            process.join()
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            for (number, name), end in zip_longest(lines[::2], lines[1::2]):
                ends.append((number, name, end or f"the process ended with {process.exitcode}"))
    return ends


def _parse(seed: int, numbers: range, only: str | None, log: Path) -> None:
    limit_memory(MEMORY)
    chosen = [target for target in targets() if only in (None, target.name)]
    with log.open("w", buffering=1) as file:
        for number in numbers:
            chance = random.Random(f"{seed} {number}")
            target = chance.choices(chosen, [target.share for target in chosen])[0]
            data = mutate(chance.choice(target.seeds), target.seeds, chance)
            file.write(json.dumps((number, target.name)) + "\n")
            signal.alarm(SECONDS)  # ends the process
            try:
                end = "read" if outcome(target, data) == "read" else "refused"
            except BaseException as error:
                end = "".join(traceback.format_exception(error)[-4:])
            signal.alarm(0)
            file.write(json.dumps(end) + "\n")
