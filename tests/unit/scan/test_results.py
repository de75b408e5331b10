"""Studies read back from their files: the values that were written, and refusals of one line."""

import csv
import json
from pathlib import Path

import pytest

from nanotrigger.errors import InputError
from nanotrigger.scan.results import Axis, read_study, write_results
from tests.unit.scan.made_studies import DATA, FORMATS, SEEDS, WIDTHS, write_study

SEARCH = {"keys": ["hidden_1"], "low": 4, "high": 32}


def cells_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_value_comes_back(tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path, WIDTHS, SEEDS, failed=(1,)))
    assert (study.name, study.data, study.points, study.folder) == ("qat_width", DATA, 21, tmp_path)
    assert [row["network.bias"] for row in study.rows[::3]] == FORMATS
    assert [row["seed"] for row in study.rows[:4]] == [1, 2, 3, 1]
    first, failed = study.rows[:2]
    assert first["accuracy"] == float(cells_of(tmp_path)[0]["accuracy"])
    assert first["rams"] == 0
    assert first["sha256_checkpoint"] == "1e9" + "0" * 61  # not the number that it looks like
    assert failed["accuracy"] is None
    assert failed["error"] == "FirmwareError: g++ ended with\n1, twice"
    assert len(study.complete) == 20


def test_scanned_are_neither_the_seed_nor_constants_nor_searches(tmp_path: Path) -> None:
    constant = {"keys": ["pruning.sparsity"], "values": [0.5]}
    scan = read_study(write_study(tmp_path / "scan", WIDTHS, constant, SEEDS))
    assert [axis.keys for axis in scan.scanned] == [("network.weight", "network.bias")]
    search = read_study(write_study(tmp_path / "search", SEARCH, SEEDS, points=5))
    assert search.scanned == ()
    assert all(4 <= row["hidden_1"] <= 32 for row in search.rows)


def test_columns_stand_in_the_order_of_their_appearance(tmp_path: Path) -> None:
    rows = [
        {"point": 0, "hidden": [8, 8], "accuracy": float("nan"), "done": True},
        {"point": 1, "state": 'a "word", quoted', "accuracy": None, "format": {"width": 4}},
    ]
    write_results(rows, tmp_path / "results.csv")
    assert (tmp_path / "results.csv").read_text().splitlines() == [
        "point,hidden,accuracy,done,state,format",
        '0,"[8, 8]",,true,,',
        '1,,,,"a ""word"", quoted","{""width"": 4}"',
    ]


@pytest.mark.parametrize("value", [None, True, "none", "fixed<8,6>", [32, 32], {"width": 4, "integer": 2}, 0.1, "1"])
def test_any_value_of_an_axis_is_recognized(value, tmp_path: Path) -> None:
    write_study(tmp_path, {"keys": ["key"], "values": [1024, value]})
    assert [row["key"] for row in read_study(tmp_path).rows] == [1024, value]


def test_values_are_recognized_in_another_spelling(tmp_path: Path) -> None:
    write_study(tmp_path, WIDTHS)
    cells = cells_of(tmp_path)
    for row in cells:
        row["network.weight"] = json.dumps(dict(reversed(json.loads(row["network.weight"]).items())), indent=0)
    write_results(cells, tmp_path / "results.csv")
    assert [row["network.weight"] for row in read_study(tmp_path).rows] == FORMATS


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("study.json", None, "has no study.json; name the folder of a scan"),
        ("results.csv", None, "has no results.csv"),
        ("study.json", "{", "study.json is damaged: "),
        ("study.json", "[]", "describes no study"),
        ("study.json", '{"name": "a", "axes": [{}]}', "describes no study"),
        ("study.json", '{"name": "a", "axes": [{"keys": [["b"]]}]}', "describes no study"),
        ("results.csv", "", "has no points"),
        ("results.csv", "point,seed,accuracy\n0,1,0.5\n", "has no column state"),
        ("results.csv", "seed,state,accuracy\n1,complete,high\n", "line 2, accuracy 'high': not a number"),
        ("results.csv", "seed,state,accuracy\n4,complete,0.5\n", "line 2, seed '4': none of the values in study.json"),
        ("results.csv", "seed,state,accuracy\n1,complete\n", "line 2 does not have as many cells"),
        ("results.csv", 'seed,state,accuracy\n1,"complete"d,1\n', "expected after"),
        ("results.csv", b"seed,state,accuracy\n\xff", "results.csv is damaged"),
    ],
)
def test_damaged_files_are_named(file: str, content: str | bytes | None, message: str, tmp_path: Path) -> None:
    write_study(tmp_path, SEEDS)
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        read_study(tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_name_of_an_axis_of_one_key() -> None:
    assert Axis(("seed",)).name == "seed"
