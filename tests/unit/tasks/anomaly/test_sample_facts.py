"""The shipped sample of simulated collisions: layout, size, composition and the physics that must be in it."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from nanotrigger import data
from nanotrigger.files import sha256

SAMPLE = Path(data.__file__).parent / "samples" / "events.h5"
SIGNALS = ("hTo4l", "hToTauTau", "hChToTauNu", "leptoquark")
KINDS = {"MET": (slice(0, 1), 1), "e/gamma": (slice(1, 5), 2), "muon": (slice(5, 9), 3), "jet": (slice(9, 19), 4)}


@pytest.fixture(scope="module")
def samples():
    with h5py.File(SAMPLE) as file:
        return {name: file[name][:] for name in file}


@pytest.fixture(scope="module")
def attributes():
    with h5py.File(SAMPLE) as file:
        return dict(file.attrs), {name: int(count) for name, count in file["background"].attrs.items()}


def present(events):
    """How often each of the 19 objects is there."""
    return (events[..., 0] > 0).mean(axis=0)


def mean_pt(events):
    """Mean transverse momentum of each of the 19 objects where it is there, in GeV."""
    return events[..., 0].sum(axis=0) / np.maximum((events[..., 0] > 0).sum(axis=0), 1)


def test_layout_and_size(samples):
    assert SAMPLE.stat().st_size <= 4_000_000
    assert {name: events.shape for name, events in samples.items()} == {
        "background": (24_000, 19, 4),
        **dict.fromkeys(SIGNALS, (1_500, 19, 4)),
    }
    assert {events.dtype for events in samples.values()} == {np.dtype(np.float32)}


def test_provenance_and_composition(attributes):
    whole, background = attributes
    assert whole["command"] == "python -m nanotrigger.simulate events --background 24000 --signal 1500 --seed 1"
    assert "not the data of ADC2021" in whole["source"]
    assert {"seed", "pythia", "fastjet", "columns"} <= set(whole)
    assert background == {"w": 14_208, "qcd": 8_112, "z": 1_608, "tt": 72}


def test_it_is_the_one_that_its_readme_describes():
    assert sha256(SAMPLE) in SAMPLE.with_name("README.md").read_text()


@pytest.mark.parametrize("name", ["background", *SIGNALS])
def test_objects_are_typed_ordered_and_padded_with_zeros(samples, name):
    events = samples[name]
    assert np.isfinite(events).all()
    assert (np.abs(events[..., 2]) <= np.float32(np.pi)).all()
    assert (events[:, 0, 1] == 0).all()
    for rows, kind in KINDS.values():
        objects = events[:, rows]
        there = objects[..., 3] == kind
        assert not objects[~there].any()
        assert (np.diff(objects[..., 0], axis=1) <= 0).all()
        assert (np.diff(there.astype(int), axis=1) <= 0).all()


@pytest.mark.parametrize("name", ["background", *SIGNALS])
def test_filter_and_acceptance(samples, name):
    events = samples[name]
    assert (events[:, [1, 5], 0].max(axis=1) > 23).all()
    for kind, least, reach in (("e/gamma", 3, 3.0), ("muon", 3, 2.4), ("jet", 15, 4.0)):
        objects = events[:, KINDS[kind][0]]
        assert objects[objects[..., 3] > 0][:, 0].min() >= least
        assert np.abs(objects[..., 1]).max() <= reach


def test_no_event_occurs_twice(samples):
    for events in samples.values():
        assert len(np.unique(events, axis=0)) == len(events)


def test_the_background_is_shuffled(samples):
    # W alone makes missing energy: in every part of the file there must be as much of it.
    parts = samples["background"][:, 0, 0].reshape(8, 3_000)
    assert np.ptp(parts.mean(axis=1)) < 3


def test_background_is_mostly_w_with_one_lepton(samples):
    # the numbers are those of another simulation of the same processes: 98,000 events, photons not merged
    found = present(samples["background"])
    assert found[1:5] == pytest.approx([0.79, 0.50, 0.38, 0.32], abs=0.05)
    assert found[5:7] == pytest.approx([0.33, 0.02], abs=0.03)
    assert found[9:13] == pytest.approx([1.0, 0.69, 0.43, 0.25], abs=0.06)
    assert mean_pt(samples["background"])[[0, 1, 5, 9]] == pytest.approx([27.8, 32.6, 36.8, 75.8], rel=0.15)


def test_four_leptons_are_the_mark_of_the_neutral_scalar(samples):
    leptons = {name: (events[:, 1:9, 0] > 3).sum(axis=1).mean() for name, events in samples.items()}
    two_muons = {name: present(events)[6] for name, events in samples.items()}
    assert leptons["hTo4l"] > 1.5 * leptons["background"]
    assert two_muons["hTo4l"] > 0.5 > 0.2 > max(share for name, share in two_muons.items() if name != "hTo4l")


def test_neutrinos_show_as_missing_energy(samples):
    missing = {name: events[:, 0, 0].mean() for name, events in samples.items()}
    assert missing["hTo4l"] < 0.6 * missing["background"]
    assert min(missing["hToTauTau"], missing["leptoquark"]) > missing["background"]
    # multijets have no leptons at all: e/gamma without missing energy, against one lepton of a charged scalar
    events = samples["background"]
    multijets = events[(events[:, 1, 0] > 0) & (events[:, 10, 0] > 60) & (events[:, 5, 0] == 0)]
    assert missing["hChToTauNu"] > 1.3 * multijets[:, 0, 0].mean()


def test_leptoquarks_make_jets(samples):
    jets = {name: (events[:, 9:, 0] > 0).sum(axis=1).mean() for name, events in samples.items()}
    assert jets["leptoquark"] == max(jets.values())
    assert jets["leptoquark"] > 1.3 * jets["background"]
    assert jets["hChToTauNu"] < jets["background"]
