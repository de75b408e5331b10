"""Points of a scan: claimed once, freed when their process is dead."""

import os
import time

import pytest

from nanotrigger.scan.plan import Axis, Contest, Plan, Range
from nanotrigger.scan.points import SILENCE, Points, identity
from nanotrigger.scan.progress import collect_rows
from nanotrigger.scan.storage import open_study, suggest

GRID = Plan(name="grid", experiments=("jets_qat",), axes=(Axis(("a",), (1, {"width": 2})), Axis(("seed",), (1, 2))))
SEARCH = Plan(
    name="search",
    experiments=("jets_qat",),
    axes=(Range(("hidden",), 4, 32, 4), Range(("rate",), 1e-3, 1.0, log=True)),
    contest=Contest(threshold=0.7, points=3),
)
ROW = {"accuracy": 0.5, "accuracy_low": 0.4}
VALUES = {"grid": [0.5, 1.0, 1.0], "search": [0.1]}


def dead():
    return identity(os.getpid()) | {"started": 0.0}


def killed(*arguments):
    raise KeyboardInterrupt


def me():
    return identity(os.getpid())


def values(points, trial):
    return suggest(points.plan, trial)


def complete(points, trial):
    values(points, trial)
    points.complete(trial, ROW, VALUES[points.plan.name])


@pytest.fixture(params=[GRID, SEARCH], ids=["grid", "search"])
def points(request, tmp_path):
    return Points(open_study(request.param, str(tmp_path / "storage.journal")), request.param)


def test_each_point_once(points):
    trials = []
    while (trial := points.claim(me())) is not None:
        trials.append(trial)
    assert len(trials) == points.plan.size
    assert points.unclaimed() == 0
    assert len({str(values(points, trial)) for trial in trials}) == points.plan.size


def test_values_come_back_as_they_are_in_the_plan(tmp_path):
    points = Points(open_study(GRID, str(tmp_path / "storage.journal")), GRID)
    for _ in range(4):
        complete(points, points.claim(me()))
    rows = collect_rows(points)
    assert [(row["a"], row["seed"]) for row in rows] == GRID.points
    assert rows[2]["a"] == {"width": 2}


def test_a_dead_process_frees_its_point(points):
    first = points.claim(dead())
    lost = values(points, first)
    for _ in range(points.plan.size - 1):
        complete(points, points.claim(me()))
    assert points.claim(me()) is None
    points.release_dead()
    points.release_dead()  # once more changes nothing
    assert points.unclaimed() == 1
    again = points.claim(me())
    if points.plan is GRID:
        assert values(points, again) == lost
    complete(points, again)
    assert points.claim(me()) is None
    assert len(points.finished()) == points.plan.size


def test_a_living_process_keeps_its_point(points):
    points.claim(me())
    points.release_dead()
    assert len(points.running()) == 1


@pytest.mark.parametrize(("age", "kept"), [(SILENCE / 2, 1), (2 * SILENCE, 0)])
def test_a_process_elsewhere_is_dead_after_a_silence(age, kept, points, monkeypatch):
    worker = me() | {"place": "elsewhere"}
    points.claim(worker)
    points.show_alive([worker])
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + age)
    points.release_dead()
    assert len(points.running()) == kept


def test_two_that_take_the_same_freed_point_have_it_once(tmp_path, monkeypatch):
    points = Points(open_study(GRID, str(tmp_path / "storage.journal")), GRID)
    points.claim(dead())
    points.release_dead()
    seen = [points._begun_before()] * 2
    monkeypatch.setattr(points, "_begun_before", lambda: seen.pop() if seen else {})
    trials = []
    while (trial := points.claim(me())) is not None:
        trials.append(str(values(points, trial)))
    assert len(trials) == len(set(trials)) == GRID.size


def test_a_process_that_dies_while_it_claims_frees_its_point(points, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(points.study.sampler, "before_trial", killed)
        points.claim(dead())
    assert len(points.running()) == 1
    points.release_dead()
    assert not points.running()
    assert points.unclaimed() == points.plan.size


def test_failed_points_stay_until_they_are_retried(points):
    trial = points.claim(me())
    values(points, trial)
    points.fail(trial, "no such width")
    points.release_dead()
    assert points.unclaimed() == points.plan.size - 1
    assert collect_rows(points)[0]["error"] == "no such width"
    points.retry_failed()
    points.release_dead()
    assert points.unclaimed() == points.plan.size
    assert collect_rows(points) == []


def test_a_result_that_comes_too_late_is_dropped(points):
    trial = points.claim(me() | {"started": 0.0})
    values(points, trial)
    points.release_dead()
    points.complete(trial, ROW, VALUES[points.plan.name])
    assert points.finished() == []


def test_a_contest_goes_on_with_more_points(tmp_path):
    storage = str(tmp_path / "storage.journal")
    points = Points(open_study(SEARCH, storage), SEARCH)
    while (trial := points.claim(me())) is not None:
        complete(points, trial)
    more = Plan(**{**vars(SEARCH), "contest": Contest(threshold=0.7, points=5)})
    assert Points(open_study(more, storage), more).unclaimed() == 2
