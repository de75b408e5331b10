"""A training to a budget: what it leaves costs no more, and every network on the front is proven."""

import csv
import json

import pytest

from nanotrigger.firmware.target import Target
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.networks.weights import layer_weights
from nanotrigger.precision.allowance import cost_of
from nanotrigger.training.checkpoint import load_trained
from nanotrigger.training.run_checkpoints import read_history
from tests.command import command
from tests.conftest import train

LIMIT = 400
WORDS = (
    "experiment=jets_budget",
    "data.source=simulated",
    "data.batch_size=512",
    "network.hidden=[8]",
    "trainer.max_epochs=24",
    "trainer.check_val_every_n_epoch=1",
    "trainer.enable_progress_bar=false",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("budget") / "run"
    done = train(*WORDS, f"budget.ebops={LIMIT}", "budget.rounds=4", "evaluate=false", f"output={folder}")
    assert done.returncode == 0, done.stderr
    assert "round 4: " in done.stdout
    cost = graph_of(load_trained(folder / "best.ckpt").network).bit_operations()
    assert f"best.ckpt costs {cost} of budget.ebops={LIMIT}, {1 - cost / LIMIT:.1%} below it" in done.stdout
    return folder


def test_the_best_network_is_within_the_budget(run):
    done = command("export.py", f"ckpt={run / 'best.ckpt'}", f"output={run.parent / 'best'}")
    assert done.returncode == 0, done.stderr
    assert read_graph(run.parent / "best" / "model.onnx").bit_operations() <= LIMIT
    history = read_history(run / "metrics.csv")
    assert history["ebops"][0] > 2 * LIMIT
    assert min(history["ebops"]) <= 2 * LIMIT


def test_a_repeated_command_refines_again_and_finds_the_same(run):
    before = (run / "best.ckpt").read_bytes()
    (run / "front" / ".ebops_0000100.ckpt.abcd1234.ckpt").touch()
    done = train(
        *WORDS, f"budget.ebops={LIMIT}", "budget.rounds=4", "evaluate=false", f"output={run}", "ckpt_path=last"
    )
    assert done.returncode == 0, done.stderr
    assert (run / "best.ckpt").read_bytes() == before
    assert not (run / "front" / ".ebops_0000100.ckpt.abcd1234.ckpt").exists()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("pruning.sparsity=0.5", "budget.rounds=1: a network that is pruned is not refined"),
        ("checkpoint.monitor=aluts", "checkpoint.monitor=aluts: a refinement needs one of validation"),
        ("budget.target.io_type=io_stream", "budget.target.io_type=io_stream: the structural count knows only io_par"),
    ],
)
def test_what_cannot_be_refined_is_told_before_the_training(word, message, tmp_path):
    done = train(*WORDS, "budget.ebops=100", "budget.rounds=1", word, f"output={tmp_path / 'run'}")
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_network_on_the_front_is_proven(run):
    points = sorted((run / "front").iterdir())
    costs = {int(path.stem.removeprefix("ebops_")): path for path in points}
    assert len(costs) > 3
    for cost in (min(costs), max(costs)):
        output = run.parent / f"export_{cost}"
        done = command("export.py", f"ckpt={costs[cost]}", f"output={output}")
        assert done.returncode == 0, done.stderr
        assert json.loads((output / "parity.json").read_text())["differing_words"] == 0
        network = read_graph(output / "model.onnx")
        assert network.bit_operations() == cost
        trained = layer_weights(load_trained(costs[cost]).network)
        layers = [node for node in network.nodes if isinstance(node, Dense)]
        for layer, weights in zip(layers, trained, strict=True):
            assert (layer.weights == 0).sum() == weights.float_zeros


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_training_without_a_network_within_the_budget_fails(rounds, tmp_path):
    run, short = tmp_path / "run", ("budget.ebops=1", f"budget.rounds={rounds}", "trainer.max_epochs=1")
    done = train(*WORDS, *short, f"output={run}")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no epoch was trained and validated within budget.ebops=1 (the nearest: ")
    assert done.stderr.count("\n") == 1
    assert ("budget.rounds=1: no network to refine, none costs 0.5 to 4 ebops" in done.stdout) == bool(rounds)
    assert not (run / "best.ckpt").exists()
    assert (run / "SHA256SUMS").is_file()


def test_a_training_that_ends_before_the_budget_is_reached_fails_and_says_when(tmp_path):
    early = ("early_stopping.patience=1", "early_stopping.min_delta=9", "budget.ebops=1", "trainer.max_epochs=9")
    done = train(*WORDS, *early, f"output={tmp_path / 'run'}")
    assert done.returncode == 1
    assert "the training ended after 2 of trainer.max_epochs=9" in done.stdout
    assert "within budget.ebops=1" in done.stderr


def test_a_budget_that_no_network_can_meet_is_refused_before_anything_is_written(tmp_path):
    done = train("experiment=jets_budget", "budget.aluts=90", f"output={tmp_path / 'run'}")
    assert done.returncode == 2
    assert "budget.aluts=90: the kernel's shell alone costs 95; give at least 96" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_point_without_a_network_within_its_budget_is_told(tmp_path):
    short = [word for word in WORDS if "progress" not in word and "epochs" not in word]
    words = (*short, "trainer.max_epochs=1", "budget.rounds=0", "budget.ebops=1,100000", f"output={tmp_path / 'study'}")
    done = command("scan.py", *words)
    assert done.returncode == 1
    assert "point 0 failed: no epoch was trained and validated within budget.ebops=1 (the nearest: " in done.stderr
    with (tmp_path / "study" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["failed", "complete"]


def test_a_budget_counts_for_the_target_that_is_given(tmp_path):
    run, target = tmp_path / "run", Target(clock_period=0.625)
    done = train(*WORDS, "budget.ffs=1501", "budget.target.clock_period=0.625", "trainer.max_epochs=1", f"output={run}")
    assert done.returncode == 1
    (point,) = (run / "front").iterdir()
    network = load_trained(point).network
    counted = cost_of(network, target).ffs
    assert read_history(run / "metrics.csv")["ffs"] == [counted]
    assert f"within budget.ffs=1501 (the nearest: {counted})" in done.stderr
    assert counted > cost_of(network, Target()).ffs


def test_a_scan_refuses_a_point_whose_budget_cannot_be_counted_before_the_first_one(tmp_path):
    done = command("scan.py", "experiment=jets_budget", "export.reuse_factor=1,2", f"output={tmp_path / 'study'}")
    assert done.returncode == 2
    assert "budget.target.reuse_factor=2: the structural count knows only 1" in done.stderr
    assert done.stderr.count("\n") == 1
