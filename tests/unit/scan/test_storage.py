"""The storage of a scan."""

import contextlib
import json
import re
import subprocess
import sys
import threading

import pytest
from optuna.storages.journal import JournalFileBackend

from nanotrigger.errors import InputError
from nanotrigger.scan.plan import Axis, Plan
from nanotrigger.scan.points import Points
from nanotrigger.scan.storage import _Lock, open_study, suggest


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
    with pytest.raises(InputError, match=f"storage={file}: line 1 is no record of a scan; give storage=NEW"):
        open_study(plan(1, 2), str(file))


WORKER = {"place": "elsewhere", "pid": 1, "started": 0.0}


def run_all(storage) -> Points:
    """Run every point of a scan, those that a dead process had too."""
    points = Points(open_study(plan(1, 2), str(storage)), plan(1, 2))
    for trial in points.running():
        points.fail(points._writable(trial), "")
        points.retry_failed()
    while (trial := points.claim(WORKER)) is not None:
        suggest(points.plan, trial)
        points.complete(trial, {"accuracy": 1.0}, [1.0, 2.0, 3.0])
    return points


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> bytes:
    """The journal of a scan of two points."""
    file = tmp_path_factory.mktemp("journal") / "storage.journal"
    run_all(file)
    return file.read_bytes()


def test_a_record_is_never_glued_to_half_a_line(journal, tmp_path, monkeypatch):
    """Wherever a power cut shortened the journal."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    file = tmp_path / "storage.journal"
    record = {"op_code": 0, "mark": 1}
    for length in range(len(journal) + 1):
        file.write_bytes(journal[:length])
        JournalFileBackend(str(file), lock_obj=_Lock(str(file))).append_logs([record])
        whole = journal[: journal.rfind(b"\n", 0, length) + 1]
        assert file.read_bytes() == whole + b'{"op_code":0,"mark":1}\n'
        assert len(list(JournalFileBackend(str(file)).read_logs(0))) == whole.count(b"\n") + 1


def test_a_shortened_journal_goes_on(journal, tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    file = tmp_path / "storage.journal"
    for lines in range(journal.count(b"\n")):
        length = sum(map(len, journal.splitlines(keepends=True)[: lines + 1]))
        for cut in (1, 2, 40):
            file.write_bytes(journal[: max(length - cut, 0)])
            assert len(run_all(file).finished()) == 2
            assert all(json.loads(line) for line in file.read_bytes().splitlines())


@pytest.mark.parametrize("damage", [b'{"op_code":4,"tri', b"\x00" * 50, b"[1]", b"3", b""])
def test_a_damaged_line_in_the_middle_is_named(journal, tmp_path, damage):
    file = tmp_path / "storage.journal"
    lines = journal.splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:4], damage + b"\n", *lines[4:]]))
    before = file.read_bytes()
    told = f"storage={file}: line 5 is no record of a scan; keep what is before it, head -n 4 {file} > NEW, and give"
    with pytest.raises(InputError, match=re.escape(told)):
        open_study(plan(1, 2), str(file))
    assert file.read_bytes() == before


def test_records_that_do_not_fit_together_are_one_line(journal, tmp_path):
    lines = journal.splitlines(keepends=True)
    for left_out in range(len(lines)):
        file = tmp_path / f"{left_out}.journal"
        file.write_bytes(b"".join(lines[:left_out] + lines[left_out + 1 :]))
        with contextlib.suppress(InputError):
            open_study(plan(1, 2), str(file))
