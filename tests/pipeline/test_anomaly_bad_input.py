"""What is wrong with a command of anomaly detection: one line on stderr, exit code 2, nothing written."""

import sys

import numpy as np
import pytest
import torch

from nanotrigger.cli import export, train
from nanotrigger.networks import Autoencoder, VariationalAutoencoder
from nanotrigger.tasks import AnomalyDetection
from nanotrigger.tasks.anomaly.data import EventData
from tests.command import ROOT
from tests.conftest import QUIET
from tests.made_events import make_events, write_events

JETS = "ckpt={root}/checkpoints/reference/jets_qat.ckpt"
AE, SOURCE = "experiment=ad_ae", "data.source={}/events.h5"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with events, good and bad, and untrained checkpoints of an autoencoder and a variational one."""
    folder = tmp_path_factory.mktemp("bad")
    path = write_events(folder / "events.h5", background=make_events(300), hTo4l=make_events(20))
    write_events(folder / "jets.h5", X=np.zeros((9, 16)))
    write_events(folder / "hTo4l_8TeV.h5", Particles=make_events(20))
    data = EventData(str(path))
    data.setup()
    for network in (Autoencoder(hidden=[4]), VariationalAutoencoder(hidden=[4])):
        task = AnomalyDetection(network)
        record = {"version": 1, "task": "AnomalyDetection", "settings": task.settings, "data": data.record()}
        content = {
            "state_dict": task.state_dict(),
            "nanotrigger": {**record, "network": network.configuration},
        }
        torch.save(content, folder / f"{type(network).__name__}.ckpt")
    return folder


def refused(main, script, arguments, folder, monkeypatch, capfd) -> str:
    """Run a command; check that it ends with 2 and writes nothing; return its one line."""
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    words = [argument.replace("{}", str(folder)).replace("{root}", str(ROOT)) for argument in arguments]
    monkeypatch.setattr(sys, "argv", [script, *words])
    code = main()
    errors = capfd.readouterr().err
    assert code == 2, errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert sorted(folder.rglob("*")) == before
    return errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ckpt={}/Autoencoder.ckpt", "part=nonsense"], "part=nonsense: a network of this kind has whole, encoder"),
        (
            ["ckpt={}/VariationalAutoencoder.ckpt", "part=decoder"],
            "part=decoder: a network of this kind has encoder, wh",
        ),
        ([JETS, "part=encoder"], "part=encoder: a network of this kind has whole"),
        (["ckpt={}/Autoencoder.ckpt", "softmax=true"], "softmax=true is for logits; this network has none"),
        (["ckpt={}/VariationalAutoencoder.ckpt", "softmax=true", "part=whole"], "softmax=true is for logits"),
        (["ckpt={}/Autoencoder.ckpt", "data={}/jets.h5"], "jets.h5 has X (9, 16); events are a data set Particles"),
        (["ckpt={}/Autoencoder.ckpt", "data=nowhere.h5"], "nowhere.h5: no such file; give an HDF5 file"),
    ],
)
def test_export_refuses(folder, monkeypatch, capfd, arguments, message):
    assert message in refused(export.main, "export.py", arguments, folder, monkeypatch, capfd)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([AE, SOURCE, "network.features=16"], "network.features=16: events have 57 features; set network.features=57"),
        ([AE, SOURCE, "network.latent_size=0"], "network widths [57, 32, 16, 0, 16, 32, 57]: every layer needs"),
        ([AE, SOURCE, "network.slope=2"], "network.slope=2.0: must be at least 0 and below 1"),
        ([AE, SOURCE, "network.class_path=nanotrigger.networks.MLP"], "MLP"),
        ([AE, SOURCE, "model.kl_weight=-1"], "model.kl_weight=-1.0: must be finite and not negative"),
        ([AE, SOURCE, "model.schedule=plato"], "plato"),
        ([AE, SOURCE, "data.signals=[nowhere.h5]"], "nowhere.h5: no such file; give an HDF5 file"),
        ([AE, SOURCE, "data.signals=nowhere.h5"], "nowhere.h5"),
        ([AE, SOURCE, "data.signals=[{}/hTo4l_8TeV.h5,{}/hTo4l_8TeV.h5]"], "both have hTo4l_8TeV; leave one out"),
        ([AE, "data.source={}/jets.h5"], "jets.h5 has X (9, 16); events are a data set Particles of shape (events, 19"),
        ([AE, "data.source={}/Autoencoder.ckpt"], "a zip archive, as checkpoints and NumPy's .npz are, no HDF5 file"),
        ([AE, "data.source=adc2021"], "data.source=adc2021: no file data/adc2021/background_for_training.h5; run"),
        (
            ["experiment=ad_ae_qat", SOURCE, "network.tensors={dense_9.weight: {width: 4, integer: 2}}"],
            "network.tensors has dense_9.weight, which is none of input, dense_1.weight",
        ),
        (["experiment=jets_qat", SOURCE, "data.class_path=nanotrigger.tasks.EventData"], "features"),
    ],
)
def test_train_refuses(folder, monkeypatch, capfd, arguments, message):
    words = [*arguments, *QUIET, "data.batch_size=32"]
    assert message in refused(lambda: train.main(ROOT), "train.py", words, folder, monkeypatch, capfd)
