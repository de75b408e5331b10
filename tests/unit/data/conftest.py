"""A stand-in for Zenodo on this machine: records, files, ranges, and every way to fail."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nanotrigger.data.fetch import ADC2021_FILES

RECORDS = {str(source.record): source.name for source in ADC2021_FILES.values()}


class Zenodo(ThreadingHTTPServer):
    """Serves files of 300 kB that differ; `breaks_after` bytes the line goes dead."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked = []  # path and range of each request
        self.breaks_after = None
        self.page = None  # sent with status 200 in place of every file
        self.ranges = True
        self.status = 200
        self.contents = {}
        self.md5 = {}
        for name in RECORDS.values():
            self.add(name)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, name):
        self.contents[name] = name.encode() * (300_000 // len(name))
        self.md5[name] = hashlib.md5(self.contents[name]).hexdigest()

    def record(self, number):
        return {"id": int(number), "files": self.files(number, [RECORDS[number]])}

    def files(self, number, names):
        """What a record says of its files."""
        return [
            {"key": name, "size": len(self.contents[name]), "checksum": f"md5:{self.md5[name]}"}
            | {"links": {"self": f"{self.address}/api/records/{number}/files/{name}/content"}}
            for name in names
        ]


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        words = self.path.split("/")
        self.server.asked.append((self.path, self.headers.get("Range")))
        if self.server.status != 200:
            self.send_error(self.server.status)
        elif "files" not in words:
            self._send(json.dumps(self.server.record(words[3])).encode(), "application/json")
        elif self.server.page:
            self._send(self.server.page, "text/html; charset=utf-8")
        else:
            self._send_file(self.server.contents[words[5]])

    def _send_file(self, content):
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.ranges else None
        self._send(content[start or 0 :], "application/octet-stream", start, len(content))

    def _send(self, body, kind, start=None, total=None):
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(body if total is None else body[: self.server.breaks_after])

    def log_message(self, *words):
        pass


@pytest.fixture
def zenodo(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Zenodo() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
