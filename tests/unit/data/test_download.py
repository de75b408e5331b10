"""The downloader alone: what it keeps, what it asks for, and servers that do not know ranges."""

import pytest
import requests

from nanotrigger.data.download import ResumingDownloader
from nanotrigger.errors import InputError

NAME = "Ato4l_lepFilter_13TeV.h5"


@pytest.fixture
def url(zenodo):
    return f"{zenodo.address}/api/records/5046446/files/{NAME}/content"


def download(url, folder, size):
    ResumingDownloader(folder / "events.part", size=size)(url, str(folder / "events.h5"), None)
    return (folder / "events.h5").read_bytes()


def test_downloads(tmp_path, zenodo, url):
    content = zenodo.contents[NAME]
    assert download(url, tmp_path, len(content)) == content
    assert [path.name for path in tmp_path.iterdir()] == ["events.h5"]


@pytest.mark.parametrize("ranges", [True, False])
def test_goes_on_or_starts_anew_if_the_server_does_not_know_ranges(tmp_path, zenodo, url, ranges):
    content = zenodo.contents[NAME]
    zenodo.ranges = ranges
    (tmp_path / "events.part").write_bytes(content[:777])
    assert download(url, tmp_path, len(content)) == content
    assert zenodo.asked == [(url.removeprefix(zenodo.address), "bytes=777-")]


def test_a_finished_part_needs_no_server(tmp_path, zenodo, url):
    (tmp_path / "events.part").write_bytes(b"all of it")
    assert download(url, tmp_path, 9) == b"all of it"
    assert not zenodo.asked


def test_a_part_that_is_too_long_is_thrown_away(tmp_path, zenodo, url):
    content = zenodo.contents[NAME]
    (tmp_path / "events.part").write_bytes(b"x" * (len(content) + 1))
    assert download(url, tmp_path, len(content)) == content


def test_a_line_that_breaks_leaves_the_part(tmp_path, zenodo, url):
    zenodo.breaks_after = 100_000
    with pytest.raises(requests.RequestException):
        download(url, tmp_path, len(zenodo.contents[NAME]))
    part = (tmp_path / "events.part").read_bytes()
    assert part
    assert zenodo.contents[NAME].startswith(part)
    assert not (tmp_path / "events.h5").exists()


def test_a_shorter_answer_than_announced_by_the_record_is_named(tmp_path, zenodo, url):
    size = len(zenodo.contents[NAME])
    with pytest.raises(InputError, match=f"broke off after {size} of {size + 5} bytes; run again to go on from there"):
        download(url, tmp_path, size + 5)
