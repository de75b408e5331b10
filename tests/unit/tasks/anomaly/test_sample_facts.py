"""The shipped sample of simulated collisions: layout, size, composition and the physics that must be in it."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from nanotrigger import data
from nanotrigger.files import sha256

SAMPLE = Path(data.__file__).parent / "samples" / "events.h5"
SIGNALS = ("hTo4l", "hToTauTau", "hChToTauNu", "leptoquark")
FILTERED = ("background", "hTo4l", "leptoquark")  # files of ADC2021 called lepFilter; the others have pile-up instead
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
    hard = events[:, [1, 5], 0].max(axis=1) > 23
    assert hard.all() if name in FILTERED else hard.mean() < 0.25  # few taus leave so hard a lepton
    for kind, least, reach in (("e/gamma", 3, 3.0), ("muon", 3, 2.1), ("jet", 15, 4.0)):
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
    leptons = (samples["background"][:, 1:9, 0] > 0).sum(axis=1)
    # Z is 6.7 % of the events, and gives two leptons where both are within the acceptance
    assert 0.01 < (leptons == 2).mean() < 0.067
    assert (leptons == 1).mean() > 0.93
    electrons, muons = present(samples["background"])[[1, 5]]
    assert electrons > muons > 0.7 * electrons  # W and Z give as many; muons reach |η| < 2.1 only, electrons 3
    assert 30 < mean_pt(samples["background"])[1] < 45  # half of the W's mass, or less from taus and beauty


def test_four_leptons_are_the_mark_of_the_neutral_scalar(samples):
    four = {name: ((events[:, 1:9, 0] > 0).sum(axis=1) == 4).mean() for name, events in samples.items()}
    assert four.pop("hTo4l") > 0.25 > 0.01 > max(four.values())


def test_neutrinos_show_as_missing_energy(samples):
    missing = {name: events[:, 0, 0].mean() for name, events in samples.items()}
    assert missing["hTo4l"] < 0.6 * missing["background"]
    assert min(missing[name] for name in ("hToTauTau", "hChToTauNu", "leptoquark")) > missing["background"]


def test_tops_leptoquarks_and_pileup_make_jets(samples):
    jets = {name: (events[:, 9:, 0] > 0).sum(axis=1).mean() for name, events in samples.items()}
    assert max(jets, key=jets.__getitem__) == "hChToTauNu"  # a top beside it, and pile-up
    assert jets["leptoquark"] > 2 * jets["background"]
    assert jets["hToTauTau"] > jets["hTo4l"]  # both from gluons, one with pile-up
