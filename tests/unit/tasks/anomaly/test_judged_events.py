"""Collisions on which firmware is judged: the test split and all signals, or what is at hand."""

import shutil

import numpy as np
import pytest
import torch

from nanotrigger.errors import InputError
from nanotrigger.files import sha256
from nanotrigger.networks import Autoencoder
from nanotrigger.tasks import judged_events
from nanotrigger.tasks.anomaly import data as events
from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.training.checkpoint import TrainedNetwork
from tests.made_events import make_events, write_events


def trained_on(data: EventData) -> TrainedNetwork:
    data.setup()
    record = data.record()
    standardization = record.pop("standardization")
    scaling = type(data.standardization)(**standardization)
    return TrainedNetwork(Autoencoder(), "AnomalyDetection", record, scaling, epoch=0, sha256="")


@pytest.fixture
def path(events_file, tmp_path):
    """A copy of the events that may be changed."""
    return shutil.copy(events_file, tmp_path / "events.h5")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """What stands in for the shipped sample."""
    sample = write_events(tmp_path / "shipped.h5", background=make_events(70, seed=7), Ato4l=make_events(30, seed=8))
    monkeypatch.setattr(events, "SHIPPED_SAMPLE", sample)
    return sample


@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_split_of_its_own_data_and_all_signals(path, split):
    data = EventData(str(path), split_seed=3)
    found = judged_events(trained_on(data), split=split)
    features, labels = data.with_signals(split)
    np.testing.assert_array_equal(found.features, features.double().numpy())
    np.testing.assert_array_equal(found.labels, labels.numpy())
    assert found.class_names == ("background", "hTo4l", "leptoquark")
    size = {"test": 600, "validation": 480}[split]
    assert found.description == f"events.h5, {split} split, {size} background events and hTo4l, leptoquark"
    assert found.sha256 == sha256(path)
    assert found.features.dtype == np.float64


def test_signals_of_other_files(path, tmp_path):
    signal = write_events(tmp_path / "Ato4l_lepFilter_13TeV.h5", Particles=make_events(40))
    trained = trained_on(EventData(str(path), signals=[str(signal)]))
    assert judged_events(trained).class_names == ("background", "Ato4l")
    signal.unlink()
    with pytest.raises(InputError, match="Ato4l_lepFilter_13TeV.h5: no such file"):
        judged_events(trained)


def test_all_events_of_another_file(path, tmp_path):
    other = write_events(tmp_path / "other.h5", Particles=make_events(50, seed=9))
    trained = trained_on(EventData(str(path)))
    found = judged_events(trained, str(other))
    assert found.description == "other.h5, all 50 background events and no signals"
    raw = torch.from_numpy(make_events(50, seed=9)[:, :, :3]).flatten(1)
    np.testing.assert_array_equal(found.features, trained.standardization.apply(raw).double().numpy())
    assert not found.labels.any()


def test_its_own_file_by_name_is_never_judged_on_training_events(path):
    trained = trained_on(EventData(str(path)))
    np.testing.assert_array_equal(judged_events(trained, str(path)).features, judged_events(trained).features)


def test_data_that_are_gone_or_changed(path, shipped):
    trained = trained_on(EventData(str(path)))
    write_events(path, background=make_events(10))
    changed = judged_events(trained)
    path.unlink()
    gone = judged_events(trained)
    remark = "; the training data (events.h5) are {}, the scaling is the checkpoint's own"
    for found, reason in ((changed, "changed since the training"), (gone, "not at hand")):
        assert found.description.endswith("all 70 background events and Ato4l" + remark.format(reason))
        assert found.class_names == ("background", "Ato4l")
        assert np.bincount(found.labels).tolist() == [70, 30]
        assert found.sha256 == sha256(shipped)


def test_moved_data_that_are_the_shipped_sample(path, shipped):
    trained = trained_on(EventData(str(shutil.copy(shipped, path))))
    path.unlink()
    assert len(judged_events(trained).labels) == 14 + 30  # its own test split


def test_a_file_of_no_events_is_refused(path, tmp_path):
    jets = write_events(tmp_path / "jets.h5", X=np.zeros((5, 16)))
    with pytest.raises(InputError, match=r"jets\.h5 has X \(5, 16\); events are a data set Particles"):
        judged_events(trained_on(EventData(str(path))), str(jets))
