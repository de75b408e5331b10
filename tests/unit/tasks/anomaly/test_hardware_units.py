"""Events in hardware units: what a run takes of them, and what the trigger menu says of each."""

import json

import numpy as np
import pytest
import torch

from nanotrigger.data.level1 import SCALE, read_objects
from nanotrigger.errors import InputError
from nanotrigger.networks import Autoencoder
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import judged_events
from nanotrigger.tasks.anomaly import data as events
from nanotrigger.tasks.anomaly.data import EventData, event_sets
from nanotrigger.tasks.anomaly.scores import absent_pt
from nanotrigger.training.checkpoint import TrainedNetwork
from tests.made_events import make_events, write_events
from tests.made_parquet import make_columns, write_archive, write_parquet


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Zero bias and a signal in a file each, and in an archive."""
    folder = tmp_path_factory.mktemp("hardware")
    write_parquet(folder / "zerobias.parquet", make_columns(500))
    write_parquet(folder / "suep.parquet", make_columns(60, seed=1, momentum=150))
    samples = {"zerobias/run/test": make_columns(500), "signal/suep/test": make_columns(60, seed=1, momentum=150)}
    write_archive(folder / "test.tar", samples)
    return folder


@pytest.fixture(scope="module")
def data(folder) -> EventData:
    made = EventData(str(folder / "zerobias.parquet"), signals=[str(folder / "suep.parquet")])
    made.setup()
    return made


def trained_on(data: EventData) -> TrainedNetwork:
    data.setup()
    record = data.record()
    scaling = type(data.standardization)(**record.pop("standardization"))
    return TrainedNetwork(Autoencoder(), "AnomalyDetection", record, scaling, epoch=0, sha256="")


def test_integers_are_divided_by_powers_of_two(data, folder):
    raw = torch.from_numpy(read_objects(folder / "suep.parquet", "Particles"))
    features, labels = data.with_signals("test")
    assert torch.equal(features[labels == 1] * torch.from_numpy(SCALE).float(), raw)
    assert set(np.log2(SCALE).tolist()) == {6.0, 8.0}
    assert not data.standardization.mean.any()
    assert not absent_pt(data.standardization).any()


def test_the_experiments_quantizer_changes_nothing(data):
    features, _ = data.with_signals("train")
    assert torch.equal(FixedPoint(15, 7).quantize(features), features)
    assert not torch.equal(FixedPoint(14, 7).quantize(features), features)  # the angles of muons need every bit


def test_the_menus_decisions_go_with_the_events(data):
    features, labels = data.with_signals("test")
    accepted = data.accepted("test")
    assert (accepted.dtype, accepted.shape) == (torch.bool, labels.shape)
    hardest = features[:, 27] * 64  # the made menu accepts a jet above twice the mean
    assert torch.equal(accepted, hardest > torch.where(labels == 1, 300, 80))
    train = data.rows("train")[0][:, 27] * 64
    assert torch.equal(data.accepted_splits["train"], train > 80)


def test_an_archive_is_the_same_events(data, folder):
    archive = EventData(str(folder / "test.tar"))
    archive.setup()
    assert archive.class_names == ("background", "suep")
    for mine, other in zip(data.with_signals(), archive.with_signals(), strict=True):
        assert torch.equal(mine, other)
    assert torch.equal(data.accepted(), archive.accepted())
    with_signals = EventData(str(folder / "zerobias.parquet"), signals=[str(folder / "test.tar")])
    with_signals.setup()
    assert with_signals.class_names == ("background", "suep")  # its own zero bias is no signal


def test_in_physical_units_no_menu_is_known(few_events):
    few_events.setup()
    assert few_events.accepted("test") is None
    assert (few_events.in_hardware_units, few_events.crossings) == (False, 40_000)
    assert few_events.record()["units"] is None


def test_the_first_events_of_each_data_set(folder):
    few = EventData(str(folder / "test.tar"), events=100, crossings=30e3)
    few.setup()
    assert torch.bincount(few.with_signals()[1]).tolist() == [20, 60]
    assert len(few.accepted()) == 80
    assert few.crossings == 30e3
    fewer = EventData(str(folder / "test.tar"), events=50)
    fewer.setup()
    assert torch.bincount(fewer.with_signals()[1]).tolist() == [10, 50]
    found = judged_events(trained_on(fewer))
    np.testing.assert_array_equal(found.features, fewer.with_signals()[0].double().numpy())
    assert found.description == "test.tar, test split, 10 background events and suep"


def test_the_first_events_in_physical_units(tmp_path):
    path = write_events(tmp_path / "a.h5", background=make_events(300))
    few = EventData(str(path), events=100)
    few.setup()
    assert few.events == 100
    assert len(judged_events(trained_on(few)).labels) == 20


def test_the_record_holds_plain_values(data):
    record = data.record()
    del record["standardization"]
    assert json.loads(json.dumps(record)) == record
    assert (record["units"], record["most_events"], record["events"]) == ("hardware units", None, 500)


def test_a_file_of_the_mirror_has_the_name_of_its_folder(folder, tmp_path):
    shard = tmp_path / "haa-4b-ma15" / "test-00000-of-00002.parquet"
    shard.parent.mkdir()
    write_parquet(shard, make_columns(5))
    assert list(event_sets(str(folder / "zerobias.parquet"), [str(shard)])) == ["background", "haa-4b-ma15"]


def test_units_are_not_mixed(folder, tmp_path, monkeypatch, data):
    physical = write_events(tmp_path / "a.h5", background=make_events(30), hTo4l=make_events(9))
    with pytest.raises(InputError, match=r"zerobias.parquet is in hardware units, .*a.h5 in GeV and radians; give"):
        event_sets(str(physical), [str(folder / "zerobias.parquet")])
    with pytest.raises(InputError, match="a.h5: events in GeV and radians, and the network learned hardware units; gi"):
        judged_events(trained_on(data), str(physical))
    with pytest.raises(InputError, match="zerobias.parquet: events in hardware units, and the network learned GeV"):
        judged_events(trained_on(EventData(str(physical))), str(folder / "zerobias.parquet"))
    monkeypatch.setattr(events, "SHIPPED_SAMPLE", physical)
    copy = write_parquet(tmp_path / "gone.parquet", make_columns(100))
    trained = trained_on(EventData(str(copy)))
    copy.unlink()
    with pytest.raises(InputError, match=r"learned hardware units; the training data \(gone.parquet\) are not at hand"):
        judged_events(trained)
