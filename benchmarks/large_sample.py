"""Peak memory of a training on millions of events: python benchmarks/large_sample.py [--events 4000000]."""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from nanotrigger.tasks.anomaly.data import event_sets

ROOT = Path(__file__).parents[1]
BLOCK = 100_000  # events written at once


def write_events(path: Path, events: int, source: str) -> None:
    """Write a file in ADC2021's layout: events of `source`, drawn again and again, their momenta smeared by 10 %."""
    random = np.random.default_rng(1)
    file, name = event_sets(source)["background"]
    with h5py.File(file) as given, h5py.File(path, "w") as made:
        drawn = given[name][:]
        data = made.create_dataset("Particles", (events, *drawn.shape[1:]), np.float32, chunks=(10_000, 19, 4))
        for start in range(0, events, BLOCK):
            block = drawn[random.integers(len(drawn), size=min(BLOCK, events - start))]
            block[:, :, 0] *= random.normal(1.0, 0.1, block.shape[:2]).clip(0.5)
            data[start : start + len(block)] = block


def main() -> None:
    """Write the events, train one epoch in a process of its own, and print its peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=4_000_000)
    parser.add_argument("--source", default="simulated", help="events to draw from, as data.source")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "events.h5")
        write_events(file, options.events, options.source)
        settings = (
            f"data.source={file}",
            "trainer.max_epochs=1",
            "evaluate=false",
            "trainer.enable_progress_bar=false",
        )
        start = time.perf_counter()
        command = [sys.executable, ROOT / "train.py", "experiment=ad_ae", *settings, f"output={folder}/run"]
        subprocess.run(command, check=True, cwd=ROOT)
        seconds = time.perf_counter() - start
        size = file.stat().st_size / 2**30
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{options.events:,} events ({size:.2f} GiB): one epoch in {seconds:.0f} s, peak memory {peak:.2f} GiB")


if __name__ == "__main__":
    main()
