"""Formats: of kinds of tensors, and of single tensors that differ."""

import pytest

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import Formats
from nanotrigger.numbers import FixedPoint

RELU, SMALL, WIDE = FixedPoint(8, 1, signed=False), FixedPoint(4, 2), FixedPoint(16, 7)
KINDS = {
    "input": ["input"],
    "weight": ["1.weight", "2.weight"],
    "bias": ["1.bias", "2.bias"],
    "activation": ["relu"],
    "latent": ["latent"],
}
GIVEN = {"input": WIDE, "weight": SMALL, "bias": [SMALL, WIDE], "activation": RELU}


def test_a_tensor_has_the_format_of_its_kind_or_its_own():
    formats = Formats(KINDS, GIVEN, {"1.weight": WIDE, "2.bias": FixedPoint(1, 1), "latent": SMALL})
    assert formats.by_tensor == {
        "input": WIDE,
        "1.weight": WIDE,
        "2.weight": SMALL,
        "1.bias": SMALL,
        "2.bias": FixedPoint(1, 1),
        "relu": RELU,
        "latent": SMALL,
    }
    assert list(formats.by_name) == [
        *("input", "weight", "bias_1", "bias_2", "activation"),
        *("1.weight", "2.bias", "latent"),
    ]
    assert str(formats).endswith("activation ufixed<8,1>, 1.weight fixed<16,7>, 2.bias fixed<1,1>, latent fixed<4,2>")


def test_without_formats_it_is_float():
    formats = Formats(KINDS, {})
    assert (formats.by_tensor, formats.by_name, formats.primitives, str(formats)) == ({}, {}, {}, "")


def test_primitives_name_single_tensors_only_if_there_are_any():
    assert "tensors" not in Formats(KINDS, GIVEN).primitives
    found = Formats(KINDS, GIVEN, {"relu": FixedPoint(3, 1, signed=False)}).primitives
    assert found["tensors"] == {"relu": {"width": 3, "integer": 1, "signed": False, "narrow": False}}
    assert [number["width"] for number in found["bias"]] == [4, 16]


@pytest.mark.parametrize(
    ("given", "tensors", "message"),
    [
        ({}, {"1.weight": SMALL}, "network formats: input, weight, bias missing"),
        (
            GIVEN,
            {"3.weight": SMALL},
            "network.tensors has 3.weight, which is none of input, 1.weight, 2.weight, 1.bias",
        ),
        (GIVEN, {"weight": SMALL}, "network.tensors has weight, which is none of"),
        (GIVEN, {"relu": SMALL}, "network.activation fixed<4,2>: ReLU has no negative values; use ufixed"),
        (GIVEN, {"latent": FixedPoint(1, 1)}, "network.latent is binary"),
        (GIVEN, {"1.weight": FixedPoint(4, 2, rounding="down")}, "network.weight rounds down: only activations and"),
        ({**GIVEN, "bias": [SMALL]}, {}, "network.bias has 1 formats, the network 2 layers; give one format or 2"),
    ],
)
def test_refuses(given, tensors, message):
    with pytest.raises(InputError) as caught:
        Formats(KINDS, given, tensors)
    assert str(caught.value).startswith(message)
