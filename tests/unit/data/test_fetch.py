"""Fetching: scikit-learn against a stand-in for OpenML's server; whole files only, checked, resumable."""

import gzip
import hashlib
import io
import json
import sys
import zlib
from http.client import IncompleteRead
from urllib.error import URLError
from urllib.response import addinfourl

import numpy as np
import pytest
import sklearn.datasets._openml as openml

from nanotrigger.data.download import is_intact
from nanotrigger.data.fetch import CLASS_NAMES, fetch_jets, main
from nanotrigger.errors import InputError
from nanotrigger.tasks.jets.sample import read_jets

NAMES = ["zlogz", "mass_mmdt"]
ROWS = np.arange(40, dtype=np.float32).reshape(20, 2) / 7


class Server:
    """Answers what scikit-learn asks OpenML; `fail_on` breaks off at the address that holds that word."""

    def __init__(self, labels=None, fail_on=None):
        self.asked = []
        self.fail_on = fail_on
        labels = labels or [CLASS_NAMES[row % 5] for row in range(len(ROWS))]
        lines = ["@RELATION jets", *(f"@ATTRIBUTE {name} REAL" for name in NAMES)]
        lines += [f"@ATTRIBUTE class {{{','.join(sorted(set(labels)))}}}", "@DATA"]
        lines += [f"{a},{b},{label}" for (a, b), label in zip(ROWS.tolist(), labels, strict=True)]
        self.arff = "\n".join(lines).encode()

    def __call__(self, request, *args, **kwargs):
        url = request if isinstance(request, str) else request.full_url
        self.asked.append(url)
        if self.fail_on and self.fail_on in url:
            raise URLError("connection reset")
        body = self.arff if "download" in url else json.dumps(self.description(url)).encode()
        return addinfourl(io.BytesIO(gzip.compress(body)), {"Content-Encoding": "gzip"}, url, 200)

    def description(self, url):
        if "features" in url:
            targets = [*((name, "numeric", "false") for name in NAMES), ("class", "nominal", "true")]
            columns = [
                {"index": str(i), "name": name, "data_type": kind, "is_target": target}
                | {"is_ignore": "false", "is_row_identifier": "false", "number_of_missing_values": "0"}
                for i, (name, kind, target) in enumerate(targets)
            ]
            return {"data_features": {"feature": columns}}
        if "qualities" in url:
            return {"data_qualities": {"quality": [{"name": "NumberOfInstances", "value": str(len(ROWS))}]}}
        about = {"id": "42468", "name": "jets", "version": "1", "status": "active", "format": "ARFF", "file_id": "1"}
        about |= {"url": "https://www.openml.org/data/v1/download/1/jets.arff", "default_target_attribute": "class"}
        about |= {"md5_checksum": hashlib.md5(self.arff).hexdigest(), "description": ""}
        return {"data_set_description": about}


@pytest.fixture
def serve(monkeypatch):
    def start(**options):
        server = Server(**options)
        monkeypatch.setattr(openml, "urlopen", server)
        monkeypatch.setattr(openml.time, "sleep", lambda seconds: None)
        return server

    return start


def test_stores_the_jets_with_their_hash(tmp_path, serve, monkeypatch):
    serve()
    path = fetch_jets(tmp_path)
    assert is_intact(path)
    assert {file.name for file in tmp_path.iterdir()} == {"jets_openml.h5", "jets_openml.h5.sha256"}
    monkeypatch.setenv("NANOTRIGGER_DATA", str(tmp_path))
    sample = read_jets("auto")
    assert sample.source == "openml"
    np.testing.assert_array_equal(sample.features, ROWS)
    assert sample.labels.tolist() == [row % 5 for row in range(20)]
    assert sample.class_names == CLASS_NAMES
    assert sample.feature_names == tuple(NAMES)


def test_fetches_once(tmp_path, serve):
    serve()
    before = fetch_jets(tmp_path).read_bytes()
    server = serve(fail_on="openml")
    assert fetch_jets(tmp_path).read_bytes() == before
    assert not server.asked


def test_goes_on_where_it_was_interrupted(tmp_path, serve):
    serve(fail_on="download")
    with pytest.raises(InputError, match=r"no answer \(connection reset\); check the network and run again"):
        fetch_jets(tmp_path)
    assert not (tmp_path / "jets_openml.h5").exists()
    server = serve()
    assert is_intact(fetch_jets(tmp_path))
    assert all("download" in url for url in server.asked)  # the descriptions were kept


@pytest.mark.parametrize("error", [IncompleteRead(b"half"), EOFError("truncated"), zlib.error("bad block")])
def test_a_truncated_download_is_one_line(tmp_path, monkeypatch, error):
    def broken(**options):
        raise error

    monkeypatch.setattr("sklearn.datasets.fetch_openml", broken)
    with pytest.raises(InputError, match="run again with --force to start afresh"):
        fetch_jets(tmp_path)


def test_a_damaged_file_is_fetched_again(tmp_path, serve):
    serve()
    path = fetch_jets(tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    assert not is_intact(path)
    assert is_intact(fetch_jets(tmp_path))


def test_refuses_unknown_classes(tmp_path, serve):
    serve(labels=["g", "q", "t", "w", "higgs"] * 4)
    with pytest.raises(InputError, match=r"unknown classes \['higgs'\]; expected g, q, t, w, z"):
        fetch_jets(tmp_path)
    assert not (tmp_path / "jets_openml.h5").exists()


def test_the_command_says_in_one_line_what_is_wrong(tmp_path, serve, monkeypatch, capsys):
    serve(fail_on="openml")
    monkeypatch.setattr(sys, "argv", ["fetch", "jets", "--out", str(tmp_path)])
    assert main() == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: OpenML data set 42468: no answer")
    assert errors.count("\n") == 1
