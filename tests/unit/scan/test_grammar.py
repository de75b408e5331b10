"""The grammar of scans."""

from pathlib import Path

import pytest

from nanotrigger.cli.configs import find_configuration
from nanotrigger.errors import InputError
from nanotrigger.scan.grammar import compose_plan, read_arguments, read_study_file, read_value, split_values
from nanotrigger.scan.plan import Axis, Range
from tests.command import ROOT

STUDIES = ROOT / "configs" / "study"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1,2,3", ["1", "2", "3"]),
        ("[16,16],[32,32]", ["[16,16]", "[32,32]"]),
        ("{width: 1, integer: 1},{width: 2, integer: 2}", ["{width: 1, integer: 1}", "{width: 2, integer: 2}"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ("", [""]),
    ],
)
def test_commas_outside_of_brackets_and_quotes_split(text, parts):
    assert split_values(text) == parts


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("0.5", 0.5), ("1e-4", 1e-4), ("true", True), ("[1, 2]", [1, 2]), ("ufixed<8,0>", "ufixed<8,0>")],
)
def test_values(text, value):
    assert read_value(text) == value
    assert type(read_value(text)) is type(value)


def test_joined_keys_vary_together_and_single_values_are_fixed():
    axes, settings = read_arguments({"a.width,b.width": "3,4", "seed": "1,2", "x": "5", "y,z": "7"})
    assert list(axes.values()) == [Axis(("a.width", "b.width"), (3, 4)), Axis(("seed",), (1, 2))]
    assert settings == {"x": 5, "y": 7, "z": 7}


def test_a_point_sets_every_key():
    plan = compose_plan({}, {"a,b": "1,2", "seed": "3,4", "x": "5"}, name="s", experiments=("jets_qat",))
    assert plan.size == 4
    assert plan.keys(plan.points[1]) == {"a": 1, "b": 1, "seed": 4, "x": 5}


def test_variables_fill_the_settings_that_refer_to_them():
    study = {
        "name": "s",
        "experiments": ("jets_qat",),
        "axes": {"bits": Axis(("bits",), (3, 4)), "seed": Axis(("seed",), (1, 2))},
        "settings": {"network.weight": [{"width": "${bits}", "integer": 2}], "note": "with ${bits} bits"},
    }
    plan = compose_plan(study, {})
    assert plan.keys((4, 1)) == {"seed": 1, "network.weight": [{"width": 4, "integer": 2}], "note": "with 4 bits"}


def test_the_command_line_replaces_an_axis_and_a_setting():
    study = read_study_file(STUDIES / "qat_width.yaml")
    plan = compose_plan(study, {"seed": "7", "trainer.max_epochs": "2"})
    assert [axis.name for axis in plan.axes] == ["network.weight,network.bias"]
    assert plan.settings == {**study["settings"], "trainer.max_epochs": 2, "seed": 7}
    assert plan.settings != study["settings"]


@pytest.mark.parametrize("name", sorted(file.stem for file in STUDIES.glob("*.yaml")))
def test_shipped_studies_are_plans(name):
    plan = compose_plan(read_study_file(STUDIES / f"{name}.yaml"), {})
    assert plan.size > 1
    assert plan.description


def test_whole_bounds_are_whole_numbers():
    axes = read_study_file(STUDIES / "contest_uniform.yaml")["axes"]
    assert axes["hidden_1"].is_whole
    assert not axes["pruning.sparsity"].is_whole


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": "1"}, "nothing varies"),
        ({"seed": "1,1"}, "seed=1,1: give each value once"),
        ({"seed": "1,2", "a,seed": "3,4"}, "seed: set twice"),
        ({"a": "[1,2", "seed": "1,2"}, "is no value"),
        ({"x": "${nothing}", "seed": "1,2"}, "refer to ${nothing}"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError) as error:
        compose_plan({}, arguments, name="s", experiments=("jets_qat",))
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["../secret", "a b", ""])
def test_names_that_no_folder_should_have(name):
    with pytest.raises(InputError, match="name="):
        compose_plan({}, {"seed": "1,2"}, name=name, experiments=("jets_qat",))


def test_neither_experiment_nor_checkpoint():
    with pytest.raises(InputError, match="experiment="):
        compose_plan({}, {"seed": "1,2"}, name="s")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("experiment: jets_qat\nscann: {seed: [1, 2]}", "unknown key scann"),
        ("experiment: jets_qat\nscan: {a: {low: 1, hihg: 2}}", "unknown key scan.a.hihg"),
        ("experiment: jets_qat\nscan: {seed: 1}", "scan.seed=1: list the values"),
        ("experiment: jets_qat\nscan: {a: {low: 3, high: 2}}", "low must be below high"),
        ("experiment: jets_qat\nscan: {a: {low: 1}}", "high"),
        ("contest: {threshold: 74, points: 3}", "contest.threshold=74"),
        ("- a", "must hold the keys"),
        ("a: [", "is no YAML"),
    ],
)
def test_bad_study_files(content, message, tmp_path):
    (tmp_path / "bad.yaml").write_text(content)
    with pytest.raises(InputError) as error:
        read_study_file(tmp_path / "bad.yaml")
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["nonexistent", "../experiment/jets_qat"])
def test_unknown_studies_name_those_there_are(name):
    with pytest.raises(InputError, match=r"is unknown; choose one of .*qat_width"):
        find_configuration("study", name)


def test_a_range_needs_a_contest():
    study = {"name": "s", "experiments": ("jets_qat",), "axes": {"a": Range(("a",), 1, 2)}, "settings": {}}
    with pytest.raises(InputError, match="only a contest"):
        compose_plan(study, {})


def test_study_files_lie_where_users_look():
    assert Path(STUDIES, "contest.yaml").is_file()
