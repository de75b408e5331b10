"""Test vectors reach the edges of the format, and the files hold the words."""

import numpy as np
import pytest

from nanotrigger.firmware.vectors import extreme_inputs, write_vectors
from nanotrigger.numbers import FixedPoint

FORMAT = FixedPoint(16, 6)


@pytest.mark.parametrize("number", [FORMAT, FixedPoint(8, 0, signed=False), FixedPoint(18, 9), FixedPoint(2, 2)])
def test_extremes_saturate_and_tie(number):
    inputs = extreme_inputs(number, 16)
    assert len(inputs) >= 1000
    assert np.isfinite(inputs).all()
    words = inputs / number.step
    assert (words > number.maximum_word + 1).sum() > 1000
    assert (np.abs(words - np.floor(words) - 0.5) < 1e-9).sum() > 1000
    quantized = number.words(inputs)
    assert (quantized == number.minimum_word).sum() > 1000
    assert (quantized == number.maximum_word).sum() > 1000


def test_of_very_many_inputs_some_are_alone_at_their_limits():
    inputs = extreme_inputs(FORMAT, 1 << 14, rows=0)
    assert (np.count_nonzero(inputs, axis=1) == 1).sum() == 2 * (1 << 9)
    assert inputs[:, -1].max() > 0


def test_extremes_repeat():
    assert np.array_equal(extreme_inputs(FORMAT, 5), extreme_inputs(FORMAT, 5))
    assert not np.array_equal(extreme_inputs(FORMAT, 5), extreme_inputs(FORMAT, 5, seed=1))


def test_files_hold_the_words(tmp_path):
    inputs, outputs = np.array([[1, -2], [3, 32767]]), np.array([[5], [-6]])
    write_vectors(tmp_path / "tb_data", inputs, outputs, formats=(FORMAT, FixedPoint(12, 4)))
    assert (tmp_path / "tb_data" / "inputs.txt").read_text() == "1 -2\n3 32767\n"
    assert (tmp_path / "tb_data" / "expected.txt").read_text() == "5\n-6\n"
    readme = (tmp_path / "tb_data" / "README.md").read_text()
    assert "`fixed<16,6>`" in readme
    assert "times 2^-10 is the input's value, times 2^-8 the" in readme
