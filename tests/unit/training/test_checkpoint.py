"""Checkpoints: rebuilt from the file alone; damaged, foreign and hostile files are refused."""

import os
import pickle
import re
import zipfile
from datetime import datetime

import pytest
import torch

from nanotrigger.errors import InputError
from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.checkpoint import load_trained
from nanotrigger.training.run_checkpoints import WholeCheckpoints
from nanotrigger.training.slim import slim

NETWORK = {
    "hidden": [8],
    "input": FixedPoint(16, 6),
    "weight": FixedPoint(4, 2, narrow=True),
    "bias": FixedPoint(1, 1),
    "activation": FixedPoint(8, 1, signed=False),
}


def content(network: MLP) -> dict:
    return {
        "epoch": 3,
        "pytorch-lightning_version": "2.6.6",
        "optimizer_states": [torch.zeros(100_000)],
        "state_dict": {f"network.{name}": tensor for name, tensor in network.state_dict().items()},
        "nanotrigger": {
            "version": 1,
            "task": "JetTagging",
            "network": network.configuration,
            "data": {
                "source": "simulated",
                "standardization": {"mean": torch.arange(16.0), "scale": torch.ones(16)},
            },
        },
    }


BY_LAYER = {**NETWORK, "weight": [FixedPoint(3, 1), FixedPoint(1, 1)], "activation": [NETWORK["activation"]]}


@pytest.fixture
def network() -> MLP:
    return MLP(**NETWORK)


@pytest.mark.parametrize("arguments", [NETWORK, BY_LAYER], ids=["one for all", "by layer"])
def test_rebuilds_the_network(tmp_path, arguments):
    network = MLP(**arguments)
    path = tmp_path / "best.ckpt"
    torch.save(content(network), path)
    trained = load_trained(path)
    features = torch.randn(50, 16)
    assert torch.equal(trained.network(features), network.eval()(features))
    assert trained.network.formats == network.formats
    assert trained.data == {"source": "simulated"}
    assert trained.standardization.mean[3] == 3.0
    assert (trained.task, trained.epoch) == ("JetTagging", 3)


def test_slim_keeps_what_rebuilds(tmp_path, network):
    path, target = tmp_path / "best.ckpt", tmp_path / "slim.ckpt"
    torch.save(content(network), path)
    slim(path, target)
    assert target.stat().st_size < 50_000 < path.stat().st_size
    before, after = load_trained(path), load_trained(target)
    assert all(torch.equal(before.network.state_dict()[k], v) for k, v in after.network.state_dict().items())


class Malicious:
    """Pickled, it runs a command when it is loaded."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("save", [torch.save, lambda obj, path: path.write_bytes(pickle.dumps(obj))])
def test_a_malicious_pickle_does_not_run(tmp_path, save):
    path, marker = tmp_path / "evil.ckpt", tmp_path / "was_run"
    save({"state_dict": Malicious(marker)}, path)
    with pytest.raises(InputError, match="refused, it is damaged or holds more than plain tensors") as caught:
        load_trained(path)
    assert "\n" not in str(caught.value)
    assert not marker.exists()


def without(record: dict, *keys: str) -> dict:
    *path, last = keys
    inner = record
    for key in path:
        inner = inner[key]
    del inner[last]
    return record


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: [1, 2], "is no checkpoint of nanotrigger"),
        (lambda c: without(c, "nanotrigger"), "is no checkpoint of nanotrigger"),
        (lambda c: without(c, "state_dict"), "is no checkpoint of nanotrigger"),
        (
            lambda c: c | {"nanotrigger": c["nanotrigger"] | {"version": 9}},
            "record version 9, this",
        ),
        (lambda c: without(c, "nanotrigger", "data", "standardization"), "damaged checkpoint"),
        (lambda c: without(c, "state_dict", "network.layers.dense_1.weight"), "damaged checkpoint"),
        (lambda c: without(c, "nanotrigger", "network", "network"), "network None is unknown; this version has MLP"),
        (lambda c: c | {"nanotrigger": c["nanotrigger"] | {"network": {"network": "os.system"}}}, "is unknown"),
        (lambda c: c | {"nanotrigger": c["nanotrigger"] | {"network": {"network": "MLP", "depth": 3}}}, "depth"),
    ],
)
def test_refuses_other_content(tmp_path, network, change, message):
    path = tmp_path / "other.ckpt"
    torch.save(change(content(network)), path)
    with pytest.raises(InputError, match=re.escape(message)):
        load_trained(path)


def test_refuses_diverged_weights(tmp_path, network):
    path = tmp_path / "best.ckpt"
    network.layers.dense_1.bias.data[0] = torch.nan
    torch.save(content(network), path)
    with pytest.raises(InputError, match="weights are not finite, the training diverged"):
        load_trained(path)


def test_refuses_damaged_files(tmp_path, network):
    path = tmp_path / "best.ckpt"
    with pytest.raises(InputError, match="no such file; give best.ckpt or last.ckpt of a run"):
        load_trained(path)
    torch.save(content(network), path)
    whole = path.read_bytes()
    for damaged in (b"", whole[:100], whole[: len(whole) // 2], b"<html>"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=re.escape(str(path))):
            load_trained(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello", "world")
    with pytest.raises(InputError, match=re.escape(str(path))):
        load_trained(path)


def test_a_checkpoint_that_could_not_be_read_does_not_take_the_place_of_one_that_can(tmp_path):
    files, path = WholeCheckpoints(), tmp_path / "last.ckpt"
    files.save_checkpoint({"score": 1.0}, path)
    before = path.read_bytes()
    for value in (object, datetime(2026, 1, 1), lambda: 0):
        with pytest.raises(InputError, match="which hold tensors and primitives only"):
            files.save_checkpoint({"score": [value]}, path)
        assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
