"""Pruning as a user asks for it: what the run says of it, and that the zeros arrive in the firmware."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.networks.weights import layer_weights
from nanotrigger.training.checkpoint import load_trained
from tests.command import command
from tests.conftest import train

pytestmark = pytest.mark.slow
SHORT = ("experiment=jets_qat", "data.source=simulated", "trainer.max_epochs=2", "pruning.sparsity=0.7")
ZEROS = {"dense_1": 359, "dense_2": 717, "dense_3": 717, "dense_4": 112}  # at least 70 % of 512, 1024, 1024 and 160


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pruned") / "run"
    done = train(*SHORT, f"output={folder}")
    assert done.returncode == 0, done.stderr
    assert "Weights that are zero" in done.stdout
    return folder


def test_the_run_says_how_sparse_it_is(run):
    rows = list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))
    assert float(rows[-1]["sparsity"]) == pytest.approx(sum(ZEROS.values()) / 2720)
    sparsity = json.loads((run / "test.json").read_text())["sparsity"]
    assert {name: row["zeros"] for name, row in sparsity["layers"].items()} == ZEROS
    assert sparsity["total"]["zeros"] == sum(ZEROS.values())
    assert sparsity["total"]["integer_zeros"] >= sum(ZEROS.values())


def test_the_zeros_are_in_the_exported_network(run):
    done = command("export.py", f"ckpt={run / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    assert json.loads((run / "export" / "parity.json").read_text())["differing_words"] == 0
    recorded = json.loads((run / "test.json").read_text())["sparsity"]["layers"]
    nodes = read_graph(run / "export" / "model.onnx").nodes
    layers = {node.name: node for node in nodes if isinstance(node, Dense)}
    assert layers.keys() == ZEROS.keys()
    for name, layer in layers.items():
        zeros = int(np.count_nonzero(layer.weights == 0))
        assert zeros / layer.weights.size >= 0.7
        assert zeros == recorded[name]["integer_zeros"]


def test_a_pruned_checkpoint_can_be_tested_and_started_from(run, tmp_path):
    done = train("test", f"ckpt_path={run / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    options = ("data.source=simulated", "trainer.max_epochs=1", "evaluate=false")
    done = train(
        "experiment=jets_float", *options, f"warm_start.ckpt={run / 'best.ckpt'}", f"output={tmp_path / 'run'}"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "best.ckpt").is_file()
    assert not (tmp_path / "run" / "test.json").exists()
    assert not (tmp_path / "run" / "figures").exists()


def test_two_processes_prune_as_one_does(run, tmp_path):
    folder = tmp_path / "ddp"
    done = train(*SHORT, f"output={folder}", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.strategy=ddp")
    assert done.returncode == 0, done.stderr
    alone, shared = (layer_weights(load_trained(path / "best.ckpt").network) for path in (run, folder))
    for one, other in zip(alone, shared, strict=True):
        assert other.float_zeros == ZEROS[other.name]
        same = (one.floats == 0) == (other.floats == 0)
        assert same.mean() > 0.95  # sums in another order
    assert json.loads((folder / "test.json").read_text())["samples"] == 10_000
