"""Points per minute of a scan over QAT networks, and how they grow with workers: python benchmarks/scan.py.

Each point trains 4-bit networks for two epochs on the shipped sample and exports them with proof of parity. All numbers
of workers run in one go, side by side; a scan's start, some seconds, is part of its time.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run the scans and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=8)
    parser.add_argument("--workers", type=int, nargs="+", default=sorted({1, 2, os.cpu_count() or 1}))
    options = parser.parse_args()
    print(f"{options.points} points, {os.cpu_count()} cores\n\nworkers  seconds  points/minute  ratio")
    reference = None
    for workers in options.workers:
        seconds = scan_seconds(options.points, workers)
        reference = reference or seconds
        print(
            f"{workers:7}  {seconds:7.1f}  {60 * options.points / seconds:13.2f}  {reference / seconds:5.2f}",
            flush=True,
        )


def scan_seconds(points: int, workers: int) -> float:
    """Return how long a scan of so many seeds takes."""
    seeds = ",".join(str(seed + 1) for seed in range(points))
    with tempfile.TemporaryDirectory() as folder:
        words = ["experiment=jets_qat", f"seed={seeds}", "data.source=simulated", "trainer.max_epochs=2"]
        start = time.monotonic()
        subprocess.run(
            [sys.executable, "scan.py", *words, f"workers={workers}", f"output={Path(folder) / 'scan'}"],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.monotonic() - start


if __name__ == "__main__":
    main()
