"""Damage input for everything that parses it, for long: python -m tests.fuzz --inputs 100000.

Input number N of a seed is always the same. What does not end in a result or in the documented one line is printed.
"""

import argparse
import collections
import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.fuzz.parse import parse

CHUNK = 500  # inputs of a process


def main() -> int:
    """Run the command line; return 1 if an input came to a bad end."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--only", help="name of one target")
    options = parser.parse_args()
    begin = time.monotonic()
    tally: collections.Counter[tuple[str, str]] = collections.Counter()
    chunks = [range(first, min(first + CHUNK, options.inputs)) for first in range(0, options.inputs, CHUNK)]
    with ThreadPoolExecutor(options.processes) as pool:
        for ends in pool.map(lambda numbers: parse(options.seed, numbers, options.only), chunks):
            for number, name, end in ends:
                is_good = end in ("read", "refused")
                tally[name, end if is_good else "bad"] += 1
                if not is_good:
                    print(f"input {number}, {name}: {end}", file=sys.stderr, flush=True)
    for name in sorted({name for name, _ in tally}):
        print(f"{name:12}" + "".join(f"  {end} {tally[name, end]:7,}" for end in ("read", "refused", "bad")))
    bad = sum(count for (_, end), count in tally.items() if end == "bad")
    print(f"{tally.total():,} inputs, {bad} came to a bad end; {time.monotonic() - begin:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
