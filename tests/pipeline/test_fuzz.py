"""Damaged input ends in a result or in one line; random networks are computed exactly or refused: the short runs."""

import contextlib
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanotrigger.cli.arguments import train_arguments
from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint
from tests.command import ROOT
from tests.fuzz import files, resume
from tests.fuzz.networks import check
from tests.fuzz.parse import parse
from tests.fuzz.targets import outcome, targets


def test_damaged_input_is_read_or_refused():
    ends = parse(0, range(1000))
    assert len(ends) == 1000
    assert {end for _, _, end in ends} == {"read", "refused"}, [
        end for end in ends if end[2] not in ("read", "refused")
    ]


def test_valid_input_is_read():
    assert {target.name: outcome(target, target.seeds[0]) for target in targets()} == {
        target.name: "read" for target in targets()
    }


@given(st.text() | st.from_regex(r"u?fixed<-?\d+, ?-?\d+>"))
def test_any_text_is_a_format_or_refused(text):
    with contextlib.suppress(InputError):
        number = FixedPoint.parse(text)
        assert FixedPoint.parse(str(number)) == number


@given(st.lists(st.text() | st.from_regex(r"(experiment|seed|network\.weight|data)=.*")))
def test_any_arguments_are_rewritten_or_refused(words):
    with contextlib.suppress(InputError):
        assert train_arguments(words, ROOT / "configs")[0] in ("fit", "validate", "test", "-h", "--help")


@pytest.mark.slow
def test_random_networks_are_exact():
    ends = check(20)
    assert ends.total() == 20
    assert ends["exact"] >= 15, ends


@pytest.mark.slow
def test_a_resume_with_any_setting_changed_is_done_or_refused():
    ends = resume.check(8, seed=2)
    assert ends.total() == 8
    assert not ends["bad"]


def test_changed_files_are_read_or_refused(tmp_path):
    ends = []
    for number in range(60):
        (tmp_path / "made.onnx").write_bytes(files.file_number(0, number))
        ends.append(files.read_file(tmp_path / "made.onnx"))
    assert set(ends) == {"read", "refused"}


def test_changed_files_are_proven_or_refused(tmp_path):
    for number in range(6):
        (tmp_path / "made.onnx").write_bytes(files.file_number(1, number))
        assert files.export_file(tmp_path / "made.onnx") in ("proven", "refused")
        shutil.rmtree(tmp_path / "made_export", ignore_errors=True)
