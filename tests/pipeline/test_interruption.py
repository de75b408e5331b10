"""A training that is killed at any moment, and started again, ends as if nothing had happened: byte for byte."""

import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from nanotrigger import files
from nanotrigger.cli import train
from tests.command import CONTEXT, ROOT

EXPERIMENTS = {
    # random draws, the plateau schedule, masks that grow, BatchNorm
    "ad_vae": ("trainer.max_epochs=30", "pruning.sparsity=0.5", "pruning.schedule=polynomial", "pruning.frequency=3"),
    # the controller of the price, the front, the refinement
    "jets_budget": (
        "trainer.max_epochs=16",
        "trainer.check_val_every_n_epoch=2",
        "network.hidden=[8]",
        "budget.ebops=400",
        "budget.rounds=2",
    ),
    "jets_qat": ("trainer.max_epochs=20", "data.batch_size=3000", "pruning.sparsity=0.6", "pruning.end_step=100"),
}
KILLS = {"ad_vae": 10, "jets_budget": 4, "jets_qat": 10}


def run(experiment: str, folder: Path, dies_at_sync: int | None) -> None:
    """Be `python train.py … output=run ckpt_path=last`; die when a file was written so often, but is not in place."""
    os.chdir(folder)
    sync, synced = files._sync, 0

    def die_or_sync(path: Path) -> None:
        nonlocal synced
        synced += 1
        if synced == dies_at_sync:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(path)

    files._sync = die_or_sync
    options = (f"experiment={experiment}", "data.source=simulated", "output=run", "ckpt_path=last", "evaluate=false")
    sys.argv = ["train.py", *options, *EXPERIMENTS[experiment], "trainer.enable_progress_bar=false"]
    sys.exit(train.main(ROOT))


def start(experiment: str, folder: Path, dies_at_sync: int | None = None) -> multiprocessing.Process:
    process = CONTEXT.Process(target=run, args=(experiment, folder, dies_at_sync))
    process.start()
    return process


def finish(experiment: str, folder: Path) -> dict[str, bytes]:
    process = start(experiment, folder)
    process.join()
    assert process.exitcode == 0
    return {path.name: path.read_bytes() for path in (folder / "run").rglob("*") if path.is_file()}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_killed_at_any_moment(experiment, tmp_path):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    undisturbed.mkdir()
    disturbed.mkdir()
    warm_up = CONTEXT.Process(target=os.getpid)
    warm_up.start()
    warm_up.join()
    begin = time.monotonic()
    expected = finish(experiment, undisturbed)
    duration = time.monotonic() - begin
    chance = random.Random(experiment)
    deaths = []
    for kill in range(KILLS[experiment]):
        if kill % 2:
            process = start(experiment, disturbed, dies_at_sync=chance.randrange(1, 14))
        else:
            process = start(experiment, disturbed)
            process.join(chance.uniform(0.1, 0.3) * duration)
            process.terminate() if kill % 4 else process.kill()
        process.join()
        deaths.append(process.exitcode)
    assert finish(experiment, disturbed) == expected, deaths
    assert set(deaths) <= {0, -signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM}, deaths
    assert sum(code != 0 for code in deaths) > len(deaths) // 2, deaths  # a quick one may have been at its end
