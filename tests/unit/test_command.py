"""The one way into every command: exit codes, and one line for what is wrong."""

import gc
import os
import subprocess
import sys

import pytest
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import SIGTERMException

from nanotrigger.command import Parser, exit_code, wide_console
from nanotrigger.errors import FirmwareError, InputError


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (InputError("weight=-1: must be\n  positive"), 2, "error: weight=-1: must be positive\n"),
        (FileNotFoundError(2, "No such file", "a.h5"), 2, "error: [Errno 2] No such file: 'a.h5'\n"),
        (MisconfigurationException("no such device"), 2, "error: no such device\n"),
        (FirmwareError("g++ failed:\nline 3"), 1, "error: g++ failed:\nline 3\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (SIGTERMException(), 143, "terminated\n"),
    ],
)
def test_what_is_wrong_has_its_exit_code(error, code, text, capsys):
    assert exit_code(raising(error)) == code
    assert capsys.readouterr().err == text


def test_an_exit_that_follows_an_interruption_is_one(capsys):
    def command():  # as Lightning does
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            sys.exit(1)

    assert exit_code(command, interrupted="interrupted; run again") == 130
    assert capsys.readouterr().err == "interrupted; run again\n"


@pytest.mark.parametrize("error", [ValueError("a defect"), KeyError("x"), SystemExit(3)])
def test_a_defect_of_ours_and_an_exit_pass(error):
    with pytest.raises(type(error)) as raised:
        exit_code(raising(error))
    assert raised.value is error


def test_the_code_is_the_commands():
    assert [exit_code(lambda: None), exit_code(lambda: 0), exit_code(lambda: 1)] == [0, 0, 1]


def test_options_may_stand_anywhere_and_be_pairs():
    parser = Parser(prog="draw")
    parser.add_argument("studies", nargs="+")
    parser.add_argument("--output")
    for words in (["a", "output=b", "c"], ["--output=b", "a", "c"], ["a", "--output", "b", "c"]):
        assert vars(parser.parse(words)) == {"studies": ["a", "c"], "output": "b"}
    assert parser.parse(["a=b"]).studies == ["a=b"]
    with pytest.raises(InputError, match="studies .see draw --help"):
        parser.parse([])


WRITES = """
import sys
from nanotrigger.command import exit_code
def work():
    for _ in range(3):
        print("x" * 100_000)
        print("y", file=sys.stderr)
    open(sys.argv[1], "w").write("done")
sys.exit(exit_code(work))
"""


@pytest.mark.parametrize("options", [(), ("-u",)])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_work_is_finished_when_nobody_reads(tmp_path, options, name):
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, name: writer}
    words = [sys.executable, *options, "-c", WRITES, str(tmp_path / "file")]
    done = subprocess.run(words, **streams, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"y\ny\ny\n" if name == "stdout" else None)
    assert (tmp_path / "file").read_text() == "done"


def test_what_a_pipe_gets_is_whole():
    done = subprocess.run([sys.executable, "-c", WRITES, os.devnull], capture_output=True, check=False)
    assert done.stdout == (b"x" * 100_000 + b"\n") * 3


def test_a_process_among_others_of_a_batch_job_says_what_is_wrong(monkeypatch, capsys):
    monkeypatch.setattr(rank_zero_only, "rank", 1)  # as SLURM_PROCID=1 makes it
    assert exit_code(raising(InputError("weight=-1: must be positive"))) == 2
    assert capsys.readouterr().err == "error: weight=-1: must be positive\n"


INLINE = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # as in Jupyter and Colab


def test_a_command_draws_whatever_backend_a_notebook_names():
    code = "from nanotrigger.command import exit_code; exit_code(lambda: print(__import__('matplotlib').get_backend()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=INLINE)
    assert (done.stdout, done.stderr) == ("agg\n", "")


def test_the_interface_in_python_leaves_a_notebook_its_backend():
    code = "import nanotrigger as nt; nt.draw; import matplotlib, os; print(matplotlib.get_backend(), os.environ[KEY])"
    words = [sys.executable, "-c", code.replace("KEY", "'MPLBACKEND'")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "MPLBACKEND": "svg"})
    assert done.stdout == "svg svg\n", done.stderr


def test_brackets_in_a_table_are_no_markup(capsys):
    wide_console().print("[/x] :cat:")
    assert capsys.readouterr().out == "[/x] :cat:\n"


def test_a_command_looks_for_garbage_seldom():
    former = gc.get_threshold()
    try:
        assert exit_code(lambda: 0 if gc.get_threshold()[0] >= 10_000 and gc.isenabled() else 1) == 0
    finally:
        gc.set_threshold(*former)
