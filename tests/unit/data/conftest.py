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
        self.contents = {name: name.encode() * (300_000 // len(name)) for name in RECORDS.values()}
        self.md5 = {name: hashlib.md5(content).hexdigest() for name, content in self.contents.items()}

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def record(self, number):
        name = RECORDS[number]
        link = f"{self.address}/api/records/{number}/files/{name}/content"
        file = {"key": name, "size": len(self.contents[name]), "checksum": f"md5:{self.md5[name]}"}
        return {"id": int(number), "files": [file | {"links": {"self": link}}]}


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
