"""A scan ends complete, each point once, however often its processes are killed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from nanotrigger.scan.points import Points
from nanotrigger.scan.progress import collect_rows
from nanotrigger.scan.storage import open_study
from tests.unit.scan.scan_process import PLAN

SCRIPT = Path(__file__).with_name("scan_process.py")


def start(folder, workers=2, storage=None, **environment):
    log = folder / "ran.txt"
    return subprocess.Popen(
        [sys.executable, SCRIPT, storage or str(folder / "scan.journal"), str(folder), str(workers)],
        env={**os.environ, "RAN": str(log), "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    _, errors = process.communicate()
    assert process.returncode == 0, errors


def rows(folder):
    return collect_rows(Points(open_study(PLAN, str(folder / "scan.journal")), PLAN))


def ran(folder):
    log = folder / "ran.txt"
    return Counter(log.read_text().split()) if log.exists() else Counter()


def wait_until(condition):
    while not condition():
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(start(folder))
    assert ran(folder) == Counter(f"{point:04}" for point in range(12))
    return rows(folder)


def test_every_point_once_in_order(undisturbed):
    assert [row["point"] for row in undisturbed] == list(range(12))
    assert [(row["network.weight.width"], row["seed"]) for row in undisturbed] == PLAN.points
    assert {row["state"] for row in undisturbed} == {"complete"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_and_started_again(seed, undisturbed, tmp_path):
    process = start(tmp_path)
    moment = random.Random(seed).randrange(1, 10)
    wait_until(lambda: len(ran(tmp_path)) >= moment)
    process.kill()
    process.communicate()
    finish(start(tmp_path))
    assert rows(tmp_path) == undisturbed
    assert max(ran(tmp_path).values()) <= 2  # the point that was just ending may have been noted before its record


@pytest.mark.slow
def test_two_processes_on_one_storage_one_killed(undisturbed, tmp_path):
    first, second = start(tmp_path, workers=1), start(tmp_path, workers=1)
    wait_until(lambda: len(ran(tmp_path)) >= 4)
    first.kill()
    first.communicate()
    finish(second)
    assert rows(tmp_path) == undisturbed


@pytest.mark.slow
def test_two_processes_share_the_points(tmp_path):
    processes = [start(tmp_path), start(tmp_path)]
    for process in processes:
        finish(process)
    assert ran(tmp_path) == Counter(f"{point:04}" for point in range(12))


def test_a_point_that_fails_is_recorded_and_the_rest_runs(tmp_path):
    finish(start(tmp_path, FAIL="0002"))
    states = {row["point"]: row["state"] for row in rows(tmp_path)}
    assert [point for point, state in states.items() if state == "failed"] == [2]
    assert len(states) == 12
    assert rows(tmp_path)[2]["error"] == "network.weight.width=2: refused"
    assert "refused" in (tmp_path / "points" / "0002" / "log.txt").read_text()


@pytest.mark.slow
def test_a_point_that_kills_its_process_fails_at_the_second_time(tmp_path):
    finish(start(tmp_path, DIE="0003"))
    failed = [row for row in rows(tmp_path) if row["state"] == "failed"]
    assert [row["point"] for row in failed] == [3]
    assert failed[0]["error"].startswith("the process was killed by SIGKILL, twice")
    assert len(rows(tmp_path)) == 12


def test_interrupted_it_leaves_no_process_and_no_taken_point(tmp_path):
    process = start(tmp_path)
    wait_until(lambda: len(ran(tmp_path)) >= 2)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0
    points = Points(open_study(PLAN, str(tmp_path / "scan.journal")), PLAN)
    assert not points.running()
    before = ran(tmp_path)
    time.sleep(0.6)
    assert ran(tmp_path) == before
