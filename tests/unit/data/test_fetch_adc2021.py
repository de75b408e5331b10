"""Fetching ADC2021 from a stand-in for Zenodo: only what is asked for, whole files only, resumed."""

import sys
from dataclasses import replace
from functools import partial

import pytest

from nanotrigger.data import fetch
from nanotrigger.data.download import is_intact
from nanotrigger.errors import InputError
from nanotrigger.files import sha256

SIGNAL = "Ato4l_lepFilter_13TeV.h5"


def get(zenodo, folder, *samples, **options):
    return fetch.fetch_adc2021(folder, samples or ("Ato4l",), server=zenodo.address, **options)


def test_fetches_only_what_is_asked_for_with_its_hash(tmp_path, zenodo):
    paths = get(zenodo, tmp_path, "Ato4l", "leptoquark")
    assert [path.name for path in paths] == [SIGNAL, "leptoquark_LOWMASS_lepFilter_13TeV.h5"]
    for path in paths:
        assert path.read_bytes() == zenodo.contents[path.name]
        assert is_intact(path)
    hashes = [f"{path.name}.sha256" for path in paths]
    assert {file.name for file in (tmp_path / "adc2021").iterdir()} == {path.name for path in paths} | set(hashes)


def test_a_complete_file_is_never_fetched_again(tmp_path, zenodo):
    get(zenodo, tmp_path)
    zenodo.asked.clear()
    get(zenodo, tmp_path)
    assert not zenodo.asked


def test_a_file_put_there_by_hand_is_checked_and_kept(tmp_path, zenodo):
    (tmp_path / "adc2021").mkdir()
    (tmp_path / "adc2021" / SIGNAL).write_bytes(zenodo.contents[SIGNAL])
    (path,) = get(zenodo, tmp_path)
    assert is_intact(path)
    assert len(zenodo.asked) == 1  # the record


def test_goes_on_where_the_line_broke(tmp_path, zenodo):
    zenodo.breaks_after = 100_000
    with pytest.raises(InputError, match=f"{SIGNAL}: .*; check the network and run again to go on"):
        get(zenodo, tmp_path)
    (partial,) = (tmp_path / "adc2021").iterdir()
    assert partial.name == f"{SIGNAL}.part"
    received = partial.stat().st_size
    assert 0 < received <= 100_000
    zenodo.breaks_after = None
    (path,) = get(zenodo, tmp_path)
    assert path.read_bytes() == zenodo.contents[SIGNAL]
    assert zenodo.asked[-1][1] == f"bytes={received}-"
    assert not partial.exists()


@pytest.mark.parametrize("damage", [b"other bytes" * 10, b"x" * 100])
def test_a_damaged_file_is_fetched_again(tmp_path, zenodo, damage):
    (path,) = get(zenodo, tmp_path)
    path.write_bytes(damage)
    assert get(zenodo, tmp_path) == [path]
    assert path.read_bytes() == zenodo.contents[SIGNAL]


def test_force_fetches_again_and_keeps_the_old_file_until_then(tmp_path, zenodo):
    (path,) = get(zenodo, tmp_path)
    zenodo.breaks_after = 10
    with pytest.raises(InputError):
        get(zenodo, tmp_path, force=True)
    assert is_intact(path)
    zenodo.breaks_after = None
    zenodo.asked.clear()
    get(zenodo, tmp_path, force=True)
    assert len(zenodo.asked) == 2
    assert is_intact(path)
    assert len(list(path.parent.iterdir())) == 2


def test_another_content_than_the_record_says_is_refused(tmp_path, zenodo):
    zenodo.md5[SIGNAL] = "0" * 32
    with pytest.raises(InputError, match="does not match the MD5 of Zenodo 5046446; run again"):
        get(zenodo, tmp_path)
    assert not list((tmp_path / "adc2021").iterdir())


def test_a_web_page_in_place_of_the_file_is_refused(tmp_path, zenodo):
    zenodo.page = b"<html>We are down for maintenance</html>"
    with pytest.raises(InputError, match="the server sent a web page instead of the file; try again later"):
        get(zenodo, tmp_path)
    assert not list((tmp_path / "adc2021").iterdir())


@pytest.mark.parametrize("record", [[], {}, {"files": [{"key": SIGNAL}]}, {"files": 3}])
def test_a_record_of_another_form_is_refused(tmp_path, zenodo, monkeypatch, record):
    monkeypatch.setattr(zenodo, "record", lambda number: record)
    with pytest.raises(InputError, match="api/records/5046446: the server sent no record; try again later"):
        get(zenodo, tmp_path)


def test_a_record_without_the_file_names_what_it_has(tmp_path, zenodo, monkeypatch):
    other = zenodo.record("5046389")
    monkeypatch.setattr(zenodo, "record", lambda number: other)
    with pytest.raises(InputError, match=rf"no file {SIGNAL}, only background_for_training.h5"):
        get(zenodo, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--samples", "Ato4l,higgs"], 200, "samples higgs: unknown; choose from background, Ato4l"),
        (["--samples", "Ato4l"], 503, "the server answers 503 Service Unavailable; try again later"),
        (["--samples", ""], 200, "samples (none): unknown; choose from"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(tmp_path, zenodo, monkeypatch, capsys, arguments, status, message):
    zenodo.status = status
    assert run(zenodo, monkeypatch, *arguments, "--out", str(tmp_path)) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_command_prints_each_file_with_its_hash(tmp_path, zenodo, monkeypatch, capsys):
    assert run(zenodo, monkeypatch, "--samples", "hToTauTau,hChToTauNu", "--out", str(tmp_path)) == 0
    lines = capsys.readouterr().out.splitlines()
    names = ["hToTauTau_13TeV_PU20.h5", "hChToTauNu_13TeV_PU20.h5"]
    paths = [tmp_path / "adc2021" / name for name in names]
    assert lines == [f"{path}  sha256 {sha256(path)}" for path in paths]


def run(zenodo, monkeypatch, *arguments):
    """Run the command line against the stand-in and return its exit code."""
    there = replace(fetch.DATA_SETS["adc2021"], fetch=partial(fetch.fetch_adc2021, server=zenodo.address))
    monkeypatch.setitem(fetch.DATA_SETS, "adc2021", there)
    monkeypatch.setattr(sys, "argv", ["fetch", "adc2021", *arguments])
    return fetch.main()
