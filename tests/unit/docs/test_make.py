"""make reference: steps in their order, gone on with after an interruption, and the numbers that documents hold."""

import importlib.util
import json
import sys

import pytest

from nanotrigger.errors import InputError
from tests.command import ROOT


@pytest.fixture
def make(monkeypatch, tmp_path):
    """The module docs/make.py, working in an empty folder."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def steps_that_write(make, *names):
    """Steps that append a line to a file, each after the one before."""
    code = "open('order.txt', 'a').write({!r} + chr(10))"
    return [
        make.Step(name, ("-c", code.format(name)), after) for name, after in zip(names, (None, *names), strict=False)
    ]


def run_all(make, monkeypatch, steps):
    monkeypatch.setattr(make, "steps", lambda: iter(steps))
    make.run_steps(at_once=2)


def test_steps_run_in_their_order_and_once(make, monkeypatch, tmp_path, capsys):
    steps = steps_that_write(make, "a", "b", "c")
    run_all(make, monkeypatch, reversed(steps))
    run_all(make, monkeypatch, steps)
    assert (tmp_path / "order.txt").read_text().split() == ["a", "b", "c"]
    assert set(json.loads(make.TIMES.read_text())) == {"a", "b", "c"}
    assert capsys.readouterr().out.count("python -c") == 3


def test_what_comes_after_a_step_that_is_done_does_not_wait_for_another(make, monkeypatch, tmp_path):
    done, after = steps_that_write(make, "a", "b")
    run_all(make, monkeypatch, [done])
    waiting = "import time, pathlib\nwhile not pathlib.Path('order.txt').read_text().endswith('b\\n'): time.sleep(0.01)"
    run_all(make, monkeypatch, [make.Step("c", ("-c", waiting)), done, after])
    assert (tmp_path / "order.txt").read_text().split() == ["a", "b"]


def test_a_step_that_fails_says_why_and_the_others_are_not_lost(make, monkeypatch, tmp_path):
    first = steps_that_write(make, "a")
    bad = make.Step("b", ("-c", "raise SystemExit('no room')"), "a")
    with pytest.raises(InputError, match=r"b ended with exit code 1: no room \(more in .*b.txt\)"):
        run_all(make, monkeypatch, [*first, bad])
    run_all(make, monkeypatch, steps_that_write(make, "a", "b"))
    assert (tmp_path / "order.txt").read_text().split() == ["a", "b"]


def test_what_another_command_made_is_not_taken(make, monkeypatch):
    run_all(make, monkeypatch, steps_that_write(make, "a"))
    with pytest.raises(InputError, match="a was made by `python -c"):
        run_all(make, monkeypatch, [make.Step("a", ("-c", "pass"))])


def test_every_step_comes_after_one_that_exists(make):
    steps = list(make.steps())
    names = [step.name for step in steps]
    assert len(set(names)) == len(names) > 30
    assert {step.after for step in steps} <= {None, *names}


def test_a_number_is_written_between_its_marks(make):
    tables = make.tables
    for text in ("99 %", ""):
        document = f"| <!-- accuracy jets_qat -->{text}<!-- end --> | <!-- study qat_width -->\n{text}<!-- end -->\n"
        written = tables.rendered(document)
        assert f"<!-- accuracy jets_qat -->{tables.accuracy('jets_qat')}<!-- end -->" in written
        assert "<!-- study qat_width -->\n| network.weight, bias |" in written
        assert tables.rendered(written) == written
