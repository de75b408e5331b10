"""The recipes of docs/own_data.md: each writes its file, and its command reads it."""

import re
import runpy
import shlex
import sys

import pytest

from nanotrigger.cli.arguments import train_arguments
from nanotrigger.cli.training import CheckCLI, train
from tests.command import ROOT

TEXT = (ROOT / "docs" / "own_data.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, flags=re.DOTALL))
COMMANDS = re.findall(r"^    nanotrigger train (.*data\.source=(?:events|own).*)", TEXT, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files of all recipes."""
    folder = tmp_path_factory.mktemp("own_data")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        for name, script in SCRIPTS.items():
            (folder / name).write_text(script, encoding="utf-8")
        for name in SCRIPTS:
            runpy.run_path(name)
        sys.modules.pop("events")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(folder, monkeypatch, command):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["nanotrigger"])
    made = train(train_arguments(shlex.split(command)), cli=CheckCLI)
    made.datamodule.setup()
    made.datamodule.check_network(made.model.network.shape, made.model.network.outputs)
    assert len(made.datamodule.sample.labels) == 3000


def test_there_is_one_for_each_kind():
    assert len(COMMANDS) == len(SCRIPTS) - 1 == 5
    assert all(len(script.splitlines()) <= 10 for script in SCRIPTS.values())
