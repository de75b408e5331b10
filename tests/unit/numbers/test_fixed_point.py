"""FixedPoint: exact on every value, in NumPy and torch, and equal to QKeras."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import type_name

QKERAS = json.loads((Path(__file__).parents[2] / "reference" / "qkeras_values.json").read_text())


@pytest.mark.parametrize("row", QKERAS["quantizers"], ids=lambda row: f"{row['quantizer']}-{row['bits']}")
def test_equals_qkeras(row):
    number = FixedPoint.from_qkeras(
        row["bits"],
        row["integer"],
        row.get("symmetric", False),
        keep_negative=row["quantizer"] == "quantized_bits",
    )
    for kind in (np.float32, np.float64):
        quantized = number.quantize(np.array(QKERAS["inputs"], kind))
        assert quantized.dtype == kind
        assert quantized.tolist() == row["values"]


def every_format():
    return st.builds(
        lambda width, integer, signed, narrow: FixedPoint(width, min(integer, width), signed, narrow and signed),
        st.integers(1, 18),
        st.integers(-4, 18),
        st.booleans(),
        st.booleans(),
    )


@given(every_format(), st.floats(-1e6, 1e6, width=32))
def test_quantize_gives_the_nearest_word(number, value):
    quantized = float(number.quantize(np.array([value]))[0])
    words = np.arange(number.minimum_word, number.maximum_word + 1)
    if number.is_binary:
        words = np.array([-1, 1])
    distances = np.abs(words * number.step - value)
    assert quantized in words * number.step
    assert abs(quantized - value) == distances.min()


@given(every_format(), st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1))
def test_numpy_and_torch_agree(number, values):
    array = np.array(values, np.float32)
    np.testing.assert_array_equal(number.quantize(array), number.quantize(torch.from_numpy(array)).numpy())


@given(every_format())
def test_values_are_fixed_points(number):
    words = np.array([number.minimum_word, number.maximum_word, 1])
    values = words * number.step
    np.testing.assert_array_equal(number.quantize(values), values)
    np.testing.assert_array_equal(number.words(values), words)
    assert number.carrier.quantize(values).tolist() == values.tolist()


def test_ties_go_to_the_even_word():
    number = FixedPoint(8, 8)
    assert number.quantize(np.array([0.5, 1.5, 2.5, -0.5, -1.5])).tolist() == [0.0, 2.0, 2.0, -0.0, -2.0]


def test_rounding_down():
    number = FixedPoint.parse("fixed<4,3,TRN,SAT>")
    assert number.quantize(np.array([0.49, 0.5, -0.01, -9.0])).tolist() == [0.0, 0.5, -0.5, -4.0]
    assert type_name(number) == "fixed<4,3,TRN,SAT>"


def test_integers_are_values_too():
    assert FixedPoint(8, 4).quantize(np.array([1, 2, -9])).tolist() == [1.0, 2.0, -8.0]


def test_the_widest_format_is_exact():
    number = FixedPoint(53, 53)
    assert number.words(np.array([2.0**60, -(2.0**60)])).tolist() == [2**52 - 1, -(2**52)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 4, "integer": 6}, "fixed<4,6>: integer bits must be at most the width"),
        ({"width": 0, "integer": 0}, "fixed<0,0>: the width must be 1 to 53 bits"),
        ({"width": 54, "integer": 0}, "fixed<54,0>: the width must be 1 to 53 bits"),
        ({"width": 4, "integer": -99}, "fixed<4,-99>: integer bits must be at least"),
        ({"width": 4, "integer": 2, "signed": False, "narrow": True}, "only a signed format can be narrow"),
        ({"width": 4, "integer": 2, "rounding": "up"}, "fixed<4,2>: rounding up; choose nearest or down"),
        ({"width": 1, "integer": 1, "rounding": "down"}, "fixed<1,1>: a sign is not rounded"),
    ],
)
def test_impossible_formats(arguments, message):
    with pytest.raises(InputError, match=message):
        FixedPoint(**arguments)


@pytest.mark.parametrize("text", ["", "fixed", "fixed<16>", "fixed<16,6", "float<16,6>", "fixed<16,6,RND>"])
def test_parse_refuses(text):
    with pytest.raises(InputError, match="write it like fixed<16,6>"):
        FixedPoint.parse(text)


@given(every_format())
def test_parse_reads_what_str_writes(number):
    assert FixedPoint.parse(str(number)) == FixedPoint(number.width, number.integer, number.signed)
