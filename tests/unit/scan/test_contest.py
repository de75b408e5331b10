"""The contest's winner and its leaderboard."""

import pytest

from nanotrigger.cli import scanning
from nanotrigger.errors import InputError
from nanotrigger.scan.contest import candidates, enter, leaderboard_table, make_entry, read_leaderboard
from nanotrigger.scan.plan import Contest


def row(figure, accuracy, **others):
    interval = {"accuracy": accuracy, "accuracy_low": accuracy - 0.01, "accuracy_high": accuracy + 0.01}
    cost = {"contest_figure": figure, "aluts": 100, "ffs": 10, "resource_source": "structural count"}
    rest = {"latency_cycles": 2, "sparsity_integers": 0.5, "differing_words": 0, "words": 5}
    return interval | cost | rest | {"sha256_checkpoint": "c", "sha256_data": "d"} | others


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ([(0.3, 0.75), (0.2, 0.76), (0.1, 0.70)], (0.2, 0.76)),
        ([(0.2, 0.745)], None),  # its interval reaches below the threshold
        ([(0.2, 0.76), (0.2, 0.77)], (0.2, 0.77)),
        ([], None),
    ],
)
def test_the_cheapest_that_is_accurate_enough_wins(rows, best):
    won = next(iter(candidates([row(*each) for each in rows], 0.74)), None)
    assert (won and (won["contest_figure"], won["accuracy"])) == best


@pytest.mark.parametrize(
    ("tests", "won", "tested"),
    [({0.1: 0.75}, True, [0.1]), ({0.1: 0.73, 0.2: 0.75}, True, [0.1, 0.2]), ({0.1: 0.7, 0.2: 0.7}, False, [0.1, 0.2])],
)
def test_the_next_cheapest_is_tested_if_one_is_not_confirmed(tmp_path, monkeypatch, capsys, tests, won, tested):
    seen = []

    def confirmed(plan, threshold, chosen, folder):
        seen.append(chosen["contest_figure"])
        test = row(seen[-1], tests[seen[-1]], sha256_checkpoint=chosen["sha256_checkpoint"])
        return make_entry("contest", threshold, chosen, test, {"seed_everything": 1})

    monkeypatch.setattr(scanning, "_confirmed", confirmed)
    rows = [{**row(figure, 0.76, sha256_checkpoint=str(figure)), "point": 3} for figure in (0.2, 0.1)]
    for _ in range(2):  # the second time all is known
        assert scanning._settle(None, Contest(0.74, 2), rows, tmp_path, tmp_path / "board.json") is won
    assert seen == tested
    assert ("the test split confirms none of the 2 networks" in capsys.readouterr().err) is not won


def test_an_entry_is_confirmed_on_the_test_split():
    chosen = row(0.2, 0.76)
    assert make_entry("contest", 0.74, chosen, row(0.2, 0.745), {})["confirmed"]
    assert not make_entry("contest", 0.74, chosen, row(0.2, 0.735), {})["confirmed"]
    assert not make_entry("contest", 0.74, chosen, row(0.2, 0.76, differing_words=1), {})["confirmed"]


def test_confirmed_entries_stand_first_and_a_checkpoint_once(tmp_path):
    path = tmp_path / "board" / "leaderboard.json"
    assert read_leaderboard(path) == []
    for name, figure, test in (("a", 0.3, 0.75), ("b", 0.1, 0.70), ("c", 0.2, 0.75), ("c", 0.25, 0.75)):
        confirmed = row(figure, test, sha256_checkpoint=name)
        enter(path, make_entry(name, 0.74, row(figure, 0.76), confirmed, {"seed_everything": 1}))
    assert [(entry["study"], entry["contest_figure"]) for entry in read_leaderboard(path)] == [
        ("c", 0.25),
        ("a", 0.3),
        ("b", 0.1),
    ]
    assert leaderboard_table(read_leaderboard(path)).row_count == 3


def test_yosys_is_compared_with_the_count_of_the_same_datapath(tmp_path):
    synthesis = {"aluts": 103, "ffs": 20, "counted_aluts": 100, "counted_ffs": 19}
    entries = enter(tmp_path / "board.json", make_entry("a", 0.7, row(0.2, 0.76), row(0.2, 0.75), {}, synthesis))
    assert list(leaderboard_table(entries).columns[-1].cells) == ["103 (100)\n20 (19)"]


def test_a_file_that_is_no_leaderboard_is_refused_and_kept(tmp_path):
    path = tmp_path / "leaderboard.json"
    path.write_text('{"other": 1}')
    with pytest.raises(InputError, match="is no leaderboard"):
        enter(path, make_entry("a", 0.74, row(0.2, 0.76), row(0.2, 0.75), {}))
    assert path.read_text() == '{"other": 1}'
