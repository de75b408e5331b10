"""train.py as a user runs it: what a run leaves behind, and that it can be repeated, resumed and interrupted."""

import csv
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import torch
import yaml

from tests.command import start, wait_for
from tests.conftest import QUIET, train

FIGURES = ("confusion", "features", "history", "probabilities", "quantizers", "roc", "roc_pairwise", "weights")
SHORT = ("experiment=jets_qat", "data.source=simulated", "trainer.max_epochs=2")


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    return torch.load(checkpoint, weights_only=True)["state_dict"]


def same_weights(one: Path, other: Path) -> bool:
    before, after = weights(one), weights(other)
    return before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


def metrics(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))


def test_a_run_leaves_everything(quantized_run):
    for name in ("best.ckpt", "last.ckpt", "config.yaml", "metrics.csv", "test.json"):
        assert (quantized_run / name).stat().st_size > 0
    for figure in FIGURES:
        assert (quantized_run / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert {path.suffix for path in (quantized_run / "figures").iterdir()} == {".png"}  # pdf=true writes both
    result = json.loads((quantized_run / "test.json").read_text())
    low, high = result["accuracy_interval"]
    assert 0.5 < low < result["accuracy"] < high < 0.8
    assert result["samples"] == 10_000
    config = yaml.safe_load((quantized_run / "config.yaml").read_text())
    assert config["data"]["init_args"]["source"] == "simulated"
    rows = metrics(quantized_run)
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert float(rows[1]["val_loss"]) < float(rows[0]["val_loss"])


def test_the_same_seed_gives_the_same_bytes(quantized_run, tmp_path):
    assert train(*SHORT, f"output={tmp_path / 'again'}").returncode == 0
    assert train(*SHORT, f"output={tmp_path / 'other'}", "seed=2", "evaluate=false").returncode == 0
    for name in ("metrics.csv", "figures/roc.png"):
        assert (tmp_path / "again" / name).read_bytes() == (quantized_run / name).read_bytes()
    assert same_weights(tmp_path / "again" / "last.ckpt", quantized_run / "last.ckpt")
    assert not same_weights(tmp_path / "other" / "last.ckpt", quantized_run / "last.ckpt")


def test_resume_continues_as_if_nothing_had_happened(quantized_run, tmp_path):
    folder = tmp_path / "run"
    with start("train.py", *QUIET, *SHORT, f"output={folder}") as process:
        wait_for(folder / "metrics.csv", process)  # the first of two epochs is done
        process.kill()
    done = train(f"ckpt_path={folder / 'last.ckpt'}")
    assert done.returncode == 0, done.stderr
    for name in ("metrics.csv", "figures/roc.png"):
        assert (folder / name).read_bytes() == (quantized_run / name).read_bytes()
    assert same_weights(folder / "best.ckpt", quantized_run / "best.ckpt")


def test_ctrl_c_leaves_a_usable_checkpoint(tmp_path):
    folder = tmp_path / "run"
    with start("train.py", *QUIET, *SHORT, "trainer.max_epochs=1000", f"output={folder}") as process:
        wait_for(folder / "last.ckpt", process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "interrupted" in errors
    done = train(
        f"ckpt_path={folder / 'last.ckpt'}", "trainer.max_epochs=1000", "trainer.max_steps=100", "evaluate=false"
    )
    assert done.returncode == 0, done.stderr


def test_a_run_goes_on_in_another_folder(quantized_run, tmp_path):
    """With more epochs; best.ckpt comes along, and only a better one replaces it."""
    done = train(f"ckpt_path={quantized_run / 'last.ckpt'}", f"output={tmp_path}", "trainer.max_epochs=4")
    assert done.returncode == 0, done.stderr
    before, after = metrics(quantized_run), metrics(tmp_path)
    assert after[:2] == before
    rates = [float(row["learning_rate"]) for row in after[2:]]
    assert rates == sorted(rates, reverse=True)
    best = max(range(4), key=lambda epoch: float(after[epoch]["val_accuracy"]))
    assert json.loads((tmp_path / "test.json").read_text())["checkpoint"]["epoch"] == best


def test_epochs_without_validation_leave_gaps(tmp_path):
    done = train(*SHORT, f"output={tmp_path / 'run'}", "trainer.check_val_every_n_epoch=2", "evaluate=false")
    assert done.returncode == 0, done.stderr
    rows = metrics(tmp_path / "run")
    assert [row["val_loss"] == "nan" for row in rows] == [True, False]


def test_tensorboard_on_request(tmp_path):
    limits = ("trainer.max_epochs=1", "trainer.limit_train_batches=1", "trainer.limit_val_batches=0")
    done = train(*SHORT, *limits, f"output={tmp_path / 'run'}", "tensorboard=true")
    assert done.returncode == 0, done.stderr
    assert "has no best.ckpt and no test.json" in done.stdout
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))


