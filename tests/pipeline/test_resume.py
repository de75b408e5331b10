"""A resumed run keeps its settings: what is set anew takes effect and is noted, or is refused before it trains."""

import csv
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from nanotrigger.cli.keys import GROUPS, OPTIONS
from nanotrigger.cli.run_settings import MAY_CHANGE
from nanotrigger.training.checkpoint import read_checkpoint
from tests.conftest import train
from tests.fuzz.resume import settings_of

STEP = ("data.source=simulated", "trainer.limit_train_batches=3", "trainer.max_epochs=1", "evaluate=false")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of three steps."""
    folder = tmp_path_factory.mktemp("resume") / "run"
    done = train("experiment=jets_qat", *STEP, f"output={folder}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def run(trained, tmp_path) -> Path:
    return shutil.copytree(trained, tmp_path / "run")


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rates(folder: Path) -> list[float]:
    rows = csv.DictReader((folder / "metrics.csv").read_text().splitlines())
    return [float(row["learning_rate"]) for row in rows]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("model.learning_rate=1e-9", "model.learning_rate=1e-09: the run of {} has 0.005, which a resume keeps"),
        ("model.l1=0.5", "model.l1=0.5: the run of {} has 0.0001"),
        ("model.schedule=constant", "model.schedule=constant: the run of {} has cosine"),
        ("data.batch_size=1024", "data.batch_size=1024: the run of {} has 512"),
        ("data.split_seed=3", "data.split_seed=3: the run of {} has 0"),
        ("seed=2", "seed=2: the run of {} has 1"),
        ("trainer.precision=bf16-mixed", "trainer.precision=bf16-mixed: the run of {} has null"),
        ("trainer.gradient_clip_val=0.1", "trainer.gradient_clip_val=0.1: the run of {} has null"),
        ("trainer.accumulate_grad_batches=2", "trainer.accumulate_grad_batches=2: the run of {} has 1"),
        ("trainer.limit_train_batches=1.0", "trainer.limit_train_batches=1.0: the run of {} has 3"),
        ("early_stopping.patience=3", "early_stopping.patience=3: the run of {} has 1000000"),
        ("checkpoint.monitor=val_loss", "checkpoint.monitor=val_loss: the run of {} has val_accuracy"),
        ("pruning.sparsity=0.5", "pruning.sparsity=0.5: the run of {} has 0.0"),
        ("budget.rounds=2", "budget.rounds=2: the run of {} has 0"),
        ("budget.target.clock_period=4", "budget.target="),
        ("warm_start.ckpt=other.ckpt", "warm_start.ckpt=other.ckpt: the run of {} has null"),
        ("network.weight.width=6", "the checkpoint was trained with network.weight="),
    ],
)
def test_another_setting_is_refused_and_nothing_is_written(run, change, told):
    before = content(run)
    done = train(f"ckpt_path={run / 'last.ckpt'}", "trainer.max_epochs=3", change)
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("\n") == 1
    assert told.format(run / "last.ckpt") in done.stderr
    if not change.startswith("network"):
        assert f"start a new run with warm_start.ckpt={run / 'last.ckpt'}" in done.stderr
    assert content(run) == before


def test_a_checkpoint_alone_knows_its_settings(run):
    (run / "config.yaml").unlink()
    before = content(run)
    words = ("experiment=jets_qat", *STEP, f"ckpt_path={run / 'last.ckpt'}", "trainer.max_epochs=2")
    done = train(*words, "model.learning_rate=1e-9")
    assert done.returncode == 2
    assert "model.learning_rate=1e-09: the run of" in done.stderr
    assert content(run) == before
    assert train(*words).returncode == 0
    assert len(rates(run)) == 2


def test_every_setting_of_a_run_is_compared(trained):
    """Of each key it is decided whether it may change: all that a run has, but for those of the network."""
    recorded = settings_of(yaml.safe_load(read_checkpoint(trained / "last.ckpt")["callbacks"]["RunSettings"]["config"]))
    assert {key.partition(".")[0] for key in recorded} == {*GROUPS, *OPTIONS, "seed", "ckpt_path"} - {"network"} | {
        key for key in recorded if key in ("weights_only",)
    }
    assert {key for key in MAY_CHANGE if not key.startswith("data.")} <= recorded.keys()


def test_more_epochs_take_effect_and_are_noted(run):
    done = train(f"ckpt_path={run / 'last.ckpt'}", "trainer.max_epochs=4", "evaluate=false")
    assert done.returncode == 0, done.stderr
    note = "from epoch 1 on: trainer.max_epochs=4 instead of 1"
    assert f"{note}; the cosine schedule falls to zero at the new end" in done.stdout
    assert (run / "config.yaml").read_text().startswith(f"# {note}\n")
    assert yaml.safe_load((run / "config.yaml").read_text())["trainer"]["max_epochs"] == 4
    after = rates(run)
    assert after[0] == 0 and after[1] > after[2] > after[3] == 0  # of the old end, then on the way to the new one
    done = train(f"ckpt_path={run / 'last.ckpt'}", "trainer.max_epochs=5", "evaluate=false")
    assert done.returncode == 0, done.stderr
    notes = (run / "config.yaml").read_text().splitlines()[:2]
    assert notes == [f"# {note}", "# from epoch 4 on: trainer.max_epochs=5 instead of 4"]


def test_a_run_without_anything_left_says_so(run):
    config = (run / "config.yaml").read_bytes()
    for epochs in (1, 0):
        done = train(f"ckpt_path={run / 'last.ckpt'}", f"trainer.max_epochs={epochs}", "evaluate=false")
        assert done.returncode == 0, done.stderr
        assert "nothing is left to train: 1 epochs are done; raise trainer.max_epochs" in done.stdout
    assert (run / "config.yaml").read_bytes() == config


def test_a_moved_data_file_is_the_same_data(run, tmp_path):
    moved = shutil.copy(Path("src/nanotrigger/data/samples/jets.h5"), tmp_path / "moved.h5")
    done = train(f"ckpt_path={run / 'last.ckpt'}", "trainer.max_epochs=2", f"data.source={moved}", "evaluate=false")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((run / "config.yaml").read_text())["data"]["init_args"]["source"] == str(moved)


@pytest.mark.parametrize("recorded", [{"config": "trainer: ["}, {"config": 3}, [3], {"config": "a", "notes": 3}])
def test_a_checkpoint_whose_settings_are_damaged(run, recorded):
    checkpoint = torch.load(run / "last.ckpt", weights_only=True)
    checkpoint["callbacks"]["RunSettings"] = recorded
    torch.save(checkpoint, run / "last.ckpt")
    done = train(f"ckpt_path={run / 'last.ckpt'}", "trainer.max_epochs=2", "evaluate=false")
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr


def test_an_older_checkpoint_is_compared_with_the_config_beside_it(run):
    checkpoint = torch.load(run / "last.ckpt", weights_only=True)
    del checkpoint["callbacks"]["RunSettings"]
    torch.save(checkpoint, run / "last.ckpt")
    words = (f"ckpt_path={run / 'last.ckpt'}", "trainer.max_epochs=2", "evaluate=false")
    done = train(*words, "model.learning_rate=1e-9")
    assert "model.learning_rate=1e-09: the run of" in done.stderr
    (run / "config.yaml").unlink()
    done = train("experiment=jets_qat", *STEP, *words)
    assert done.returncode == 0, done.stderr
    assert "does not say with which settings it was trained" in done.stdout
