"""Plugin of pytest for hls4ml's own tests: compiles oneAPI projects as Nanotrigger does where there is no icpx.

Runs in an environment of its own, made by benchmarks/training.py. Each line of the file that RESULTS names is a JSON
list of a test's name, its outcome and the cause of a failure: one for every test first, and another for how it ended.
"""

import json
import os
import re
from pathlib import Path

import pytest
from hls4ml.backends.oneapi.oneapi_backend import OneAPIBackend
from hls4ml.model import ModelGraph

from nanotrigger.firmware.backends.oneapi.emulate import compile_library


def compiled(backend: OneAPIBackend, model: ModelGraph) -> Path:
    """Compile a project that hls4ml wrote; return the library, in a folder that is called by the project's stamp."""
    project = Path(model.config.get_output_dir()).resolve()
    build = project / "build" / model.config.get_config_value("Stamp")
    build.mkdir(parents=True, exist_ok=True)  # a project that is linked is compiled again
    return compile_library(project, model.config.get_project_name(), build, "g++")


OneAPIBackend.compile = compiled


def pytest_collection_finish(session: pytest.Session) -> None:
    for item in session.items:
        _write(item.nodeid, "ended", "the process ended before it")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _write(report.nodeid, "failed", _cause(report))
    elif report.skipped:
        _write(report.nodeid, "skipped", str(report.longrepr[-1]))
    elif report.when == "call":
        _write(report.nodeid, "passed", "")


def _cause(report: pytest.TestReport) -> str:
    """Return the line of a failure that says most: the compiler's first error, or else the innermost exception."""
    lines = [line.strip() for line in report.longrepr.reprcrash.message.strip().splitlines()]
    innermost = [line for line in lines if re.match(r"\w+Error: ", line)]
    return next((line for line in lines if "error: " in line), (innermost or lines[:1])[-1])


def _write(*result: str) -> None:
    with Path(os.environ["RESULTS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")
