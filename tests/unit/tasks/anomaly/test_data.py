"""EventData: split, standardization of the momenta, and what a checkpoint keeps."""

import json

import h5py
import pytest
import torch

from nanotrigger.data.split import Standardization
from nanotrigger.errors import InputError
from nanotrigger.files import sha256
from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.tasks.anomaly.task import absent_pt

PT = slice(None, None, 3)


@pytest.fixture(scope="module")
def data(events_file) -> EventData:
    made = EventData(str(events_file))
    assert str(made) == f"data: {events_file}, not read yet"
    made.setup()
    return made


@pytest.fixture(scope="module")
def raw(events_file) -> torch.Tensor:
    """The background's features, shape (3000, 57), in GeV and radians."""
    with h5py.File(events_file) as file:
        return torch.from_numpy(file["background"][:, :, :3]).flatten(1)


def restored(data: EventData, features: torch.Tensor) -> torch.Tensor:
    return features.double() * data.standardization.scale + data.standardization.mean


def test_the_split_is_disjoint_and_whole(data, raw):
    parts = [data.rows(part)[0] for part in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [1920, 480, 600]
    met = torch.cat([restored(data, part)[:, 0] for part in parts]).float()  # it differs in all events
    torch.testing.assert_close(met.sort().values, raw[:, 0].sort().values)
    assert len(met.round(decimals=4).unique()) > 2990


def test_momenta_are_standardized_on_the_training_split_alone(data):
    train, test = (data.rows(part)[0][:, PT].double() for part in ("train", "test"))
    spread = train.std(dim=0, correction=0)
    torch.testing.assert_close(train.mean(dim=0), torch.zeros(19).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(spread, (spread > 0).double(), atol=1e-5, rtol=0)
    assert spread.sum() > 15  # few places are always empty
    assert test.mean(dim=0).abs().max() > 1e-3


def test_angles_stay_as_they_are(data, raw):
    order = raw[:, 0].argsort()
    found = torch.cat(list(data.splits.values()))
    found = found[found[:, 0].argsort()]
    for column in (1, 2):
        assert torch.equal(found[:, column::3], raw[order][:, column::3])


def test_absent_objects_are_exactly_absent_pt(data):
    absent = absent_pt(data.standardization)
    features, _ = data.with_signals("train")
    missing = restored(data, features)[:, PT].abs() < 1e-3
    assert missing.any(dim=0)[2:].all()
    assert torch.equal(features[:, PT][missing], absent.expand(len(features), -1)[missing])
    assert (features[:, PT][~missing] > absent.expand(len(features), -1)[~missing]).all()


def test_signals_stand_behind_the_background(data):
    features, labels = data.with_signals("test")
    assert data.class_names == ("background", "hTo4l", "leptoquark")
    assert torch.bincount(labels).tolist() == [600, 400, 300]
    assert torch.equal(features[:600], data.rows("test")[0])
    momenta = [restored(data, features)[labels == place, 0].mean() for place in range(3)]
    assert momenta == sorted(momenta)
    assert momenta[2] > 150  # GeV


def test_the_record_holds_plain_values(data, events_file):
    record = data.record()
    standardization = Standardization(**record.pop("standardization"))
    assert torch.equal(standardization.mean, data.standardization.mean)
    assert json.loads(json.dumps(record)) == record
    assert record["sha256"] == sha256(events_file)
    assert (record["source"], record["signals"], record["events"]) == (str(events_file), None, 3000)
    assert (len(record["feature_names"]), record["class_names"][0]) == (57, "background")


def test_the_seed_decides_the_split(data, events_file):
    same, other = EventData(str(events_file)), EventData(str(events_file), split_seed=1)
    for made in (same, other):
        made.setup()
    assert torch.equal(same.rows("test")[0], data.rows("test")[0])
    assert not torch.equal(other.rows("test")[0], data.rows("test")[0])


def test_says_what_it_read(data):
    assert str(data) == (
        "data: events.h5, 3,000 background events: 1,920 training, 480 validation, 600 test; signals hTo4l, leptoquark"
    )


def test_batches_are_events_alone(data):
    ((first,), *rest) = data.train_dataloader()
    assert (first.shape, rest) == ((1024, 57), [])
    assert sum(len(batch) for (batch,) in data.val_dataloader()) == 480


def test_refuses_another_network(data):
    data.check_network((57,), 57)
    with pytest.raises(InputError) as caught:
        data.check_network((16,), 16)
    assert str(caught.value) == "network.features=16: events have 57 features; set network.features=57"
