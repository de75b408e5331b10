"""Events: small generations of every process, whole samples, the file's layout and bad input."""

import h5py
import numpy as np
import pytest

import nanotrigger.simulate.events as module
from nanotrigger.errors import InputError
from nanotrigger.simulate.events import (
    BACKGROUND_FRACTIONS,
    PILED_UP,
    SIGNAL_PROCESSES,
    SimulatedEvents,
    background_counts,
    simulate_event_sample,
    simulate_events,
    write_event_sample,
)
from nanotrigger.simulate.generator import Chunk

QUICK = 5

NAMES = ("background", *SIGNAL_PROCESSES)


@pytest.fixture
def _generators():
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")


@pytest.mark.slow
@pytest.mark.usefixtures("_generators")
@pytest.mark.parametrize("label", [*BACKGROUND_FRACTIONS, *SIGNAL_PROCESSES])
def test_every_process_gives_events_that_pass_its_filter(label):
    events = simulate_events(Chunk(label, QUICK, seed=1))
    assert events.shape == (QUICK, 19, 4)
    assert (events[:, [1, 5], 0].max(axis=1) > 23).all() != (label in PILED_UP)
    assert (events[:, 0, 3] == 1).all()
    for rows, kind, eta in ((slice(1, 5), 2, 3.0), (slice(5, 9), 3, 2.1), (slice(9, 19), 4, 4.0)):
        objects = events[:, rows]
        present = objects[..., 0] > 0
        assert (objects[present][:, 3] == kind).all()
        assert (np.abs(objects[present][:, 1]) <= eta).all()
        assert (np.abs(objects[present][:, 2]) <= np.pi).all()
        assert (np.diff(objects[..., 0], axis=1) <= 0).all()
        assert not objects[~present].any()


@pytest.mark.slow
@pytest.mark.usefixtures("_generators")
def test_equal_seeds_give_equal_events_and_a_smaller_chunk_is_the_start_of_a_larger_one():
    events = simulate_events(Chunk("w", QUICK, seed=1))
    np.testing.assert_array_equal(simulate_events(Chunk("w", 3, seed=1)), events[:3])
    assert not np.array_equal(simulate_events(Chunk("w", 3, seed=2)), events[:3])


@pytest.mark.slow
@pytest.mark.usefixtures("_generators")
def test_pileup_is_added_where_the_file_is_called_pu20_alone(monkeypatch):
    class CalledError(Exception):
        pass

    def pileup(seed, random):
        raise CalledError

    monkeypatch.setattr(module, "Pileup", pileup)
    assert simulate_events(Chunk("w", 1, seed=1)).shape == (1, 19, 4)
    with pytest.raises(CalledError):
        simulate_events(Chunk("hToTauTau", 1, seed=1))


@pytest.mark.slow
@pytest.mark.usefixtures("_generators")
def test_events_that_fail_the_filter_are_left_out_where_there_is_one(monkeypatch):
    monkeypatch.setattr(module, "trigger_objects", lambda hard, soft: next(numbered))
    monkeypatch.setattr(module, "measure", lambda particles, random: particles)
    for label, expected in (("w", [30, 50]), ("hToTauTau", [20, 30])):
        numbered = iter([np.full((19, 4), pt) for pt in (20, 30, 10, 50)])
        assert simulate_events(Chunk(label, 2, seed=1))[:, 0, 0].tolist() == expected


@pytest.fixture
def sample():
    random = np.random.default_rng(1)
    samples = {name: random.random((7 + place, 19, 4), np.float32) for place, name in enumerate(NAMES)}
    return SimulatedEvents(samples, {"w": 4, "qcd": 3}, {"source": "made up", "seed": 3})


@pytest.mark.parametrize("events", [1, 2, 10, 24_000, 10**6])
def test_composition_adds_up(events):
    counts = background_counts(events)
    assert sum(counts.values()) == events
    assert min(counts.values()) >= 0


def test_the_published_proportions():
    assert background_counts(1000) == {"w": 592, "qcd": 338, "z": 67, "tt": 3}


def test_chunks_come_together_in_the_right_sample(monkeypatch):
    def run(task, chunks, *, processes):
        return [np.full((chunk.size, 19, 4), list("wqztATCL").index(_letter(chunk.label))) for chunk in chunks]

    def _letter(label):
        return {"hTo4l": "A", "hToTauTau": "T", "hChToTauNu": "C", "leptoquark": "L"}.get(label, label[0])

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "generator_versions", lambda: {"pythia": "8", "fastjet": "3"})
    made = simulate_event_sample(1000, 300, seed=1)
    background = made.samples["background"][:, 0, 0]
    assert np.bincount(background.astype(int)).tolist() == list(made.composition.values()) == [592, 338, 67, 3]
    assert background.tolist() != sorted(background)
    for place, name in enumerate(SIGNAL_PROCESSES, start=4):
        assert made.samples[name].shape == (300, 19, 4)
        assert made.samples[name].dtype == np.float32
        assert (made.samples[name] == place).all()


def test_layout_of_the_file(tmp_path, sample):
    write_event_sample(tmp_path / "events.h5", sample)
    with h5py.File(tmp_path / "events.h5") as file:
        assert set(file) == set(NAMES)
        for name in NAMES:
            assert file[name].dtype == np.float32
            np.testing.assert_array_equal(file[name][:], sample.samples[name])
        assert dict(file["background"].attrs) == {"w": 4, "qcd": 3}
        assert file.attrs["columns"].tolist()[0] == "pT [GeV]"
        assert (file.attrs["source"], file.attrs["seed"]) == ("made up", 3)


def test_equal_samples_give_equal_bytes(tmp_path, sample):
    for name in ("first.h5", "second.h5"):
        write_event_sample(tmp_path / name, sample)
    assert (tmp_path / "first.h5").read_bytes() == (tmp_path / "second.h5").read_bytes()


@pytest.mark.slow
def test_the_file_does_not_depend_on_the_number_of_processes(tmp_path, monkeypatch):
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")
    monkeypatch.setattr(module, "SIGNAL_PROCESSES", ("hTo4l",))  # the others take longer and show no more
    for processes in (1, 2):
        made = simulate_event_sample(6, 3, seed=5, processes=processes)
        write_event_sample(tmp_path / f"{processes}.h5", made)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()
    with h5py.File(tmp_path / "1.h5") as file:
        assert file["background"].shape == (6, 19, 4)
        assert file.attrs["command"] == "python -m nanotrigger.simulate events --background 6 --signal 3 --seed 5"
        assert {"source", "seed", "pythia", "fastjet", "columns"} == set(file.attrs) - {"command"}


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"background": 0, "signal": 1, "seed": 1}, "background = 0"),
        ({"background": 1, "signal": 0, "seed": 1}, "signal = 0"),
        ({"background": 1, "signal": 1, "seed": -1}, "seed = -1"),
        ({"background": 1, "signal": 1, "seed": 1, "processes": 0}, "processes = 0"),
    ],
)
def test_numbers_out_of_range_are_named(numbers, message):
    with pytest.raises(InputError, match=message):
        simulate_event_sample(**numbers)
