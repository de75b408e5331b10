"""A relative path in a configuration begins where the file lies; one on the command line in the current folder."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
import yaml

from nanotrigger.api import _with_network, build_network
from nanotrigger.cli.arguments import config_files, point_arguments, train_arguments
from nanotrigger.cli.configuration import from_folder, repeatable
from nanotrigger.cli.keys import check_keys
from nanotrigger.cli.scanning import check_plan
from nanotrigger.cli.training import CheckCLI, train
from nanotrigger.errors import InputError
from nanotrigger.files import find_upwards
from nanotrigger.scan.grammar import compose_plan, read_study_file
from nanotrigger.tasks.jets.sample import SHIPPED_SAMPLE
from nanotrigger.training.checkpoint import load_trained
from tests.command import ROOT

CONFIGS = ROOT / "configs"
START = ROOT / "checkpoints" / "reference" / "jets_float.ckpt"
JETS = {
    "model": {"class_path": "nanotrigger.tasks.JetTagging"},
    "data": {"class_path": "nanotrigger.tasks.JetData"},
    "network": {"class_path": "nanotrigger.networks.MLP"},
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Be in a folder that has nothing to do with the repository."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    return folder


def settings_of(*words: str):
    arguments = train_arguments(words, CONFIGS)
    check_keys(arguments, [CONFIGS / "base.yaml", *config_files(arguments)])
    return train(arguments, cli=CheckCLI).config.fit


def written(folder: Path, **groups) -> Path:
    """Write a configuration into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.yaml").write_text(yaml.safe_dump({**JETS, **groups}))
    return folder / "mine.yaml"


def test_a_file_is_found_in_the_folder_or_the_nearest_above(tmp_path):
    inner = tmp_path / "configs" / "experiment"
    inner.mkdir(parents=True)
    (tmp_path / "a.ckpt").touch()
    assert find_upwards("a.ckpt", inner) == str(tmp_path / "a.ckpt")
    (inner / "a.ckpt").touch()
    assert find_upwards("a.ckpt", inner) == str(inner / "a.ckpt")
    assert find_upwards("../experiment/a.ckpt", inner) == str(inner / "a.ckpt")
    assert find_upwards("b.ckpt", inner) == "b.ckpt"


def test_names_are_no_paths(tmp_path):
    (tmp_path / "simulated").touch()
    assert find_upwards("simulated", tmp_path) == "simulated"
    assert find_upwards("/nowhere/a.h5", tmp_path) == "/nowhere/a.h5"
    assert find_upwards(300 * "a" + ".h5", tmp_path) == 300 * "a" + ".h5"


def test_paths_of_all_keys(tmp_path):
    for name in ("a.h5", "b.h5", "c.ckpt"):
        (tmp_path / name).touch()
    content = {
        "data": {"class_path": "x", "init_args": {"source": "a.h5", "signals": ["b.h5", "simulated"]}},
        "warm_start": {"ckpt": "c.ckpt"},
        "ckpt_path": "c.ckpt",
        "trainer": {"max_epochs": 3},
    }
    settled = from_folder(content, tmp_path)
    assert settled["data"]["init_args"]["source"] == str(tmp_path / "a.h5")
    assert settled["data"]["init_args"]["signals"] == [str(tmp_path / "b.h5"), "simulated"]
    assert settled["warm_start"]["ckpt"] == settled["ckpt_path"] == str(tmp_path / "c.ckpt")
    assert settled["trainer"] == content["trainer"]


def test_shipped_experiments_find_their_start():
    assert settings_of("experiment=ad_ae_qat").warm_start.ckpt == str(START.with_name("ad_ae.ckpt"))


