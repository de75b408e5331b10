"""network.activation=null: ReLUs in full precision; sums grow from layer to layer, beyond 53 bits if need be."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from nanotrigger.firmware import proof, witnesses
from nanotrigger.firmware.record import read_record
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.witnesses import torch_graph
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.tasks import judged_events
from nanotrigger.training.checkpoint import load_trained
from tests.command import command
from tests.conftest import train

SHORT = ("experiment=jets_qat", "network.activation=null", "trainer.max_epochs=1", "trainer.limit_train_batches=5")
WIDE = ("network.input=fixed<18,8>", "network.weight=fixed<18,2>", "network.bias=fixed<18,2>", "network.hidden=[8,8]")


@pytest.fixture(scope="module")
def proven(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full_precision") / "run"
    done = train(*SHORT, *WIDE, f"output={folder}")
    assert done.returncode == 0, done.stderr
    done = command("export.py", f"ckpt={folder / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    return folder / "export"


def test_sums_of_more_than_53_bits_are_proven_in_integers(proven):
    parity = json.loads((proven / "parity.json").read_text())
    assert parity["differing_words_of"] == {"torch": 0, "datapath": 0, "firmware": 0}
    assert not parity["torch_float64_is_exact"]
    graph = read_graph(proven / "model.onnx")
    assert graph.tensors["dense_3"].bits > 64
    tensors = [graph.tensors[node.output] for node in graph.nodes if node.layer == "dense_1"]
    assert [tensor.bits for tensor in tensors] == [tensors[0].bits, tensors[0].bits - 1]  # a ReLU drops the sign


def test_one_bit_of_one_weight_is_found_behind_such_sums(proven, monkeypatch, tmp_path):
    def altered(network):
        graph = torch_graph(network)
        last = next(node for node in reversed(graph.nodes) if isinstance(node, Dense))
        weights = last.weights.copy()
        weights[np.unravel_index(np.abs(weights).argmax(), weights.shape)] += 64
        return replace(graph, nodes=tuple(replace(n, weights=weights) if n is last else n for n in graph.nodes))

    monkeypatch.setattr(witnesses, "torch_graph", altered)
    shutil.copytree(proven, tmp_path / "export")
    trained = load_trained(proven.parent / "best.ckpt")
    events = judged_events(trained)
    judgement = proof.judge(trained, events, Target(), read_record(tmp_path / "export" / "hls"), tmp_path / "export")
    assert judgement.difference is not None
    assert (judgement.difference.witness, judgement.difference.node) == ("torch", "dense_3")
    assert judgement.parity["differing_words_of"]["firmware"] == 0


def test_outputs_that_emulation_cannot_hand_over_are_refused(tmp_path):
    done = train(*SHORT, *WIDE, "network.output=null", f"output={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    done = command("export.py", f"ckpt={tmp_path / 'run' / 'best.ckpt'}")
    assert done.returncode == 2
    assert "bits: emulation hands over 53; train with a format for network.output" in done.stderr


def test_the_course_network_grows_as_in_the_course(tmp_path):
    done = train(
        "experiment=course_qat",
        "warm_start.ckpt=checkpoints/reference/jets_float.ckpt",
        *SHORT[2:],
        f"output={tmp_path / 'run'}",
    )
    assert done.returncode == 0, done.stderr
    done = command("export.py", f"ckpt={tmp_path / 'run' / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    parity = json.loads((tmp_path / "run" / "export" / "parity.json").read_text())
    assert parity["differing_words_of"] == {"torch": 0, "datapath": 0, "firmware": 0}
    assert parity["torch_float64_is_exact"]
    network = load_trained(tmp_path / "run" / "best.ckpt").network
    assert list(network.named_formats) == ["input", "weight", "bias"]
