"""What `make demo` does: the training's arguments are the user's, the export is of its best checkpoint."""

import runpy
import subprocess
import sys

import pytest

from nanotrigger.cli import export, train
from tests.command import ROOT


@pytest.mark.parametrize(("trained", "calls", "code"), [(0, ["train.py", "export.py"], 1), (2, ["train.py"], 2)])
def test_trains_and_exports(monkeypatch, capsys, trained, calls, code):
    seen = []

    def call(result):
        return lambda *_: seen.append(list(sys.argv)) or result

    monkeypatch.setattr(train, "main", call(trained))
    monkeypatch.setattr(export, "main", call(1))
    monkeypatch.setattr(sys, "argv", ["demo.py", "experiment=jets_qat", "output=RUN"])
    assert runpy.run_path(str(ROOT / "docs" / "demo.py"))["main"]() == code
    expected = [["train.py", "experiment=jets_qat", "output=RUN"], ["export.py", "ckpt=RUN/best.ckpt"]][: len(calls)]
    assert seen == expected
    assert capsys.readouterr().out.splitlines() == [f"python {' '.join(words)}" for words in expected]


@pytest.mark.parametrize(("task", "experiment"), [("jets", "jets_qat"), ("anomaly", "ad_ae_qat")])
def test_make_calls_it(task, experiment):
    told = ["make", "--dry-run", "--assume-old=.venv/installed", "demo", f"TASK={task}"]
    said = subprocess.run(told, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert f"docs/demo.py experiment={experiment} output=checkpoints/{experiment}/" in said
