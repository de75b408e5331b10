"""The storage of a scan."""

import subprocess
import sys
import threading

import pytest

from nanotrigger.errors import InputError
from nanotrigger.scan.plan import Axis, Plan
from nanotrigger.scan.storage import open_study


def plan(*values, name="widths"):
    return Plan(name=name, experiments=("jets_qat",), axes=(Axis(("seed",), values),))


def test_the_same_plan_opens_the_same_study(tmp_path):
    storage = str(tmp_path / "storage.journal")
    open_study(plan(1, 2), storage).set_user_attr("mark", 1)
    assert open_study(plan(1, 2), storage).user_attrs["mark"] == 1


def test_another_grid_under_the_name_is_refused_and_nothing_changes(tmp_path):
    file = tmp_path / "storage.journal"
    open_study(plan(1, 2), str(file))
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"another scan named widths, with axes .*give name=OTHER"):
        open_study(plan(1, 2, 3), str(file))
    assert file.read_bytes() == before
    open_study(plan(1, 2, 3, name="other"), str(file))


HOLD = """
import sys, time
from nanotrigger.scan.storage import _Lock
lock = _Lock(sys.argv[1])
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""


def test_a_killed_process_leaves_no_lock(tmp_path):
    storage = str(tmp_path / "storage.journal")
    open_study(plan(1, 2), storage)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, storage], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    opened = []
    waiting = threading.Thread(target=lambda: opened.append(open_study(plan(1, 2), storage).ask()))
    waiting.start()
    waiting.join(1)
    assert not opened
    holder.kill()
    holder.communicate()
    waiting.join()
    assert opened[0].number == 0


def test_a_relational_database(tmp_path):
    storage = f"sqlite:///{tmp_path / 'scan.db'}"
    assert open_study(plan(1, 2), storage).ask().number == 0


@pytest.mark.parametrize(
    "storage",
    ["postgresql://nobody@127.0.0.1:9/none", "nonsense://x", "/dev/null/storage.journal", "sqlite:////nowhere/x.db"],
)
def test_a_storage_that_cannot_be_reached(storage):
    with pytest.raises(InputError, match=f"storage={storage}"):
        open_study(plan(1, 2), storage)


def test_a_file_that_is_no_journal(tmp_path):
    file = tmp_path / "results.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="cannot be used"):
        open_study(plan(1, 2), str(file))
