"""Formats as text keep their commas in YAML, and stand for the mappings of their numbers."""

import pytest
import yaml
from hypothesis import given

from nanotrigger.numbers.fixed_point import FixedPoint, type_name
from nanotrigger.numbers.notation import as_mappings, load_yaml
from tests.unit.numbers.test_fixed_point import every_format


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("fixed<4,2>", "fixed<4,2>"),
        ("[fixed<4,2>,ufixed<8,0>]", ["fixed<4,2>", "ufixed<8,0>"]),
        ("[fixed<4, 2>, {width: 3}]", ["fixed<4, 2>", {"width": 3}]),
        (
            "{dense_1.weight: fixed<4,2>, dense_2.weight: fixed<4,2>}",
            dict.fromkeys(["dense_1.weight", "dense_2.weight"], "fixed<4,2>"),
        ),
        ("[\"fixed<4,2>\", 'fixed<6,1>']", ["fixed<4,2>", "fixed<6,1>"]),
        ("[fixed<4,2,RND_CONV,SAT_SYM>]", ["fixed<4,2,RND_CONV,SAT_SYM>"]),
        ('note: "a, fixed<8,6>, b"', {"note": "a, fixed<8,6>, b"}),
        ("a: 1  # [fixed<8,6>", {"a": 1}),
    ],
)
def test_commas_of_formats_separate_nothing(text, value):
    assert load_yaml(text) == value


def test_other_texts_are_read_as_ever():
    text = "a: [1, 2]\nb: {c: null}\nd: 1.5\n"
    assert load_yaml(text) == yaml.safe_load(text)


@given(every_format())
def test_a_format_and_its_modes_are_that_format_again(number):
    if number.is_binary:
        return  # its type is that of its carrier
    mapping = as_mappings({"weight": [type_name(number)]})["weight"][0]
    assert FixedPoint(**mapping) == number


@pytest.mark.parametrize("text", ["fixed<0,2>", "fixed<4;2>", "int8", "weight fixed<4,2>", ""])
def test_what_is_no_format_stays_as_it_is(text):
    assert as_mappings([text]) == [text]
