"""The command line: exit codes, messages of one line, and output that is complete or untouched."""

import numpy as np
import pytest

import nanotrigger.simulate.__main__ as command_line
from nanotrigger.simulate.events import SimulatedEvents
from nanotrigger.simulate.jets import SimulatedJets


@pytest.fixture
def instant(monkeypatch):
    """Replace the simulation by one that takes no time."""

    def simulate_sample(n, *, seed, constituents, features, processes):
        return SimulatedJets(np.zeros((n, 16), np.float32), np.zeros(n, np.int8), {"seed": seed})

    def simulate_event_sample(background, signal, *, seed, processes):
        samples = {"background": np.zeros((background, 19, 4)), "hTo4l": np.zeros((signal, 19, 4))}
        return SimulatedEvents(samples, {"w": background}, {"seed": seed})

    monkeypatch.setattr(command_line, "simulate_sample", simulate_sample)
    monkeypatch.setattr(command_line, "simulate_event_sample", simulate_event_sample)


def test_success_says_what_was_written(instant, tmp_path, capsys):
    out = tmp_path / "new" / "jets.h5"
    assert command_line.main(["jets", "--n", "7", "--out", str(out)]) == 0
    assert out.is_file()
    assert capsys.readouterr().out == f"{out}: 7 jets\n"


def test_success_with_events(instant, tmp_path, capsys):
    out = tmp_path / "events.h5"
    assert command_line.main(["events", "--background", "7", "--signal", "2", "--out", str(out)]) == 0
    assert out.is_file()
    assert capsys.readouterr().out == f"{out}: background 7, hTo4l 2\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["muons"], "muons"),
        (["jets"], "--out"),
        (["jets", "--n", "many"], "many"),
        (["jets", "--n", "0", "--out", "jets.h5"], "n = 0"),
        (["jets", "--seed", "-1", "--out", "jets.h5"], "seed = -1"),
        (["jets", "--constituents", "few", "--out", "jets.h5"], "few"),
        (["jets", "--constituents", "-1", "--out", "jets.h5"], "constituents = -1"),
        (["jets", "--no-features", "--out", "jets.h5"], "constituents = 0: must be 1 to 1000"),
        (["jets", "--processes", "0", "--out", "jets.h5"], "processes = 0"),
        (["events"], "--out"),
        (["events", "--background", "0", "--out", "events.h5"], "background = 0"),
        (["events", "--signal", "-3", "--out", "events.h5"], "signal = -3"),
        (["events", "--out", "."], "is a folder"),
        (["jets", "--out", "."], "is a folder"),
        (["jets", "--out", "existing/jets.h5"], "cannot write existing/jets.h5"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "existing").write_text("a file, not a folder")
    assert command_line.main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ["existing"]


def test_interruption_leaves_the_old_file(tmp_path, monkeypatch, capsys):
    def simulate_sample(n, *, seed, constituents, features, processes):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "simulate_sample", simulate_sample)
    out = tmp_path / "jets.h5"
    out.write_text("old")
    assert command_line.main(["jets", "--out", str(out)]) == 130
    assert capsys.readouterr().err == "interrupted: nothing was written\n"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