def test_ones_own_file_and_the_command_line(tmp_path, elsewhere):
    file = written(tmp_path / "mine", data={**JETS["data"], "init_args": {"source": "jets.h5"}})
    for folder in (file.parent, elsewhere):
        shutil.copy(SHIPPED_SAMPLE, folder / "jets.h5")
    settings = settings_of("fit", "-c", str(file), "output=run")
    assert settings.data.init_args.source == str(file.parent / "jets.h5")
    settings = settings_of("fit", "-c", str(file), "data.source=jets.h5", "output=run")
    assert settings.data.init_args.source == "jets.h5"  # is found from the run, too
    settings = settings_of("fit", "-c", str(file), "data.source=jets.h5", f"output={tmp_path / 'run'}")
    assert settings.data.init_args.source == str(elsewhere / "jets.h5")


def test_what_is_recorded_repeats_the_run(tmp_path, elsewhere):
    (elsewhere / "a.h5").touch()
    assert repeatable("a.h5", Path("checkpoints/run")) == "a.h5"
    assert repeatable(str(elsewhere / "a.h5"), Path("checkpoints/run")) == "a.h5"
    assert repeatable("a.h5", tmp_path / "run") == str(elsewhere / "a.h5")
    (elsewhere / "checkpoints").mkdir()
    (elsewhere / "checkpoints" / "a.h5").touch()  # nearer to the run
    assert repeatable("a.h5", Path("checkpoints/run")) == str(elsewhere / "a.h5")
    assert repeatable("simulated", tmp_path) == "simulated"


def test_a_start_that_is_missing_is_refused_at_once():
    with pytest.raises(InputError, match="warm_start.ckpt=nowhere.ckpt: no such file"):
        settings_of("experiment=jets_qat", "warm_start.ckpt=nowhere.ckpt")


def test_the_data_of_a_checkpoint_are_found_from_its_folder(tmp_path):
    run = tmp_path / "checkpoints" / "run"
    run.mkdir(parents=True)
    checkpoint = torch.load(START, weights_only=True)
    checkpoint["nanotrigger"]["data"]["source"] = "data/jets.h5"
    torch.save(checkpoint, run / "best.ckpt")
    assert load_trained(run / "best.ckpt").data["source"] == "data/jets.h5"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "jets.h5").touch()
    assert load_trained(run / "best.ckpt").data["source"] == str(tmp_path / "data" / "jets.h5")


def test_studies_find_their_files():
    plan = compose_plan(read_study_file(CONFIGS / "study" / "post_training.yaml"), {})
    assert plan.checkpoint == START
    assert plan.to_json()["ckpt"] == "checkpoints/reference/jets_float.ckpt"  # the same scan on every machine
    plan = compose_plan(read_study_file(CONFIGS / "study" / "qat_width.yaml"), {"seed": "1,2"})
    arguments = point_arguments(plan, plan.samples[0], Path("run"), CONFIGS)
    assert f"--warm_start.ckpt={START}" in arguments
    plan = compose_plan(
        read_study_file(CONFIGS / "study" / "qat_width.yaml"), {"seed": "1,2", "warm_start.ckpt": "a.ckpt"}
    )
    assert "--warm_start.ckpt=a.ckpt" in point_arguments(plan, plan.samples[0], Path("run"), CONFIGS)


@pytest.mark.parametrize("key", ["warm_start.ckpt", "data.source", "export.data"])
def test_a_scan_without_its_files_is_refused_before_the_first_point(key):
    plan = compose_plan({}, {"seed": "1,2", key: "nowhere.h5"}, name="x", experiments=("jets_qat",))
    with pytest.raises(InputError, match="nowhere.h5: no (such )?file"):
        check_plan(plan, CONFIGS)


def test_an_experiment_with_a_network_of_python_finds_its_files(tmp_path):
    arguments = train_arguments(["experiment=ad_ae_qat"], CONFIGS)
    file = config_files(_with_network(arguments, build_network("Autoencoder"), tmp_path))[0]
    assert yaml.safe_load(file.read_text())["warm_start"]["ckpt"] == str(START.with_name("ad_ae.ckpt"))
