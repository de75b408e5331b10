"""Files of events: their layout, read block by block, and every kind of damage."""

import numpy as np
import pytest

from nanotrigger.data import particles
from nanotrigger.data.particles import FEATURE_NAMES, particle_sets, read_particles
from nanotrigger.errors import InputError
from tests.made_events import make_events, write_events


def changed(place: tuple, value: float, count: int = 20) -> np.ndarray:
    events = make_events(count)
    events[place] = value
    return events


def test_features_are_named():
    assert len(FEATURE_NAMES) == 57
    assert FEATURE_NAMES[:4] == ("met_pt", "met_eta", "met_phi", "egamma_1_pt")
    assert (FEATURE_NAMES[15], FEATURE_NAMES[27], FEATURE_NAMES[-1]) == ("muon_1_pt", "jet_1_pt", "jet_10_phi")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_reads_momenta_and_angles(tmp_path, kind):
    events = make_events(20).astype(kind)
    found = read_particles(write_events(tmp_path / "a.h5", Particles=events))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.reshape(20, 19, 3), events[:, :, :3])


@pytest.mark.parametrize("block", [1, 7, 20, 21])
def test_blocks_change_nothing(tmp_path, monkeypatch, block):
    path = write_events(tmp_path / "a.h5", Particles=make_events(20))
    whole = read_particles(path)
    monkeypatch.setattr(particles, "_BLOCK", block)
    np.testing.assert_array_equal(read_particles(path), whole)


def test_finds_the_data_sets_that_hold_events(tmp_path):
    sets = {"background": make_events(5), "hTo4l": make_events(3), "empty": make_events(0), "labels": np.arange(5)}
    path = write_events(tmp_path / "a.h5", **sets)
    assert particle_sets(path) == {"background": 5, "hTo4l": 3}
    assert read_particles(path, "hTo4l").shape == (3, 57)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (changed((7, 2, 1), np.nan), "Particles[7, 2, 1] is nan; remove such events"),
        (changed((13, 0, 0), np.inf), "Particles[13, 0, 0] is inf; remove such events"),
        (changed((3, 9, 3), 2), "Particles[3, 9] is of type 2, where jet_1 of type 4 is expected; types are 1 MET"),
        (changed((12, 0, 3), 1.5), "Particles[12, 0] is of type 1.5, where met of type 1 is expected"),
        (changed((..., 3), 0), "Particles has no types of objects in its last column; it is not in ADC2021's layout"),
        (changed((6, 0, 3), 0), "Particles[6, 0] has a pT and no type; use ADC2021's layout"),
        (np.full((4, 19, 4), b"jet"), "Particles holds |S3, no numbers"),
    ],
)
@pytest.mark.parametrize("block", [5, 100])
def test_names_the_event_that_is_wrong(tmp_path, monkeypatch, events, message, block):
    monkeypatch.setattr(particles, "_BLOCK", block)
    path = write_events(tmp_path / "bad.h5", Particles=events)
    with pytest.raises(InputError) as caught:
        read_particles(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({}, "has no data set; events are a data set Particles of shape (events, 19, 4)"),
        ({"Particles": np.zeros((5, 20, 4))}, "has Particles (5, 20, 4); events are a data set Particles of shape"),
        ({"Particles": make_events(0)}, "has Particles (0, 19, 4); events are"),
        ({"X": np.zeros((5, 16)), "y": np.zeros(5)}, "has X (5, 16), y (5,); events are"),
    ],
)
def test_other_content_is_named(tmp_path, sets, message):
    path = write_events(tmp_path / "other.h5", **sets)
    with pytest.raises(InputError) as caught:
        particle_sets(path)
    assert str(caught.value).startswith(f"{path} {message}")


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    with pytest.raises(InputError, match=r"a\.h5: no such file; give an HDF5 file"):
        particle_sets(path)
    whole = write_events(path, Particles=make_events(50)).read_bytes()
    for content, reason in (
        (whole[: len(whole) // 2], "not a readable HDF5 file"),
        (b"", "an empty file; fetch or write it again"),
        (b"\n <!DOCTYPE html><title>502", "not a readable HDF5 file (an HTML page, probably a server's error); fetch"),
        (b"<HTML>", "not a readable HDF5 file (an HTML page"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            read_particles(path)
        assert str(caught.value).startswith(f"{path}: {reason}")
        assert "\n" not in str(caught.value)
