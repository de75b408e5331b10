"""Fetching the CMS Level-1 set from a stand-in for Zenodo: what there is to fetch is what the record says."""

import sys
from dataclasses import replace
from functools import partial

import pytest

from nanotrigger.data import fetch
from nanotrigger.data.download import is_intact
from nanotrigger.errors import InputError

NAMES = ["train.tar", "test.tar", "README.md"]


@pytest.fixture
def record(zenodo, monkeypatch):
    """The stand-in, whose record has two archives and a text."""
    for name in NAMES:
        zenodo.add(name)
    number = str(fetch.CMS_L1_RECORD)
    monkeypatch.setattr(zenodo, "record", lambda asked: {"id": int(asked), "files": zenodo.files(number, NAMES)})
    return zenodo


def test_fetches_what_is_asked_for_with_its_hash(tmp_path, record):
    (path,) = fetch.fetch_cms_l1(tmp_path, ["test"], server=record.address)
    assert path == tmp_path / "cms_l1" / "test.tar"
    assert path.read_bytes() == record.contents["test.tar"]
    assert is_intact(path)
    assert {file.name for file in path.parent.iterdir()} == {"test.tar", "test.tar.sha256"}


def test_fetches_all_data_and_no_texts(tmp_path, record):
    paths = fetch.fetch_cms_l1(tmp_path, server=record.address)
    assert [path.name for path in paths] == ["train.tar", "test.tar"]
    record.asked.clear()
    assert fetch.fetch_cms_l1(tmp_path, server=record.address) == paths
    assert len(record.asked) == 1  # for the names


def test_goes_on_where_the_line_broke(tmp_path, record):
    record.breaks_after = 100_000
    with pytest.raises(InputError, match=r"test.tar: .*; check the network and run again to go on"):
        fetch.fetch_cms_l1(tmp_path, ["test"], server=record.address)
    record.breaks_after = None
    (path,) = fetch.fetch_cms_l1(tmp_path, ["test"], server=record.address)
    assert path.read_bytes() == record.contents["test.tar"]
    assert record.asked[-1][1] not in (None, "bytes=0-")


def test_another_content_than_the_record_says_is_refused(tmp_path, record):
    record.md5["test.tar"] = "0" * 32
    with pytest.raises(InputError, match=f"test.tar: does not match the MD5 of Zenodo {fetch.CMS_L1_RECORD}"):
        fetch.fetch_cms_l1(tmp_path, ["test"], server=record.address)


@pytest.mark.parametrize(
    ("samples", "status", "message"),
    [
        ("test,tset", 200, f"samples tset: unknown; Zenodo {fetch.CMS_L1_RECORD} has train, test\n"),
        ("README", 200, "samples README: unknown"),
        ("", 200, "samples (none): unknown"),
        ("test", 404, "the server answers 404 Not Found; try again later"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(tmp_path, record, monkeypatch, capsys, samples, status, message):
    record.status = status
    there = replace(fetch.DATA_SETS["cms_l1"], fetch=partial(fetch.fetch_cms_l1, server=record.address))
    monkeypatch.setitem(fetch.DATA_SETS, "cms_l1", there)
    monkeypatch.setattr(sys, "argv", ["fetch", "cms_l1", "--samples", samples, "--out", str(tmp_path)])
    assert fetch.main() == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())
