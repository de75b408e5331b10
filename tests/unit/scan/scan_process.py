"""A scan without training, to be run and killed as a process: python scan_process.py STORAGE FOLDER WORKERS."""

import os
import random
import sys
import time
from pathlib import Path

from nanotrigger.errors import InputError
from nanotrigger.scan.plan import Axis, Plan
from nanotrigger.scan.points import Points
from nanotrigger.scan.storage import open_study
from nanotrigger.scan.workers import supervise

PLAN = Plan(
    name="killed",
    experiments=("jets_qat",),
    axes=(Axis(("network.weight.width",), (2, 3, 4, 6)), Axis(("seed",), (1, 2, 3))),
)


def run_point(plan, keys, folder):
    """Take a while, note that the point ran to its end, and return what a seed determines."""
    if os.environ.get("DIE") == folder.name:
        os.kill(os.getpid(), 9)
    if os.environ.get("FAIL") == folder.name:
        raise InputError("network.weight.width=2: refused")
    time.sleep(0.2)
    accuracy = random.Random(str(keys)).random()
    with Path(os.environ["RAN"]).open("a") as log:
        log.write(f"{folder.name}\n")
    return {"accuracy": accuracy, "aluts": 100 * keys["seed"], "ffs": 1, "contest_figure": 0.1, "accuracy_low": 0.0}


def main(storage, folder, workers):
    """Run the scan to its end."""
    points = Points(open_study(PLAN, storage), PLAN)
    supervise(points, storage, Path(folder), run_point, workers=int(workers), show=lambda: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
