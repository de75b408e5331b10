"""Every command of the documents but those of train.py and export.py: its arguments are taken, its files are there.

Each is run up to the point where its work begins; `test_documentation.py` does so for trainings and exports.
"""

import argparse
import importlib
import itertools
import re
import runpy
import shlex
import sys
import tomllib

import pytest

from nanotrigger.cli import main, scan, scanning
from tests.command import ROOT

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "checkpoints/reference/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
    *sorted((ROOT / "src").rglob("*.md")),
]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
LEFT_UNSAID = {  # where a sentence names a command
    "simulate": ["--out", "FILE"],
    "benchmarks/training.py": ["--jets", "FILE", "--events", "FILE"],
}
OURS = re.compile(r"(checkpoints/reference|configs|docs|benchmarks|src|tests)/")


def calls(pattern: str) -> list[str]:
    """Return what matches, each once, as a shell would read it; elisions and placeholders in <> left out."""
    found = {" ".join(words.split()) for words in re.findall(pattern + r"[^`#|\"\n\\;&)]*", TEXT)}
    return sorted(words for words in found if not re.search("…|<[a-z]+>", words))


def words_of(call: str) -> list[str]:
    """Return the words of a call, with `{a,b}` as a shell writes it out."""
    words = []
    for word in shlex.split(call):
        parts = [part.split(",") for part in re.split(r"\{([^{}]*,[^{}]*)\}", word)[1::2]]
        form = re.sub(r"\{[^{}]*,[^{}]*\}", "{}", word)
        words += [form.format(*chosen) for chosen in itertools.product(*parts)] if parts else [word]
    return words


class Parsed(BaseException):
    """Raised where work would begin."""


@pytest.fixture
def parsed(monkeypatch):
    """Stop whoever has parsed arguments."""
    for name in ("parse_args", "parse_intermixed_args"):
        method = getattr(argparse.ArgumentParser, name)

        def parse(*arguments, method=method, **keywords):
            method(*arguments, **keywords)
            raise Parsed

        monkeypatch.setattr(argparse.ArgumentParser, name, parse)


def check(call: str, run, monkeypatch) -> None:
    """Call `run` with the arguments of a call; what it names of ours must be there."""
    words = words_of(call)
    words += next((more for name, more in LEFT_UNSAID.items() if name in words[0] or name in words[:2]), [])
    monkeypatch.setattr(sys, "argv", words)
    for word in words[1:]:
        path = word.partition("=")[2] or word
        made_of = re.sub("_export$", ".ckpt", path)  # in the documents, an export of a reference checkpoint
        assert not OURS.match(path) or (ROOT / path).exists() or (ROOT / made_of).is_file(), path
    with pytest.raises(Parsed):
        run()


MODULES = calls(r"python -m (?=nanotrigger\.|tests\.)")
COMMANDS = calls(r"nanotrigger (?=(?:verify|overlay|fetch|simulate) [\w{-])")
SCRIPTS = calls(r"python (?=(?:docs|benchmarks)/)")
SCANS = calls(r"(?:python scan\.py|nanotrigger scan) (?=\w+[.\w,]*=)")


@pytest.mark.parametrize("call", MODULES)
def test_modules(call, parsed, monkeypatch):
    name = words_of(call)[2]
    package = ROOT.joinpath("src" if name.startswith("nanotrigger") else "", *name.split("."))
    module = importlib.import_module(f"{name}.__main__" if package.is_dir() else name)
    if len(words_of(call)) > 3:  # else it is the name of a module in a sentence
        check(call.removeprefix("python -m "), module.main, monkeypatch)


@pytest.mark.parametrize("call", COMMANDS)
def test_commands(call, parsed, monkeypatch):
    check(call, main.main, monkeypatch)


@pytest.mark.parametrize("call", SCRIPTS)
def test_scripts(call, parsed, monkeypatch):
    path, *arguments = words_of(call)[1:]
    monkeypatch.syspath_prepend(ROOT / "benchmarks")  # they import each other
    assert (ROOT / path).is_file()
    if arguments:
        check(call.removeprefix("python "), runpy.run_path(str(ROOT / path))["main"], monkeypatch)


@pytest.mark.parametrize("call", SCANS)
def test_scans(call, monkeypatch):
    def begin(plan, settings, configs):
        assert plan.samples or plan.contest
        raise Parsed

    monkeypatch.setattr(scanning, "run_scan", begin)
    words = call.replace("RUN/best.ckpt", str(ROOT / "checkpoints" / "reference" / "jets_float.ckpt"))
    words = words.removeprefix("python ").removeprefix("nanotrigger ")
    check(words, lambda: scan.main(ROOT), monkeypatch)


def test_make_and_pip():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:^    |`)make ([a-z]+)", TEXT, re.MULTILINE)) <= set(targets)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    wanted = re.findall(r"pip install [^`\n]*?(?:nanotrigger|\.)\[([\w,]+)\]", TEXT)
    assert wanted
    assert set(",".join(wanted).split(",")) <= set(extras)


def test_there_are_some():
    for found, least in ((MODULES, 25), (COMMANDS, 1), (SCRIPTS, 10), (SCANS, 10)):
        assert len(found) >= least