def test_two_processes_train_what_one_does(quantized_run, tmp_path):
    folder = tmp_path / "ddp"
    done = train(*SHORT, f"output={folder}", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.strategy=ddp")
    assert done.returncode == 0, done.stderr
    alone, shared = weights(quantized_run / "last.ckpt"), weights(folder / "last.ckpt")
    for name, tensor in alone.items():
        torch.testing.assert_close(shared[name], tensor, atol=2e-3, rtol=0)  # sums in another order
    assert json.loads((folder / "test.json").read_text())["samples"] == 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="uses Linux namespaces")
def test_no_network_and_no_home(tmp_path):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MPL", "XDG", "NANO"))}
    environment |= {"HOME": "/proc/nowhere", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = train(*SHORT, "trainer.max_epochs=1", f"output={tmp_path / 'run'}", env=environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_warm_start_begins_where_the_float_run_ended(float_run, tmp_path):
    warm, cold = tmp_path / "warm", tmp_path / "cold"
    short = (*SHORT, "trainer.max_epochs=1", "evaluate=false")
    done = train(*short, f"output={warm}", f"warm_start.ckpt={float_run / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    assert train(*short, f"output={cold}").returncode == 0
    first = [float(metrics(run)[0]["train_loss"]) for run in (warm, cold)]
    assert first[0] < first[1] - 0.1


def test_validate_and_test_take_the_config_of_the_run(quantized_run):
    for subcommand, metric in (("validate", "val_accuracy"), ("test", "test_accuracy")):
        done = train(subcommand, f"ckpt_path={quantized_run / 'best.ckpt'}")
        assert done.returncode == 0, done.stderr
        assert metric in done.stdout


def test_a_configuration_with_former_paths_of_classes_goes_on(quantized_run, tmp_path):
    """Those of the reference runs, which have them, too."""
    folder = shutil.copytree(quantized_run, tmp_path / "run")
    config = (folder / "config.yaml").read_text()
    former = config.replace("nanotrigger.tasks.JetTagging", "nanotrigger.training.JetTagging")
    former = former.replace("nanotrigger.tasks.JetData", "nanotrigger.data.JetData")
    assert former.count("nanotrigger.tasks") == 0 < config.count("nanotrigger.tasks")
    (folder / "config.yaml").write_text(former)
    done = train(f"ckpt_path={folder / 'last.ckpt'}", "trainer.max_epochs=3", "evaluate=false")
    assert done.returncode == 0, done.stderr
    assert [row["epoch"] for row in metrics(folder)] == ["0", "1", "2"]
    done = train("test", f"ckpt_path={folder / 'best.ckpt'}")
    assert "test_accuracy" in done.stdout, done.stderr


def test_a_wide_network_of_few_bits_learns_and_one_that_cannot_says_so(tmp_path):
    wide = ("experiment=jets_qat", "data.source=simulated", "network.hidden=[256,256]", "evaluate=false")
    done = train(*wide, "trainer.max_epochs=1", f"output={tmp_path / 'alive'}")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stdout
    assert float(metrics(tmp_path / "alive")[0]["val_accuracy"]) > 0.5

    still = ("network.hidden=[8]", "trainer.max_epochs=2", "model.learning_rate=1e-12")
    done = train(*wide, *still, f"output={tmp_path / 'still'}")
    assert done.returncode == 0, done.stderr
    assert "warning: val_loss stayed at" in done.stdout

    tiny = "network.activation.integer=-40"
    done = train(*wide, "trainer.max_epochs=1", "trainer.limit_train_batches=3", tiny, f"output={tmp_path / 'dead'}")
    assert "warning: output: its outputs are the same for every event; lower model.learning_rate" in done.stdout
