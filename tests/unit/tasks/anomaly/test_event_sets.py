"""Which data sets of which files are background, and which are signals."""

import pytest

from nanotrigger.errors import InputError
from nanotrigger.tasks.anomaly import data as events
from nanotrigger.tasks.anomaly.data import describe_events, event_sets, events_path, resolve_events
from tests.made_events import make_events, write_events

FIVE = make_events(5)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What `fetch` leaves, without the background."""
    monkeypatch.setenv("NANOTRIGGER_DATA", str(tmp_path))
    folder = tmp_path / "adc2021"
    folder.mkdir()
    for name in ("Ato4l_lepFilter_13TeV", "hChToTauNu_13TeV_PU20"):
        write_events(folder / f"{name}.h5", Particles=FIVE)
    return folder


def names(sets) -> dict[str, str]:
    return {name: f"{path.name}/{data}" for name, (path, data) in sets.items()}


def test_background_and_signals_in_one_file(tmp_path):
    path = write_events(tmp_path / "all.h5", Ato4l=FIVE, background=FIVE, leptoquark=FIVE)
    found = names(event_sets(str(path)))
    assert list(found) == ["background", "Ato4l", "leptoquark"]
    assert found["leptoquark"] == "all.h5/leptoquark"
    assert list(event_sets(str(path), [])) == ["background"]


def test_signals_in_files_of_their_own(tmp_path, folder):
    path = write_events(tmp_path / "mine.h5", Particles=FIVE)
    both = write_events(tmp_path / "both.h5", x=FIVE, y=FIVE)
    assert names(event_sets(str(path))) == {"background": "mine.h5/Particles"}
    signals = [str(folder / "Ato4l_lepFilter_13TeV.h5"), str(both)]
    assert names(event_sets(str(path), signals)) == {
        "background": "mine.h5/Particles",
        "Ato4l": "Ato4l_lepFilter_13TeV.h5/Particles",
        "x": "both.h5/x",
        "y": "both.h5/y",
    }


def test_adc2021_has_its_signals_beside_it(folder):
    assert resolve_events("auto") == "simulated"
    with pytest.raises(InputError, match="data.source=adc2021: no file .*; run python -m nanotrigger.data.fetch adc20"):
        event_sets("adc2021")
    write_events(folder / "background_for_training.h5", Particles=FIVE)
    assert resolve_events("auto") == "adc2021"
    assert list(event_sets("auto")) == ["background", "Ato4l", "hChToTauNu"]
    assert list(event_sets("adc2021", [])) == ["background"]
    assert describe_events("auto") == "ADC2021 (Zenodo 5046389)"


def test_the_shipped_sample(monkeypatch, tmp_path):
    monkeypatch.setattr(events, "SHIPPED_SAMPLE", tmp_path / "sample.h5")
    assert events_path("simulated") == tmp_path / "sample.h5"
    assert describe_events("simulated").startswith("Simulated events")
    assert describe_events("some/mine.h5") == "mine.h5"


def test_refuses_what_is_ambiguous_or_missing(tmp_path, folder):
    path = str(write_events(tmp_path / "mine.h5", background=FIVE, Ato4l=FIVE))
    ato4l = str(folder / "Ato4l_lepFilter_13TeV.h5")
    again = str(write_events(tmp_path / "Ato4l.h5", Particles=FIVE))
    with pytest.raises(InputError, match=r"data.signals: .*Ato4l.h5 and .*Ato4l_lepFilter_13TeV.h5 both have Ato4l"):
        event_sets(path, [ato4l, again])
    with pytest.raises(InputError, match="mine.h5 both have background; leave one out"):
        event_sets(path, [path])
    with pytest.raises(InputError, match="nowhere.h5: no such file"):
        event_sets(path, ["nowhere.h5"])
    lonely = write_events(tmp_path / "lonely.h5", Ato4l=FIVE)
    with pytest.raises(
        InputError, match="lonely.h5 has the events Ato4l; background is called background or Particles"
    ):
        event_sets(str(lonely))
