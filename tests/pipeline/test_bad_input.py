"""Whatever is wrong with train.py's input: one line on stderr, exit code 2, nothing on disk changed."""

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from nanotrigger.cli.train import main
from tests.command import ROOT
from tests.conftest import QUIET, train

QAT = "experiment=jets_qat"
PRUNED = ("data.source=simulated", "pruning.sparsity=0.5")


@pytest.fixture
def files(tmp_path):
    """A folder with damaged inputs; the run folder is `run` in it."""
    with h5py.File(tmp_path / "nan.h5", "w") as file:
        file["X"] = np.full((100, 16), np.nan, np.float32)
        file["y"] = np.zeros(100, np.int8)
        file.attrs["feature_names"] = [f"f{column}" for column in range(16)]
        file.attrs["class_names"] = ["g", "q", "t", "w", "z"]
    with h5py.File(tmp_path / "narrow.h5", "w") as file:
        file["X"] = np.random.default_rng(0).normal(size=(2000, 12)).astype(np.float32)
        file["y"] = np.arange(2000) % 5
        file.attrs["feature_names"] = [f"f{column}" for column in range(12)]
        file.attrs["class_names"] = ["g", "q", "t", "w", "z"]
    (tmp_path / "garbage.ckpt").write_bytes(b"\x80\x04not a checkpoint")
    (tmp_path / "keys.yaml").write_text("trainer:\n  max_epoch: 3\n")
    (tmp_path / "resume.yaml").write_text(f"ckpt_path: {tmp_path / 'garbage.ckpt'}\n")
    jets = (ROOT / "configs" / "experiment" / "jets_qat.yaml").read_text()
    (tmp_path / "outside.yaml").write_text(f"{jets}\nexperiment: ../../x\n")
    (tmp_path / "null.yaml").write_text("checkpoint: null\n")
    (tmp_path / "latin.yaml").write_bytes("trainer: {} # für\n".encode("latin-1"))
    (tmp_path / "broken.yaml").write_text("trainer: [\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "experiment= is missing; choose one of"),
        (["experiment=jets_qta"], "experiment=jets_qta is unknown; choose one of"),
        ([QAT, "data.source=nowhere.h5"], "data.source=nowhere.h5: no file nowhere.h5; give"),
        ([QAT, "data.source={}/garbage.ckpt"], "not a readable HDF5 file"),
        ([QAT, "data.source={}/nan.h5"], "(f0) is nan"),
        (
            [QAT, "data.source={}/narrow.h5"],
            "{}/narrow.h5 has 12 features; set network.features=12",
        ),
        ([QAT, "data.batch_size=100000"], "data.batch_size=100000: the split has only 30000 rows"),
        ([QAT, "data.batch_size=0"], "data.batch_size=0: must be at least 1"),
        ([QAT, "data.test=1.5"], "data.test=1.5: the share must lie between 0 and 1"),
        ([QAT, "network.weight.width=0"], "fixed<0,2>: the width must be 1 to 53 bits"),
        ([QAT, "network.weight.width=19"], "fixed<19,2>: a network's formats have 1 to 18 bits"),
        ([QAT, "network.weight.integer=6"], "fixed<4,6>: integer bits must be at most the width"),
        ([QAT, "network.weight.width=four"], "network.weight.width=four: must be a whole number"),
        ([QAT, "network.weigth.width=4"], "weigth"),
        ([QAT, "network.weight.widht=4"], "unknown key network.weight.widht; did you mean network.weight.width?"),
        ([QAT, "network.weight=[{width: 4}, {width: 5}, {width: 6}]"], "network.weight has 3 formats, the network 4"),
        ([QAT, "network.weight=[{width: 4}, null, {width: 5}, {width: 6}]"], "null: no format; write it like"),
        ([QAT, "network.weight=[4, 4, 4, 4]"], "network.weight=[4, 4, 4, 4]: no format; write it like"),
        ([QAT, "network.weight=[{width: 4, integer: 6}]"], "fixed<4,6>: integer bits must be at most the width"),
        ([QAT, "network.weight=[{widht: 4}]"], "unknown key network.weight.widht"),
        ([QAT, "network.input=[{width: 4}]"], "network.input=[{width: 4}]: no format; write it like"),
        (
            [QAT, "network.bias=[{width: 4}, {width: 5}, {width: 6}, {width: 7}]", "network.bias.width=6"],
            "network.bias.width=6: network.bias has a format for each layer; give the list, or one",
        ),
        ([QAT, "network.hidden=[0]"], "network widths [16, 0, 5]"),
        (
            [QAT, "trainer.max_epoch=4"],
            "unknown key trainer.max_epoch; did you mean trainer.max_epochs? --print_config",
        ),
        ([QAT, "trainer.max_epochs=many"], "trainer.max_epochs=many: must be a whole number"),
        (
            [QAT, "tariner.max_epochs=4"],
            "unknown key tariner.max_epochs; did you mean trainer.max_epochs? --print_config",
        ),
        ([QAT, "model.learning_rate=-1"], "model.learning_rate=-1.0: must be positive"),
        ([QAT, "model.schedule=cosin"], "cosin"),
        ([QAT, "seed=x"], "seed=x: must be true or false or a whole number"),
        ([QAT, "warm_start.ckpt=nowhere.ckpt"], "nowhere.ckpt: no such file"),
        ([QAT, "warm_start.ckpt={}/garbage.ckpt"], "garbage.ckpt: "),
        ([QAT, "ckpt_path={}/garbage.ckpt"], "garbage.ckpt: "),
        ([QAT, "trainer.devices=2", "trainer.accelerator=gpu"], "gpu"),
        (["fit", "--config", "{}/keys.yaml"], "max_epoch"),
        (["fit", "--config", "{}/broken.yaml"], "{}/broken.yaml is no YAML: "),
        (["fit", "--config", "{}/none.yaml"], "none.yaml"),
        ([QAT, "seed=-1"], "seed=-1: must be at least 0"),
        ([QAT, "data.split_seed=-1"], "data.split_seed=-1: must be at least 0"),
        ([QAT, "trainer.strategy=foo"], "foo"),
        ([QAT, "trainer.accumulate_grad_batches=0"], "zero"),
        ([QAT, "network.class_path=torch.nn.Identity"], "Identity"),
        ([QAT, "model.learning_rate=fast"], "model.learning_rate=fast: must be a number"),
        ([QAT, "ckpt_path={root}/checkpoints/reference/jets_qat.ckpt"], "has no optimizer state to resume from"),
        ([QAT, "-c", "{}/resume.yaml"], "garbage.ckpt: "),
        ([QAT, "pruning.sparsity=1.2"], "pruning.sparsity=1.2: must be at least 0 and below 1"),
        ([QAT, "pruning.sparsty=0.5"], "pruning.sparsty"),
        ([QAT, "pruning.scope=channel"], "pruning.scope=channel: choose one of layer, global"),
        (
            [QAT, *PRUNED, "pruning.exclude=[dense_9]"],
            "pruning.exclude=dense_9: no such layer; the network has dense_1",
        ),
        ([QAT, *PRUNED, "pruning.end_step=9999"], "pruning.end_step=9999: must lie above pruning.begin_step=174 and"),
        ([QAT, *PRUNED, "network.weight.width=1", "network.weight.integer=1"], "dense_1 has 1-bit weights"),
        (["fit", "-c", "{root}/configs/experiment/jets_qat.yaml", "--experiment", "../../x"], "it names a folder"),
        (["fit", "-c", "{}/outside.yaml"], "experiment=../../x: it names a folder"),
        ([QAT, "-c", "{}/latin.yaml"], "save it as UTF-8"),
        ([QAT, "-c", "{}/null.yaml"], "checkpoint=null: it has settings"),
        (["test", QAT], "test needs ckpt_path=RUN/best.ckpt"),
        (["ckpt_path={}/garbage.ckpt"], "no {}/config.yaml beside it; give experiment= as well"),
    ],
)
def test_one_line_and_nothing_written(files, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(files)
    before = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    words = [argument.replace("{}", str(files)).replace("{root}", str(ROOT)) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["train.py", *words, *(QUIET if words else ())])
    code = main(ROOT)
    errors = capfd.readouterr().err
    assert code == 2
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert message.replace("{}", str(files)) in errors
    assert {path: path.read_bytes() for path in files.rglob("*") if path.is_file()} == before


def test_a_run_is_not_overwritten(quantized_run):
    before = {path: path.read_bytes() for path in quantized_run.rglob("*") if path.is_file()}
    done = train(QAT, "data.source=simulated", f"output={quantized_run}")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"output={quantized_run} already holds a run; choose another folder or resume with" in done.stderr
    assert {path: path.read_bytes() for path in quantized_run.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("network.weight.width=6", "network.weight={"),
        ("network.output=null", "network.output={"),
    ],
)
def test_resuming_with_another_network_is_refused(quantized_run, tmp_path, change, named):
    done = train(f"ckpt_path={quantized_run / 'last.ckpt'}", f"output={tmp_path}", change)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"the checkpoint was trained with {named}" in done.stderr


@pytest.mark.parametrize("folder", ["file", "readonly"])
def test_a_run_folder_that_cannot_be_written(tmp_path, folder):
    (tmp_path / "file").write_text("mine")
    output = tmp_path / "file" / "run" if folder == "file" else Path("/proc/nowhere/run")
    done = train(QAT, "data.source=simulated", f"output={output}")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(output.parent) in done.stderr
    assert (tmp_path / "file").read_text() == "mine"
