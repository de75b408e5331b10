"""The audit of quantizers, on values made by hand and on a network."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nanotrigger.errors import InputError
from nanotrigger.firmware.audit import (
    audit,
    audit_cast,
    audit_quantizer,
    audit_table,
    saturation_warnings,
    trained_saturation,
)
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.quantizers import activation_quantizer


@pytest.mark.parametrize(
    ("number", "values", "beyond", "needed"),
    [
        (FixedPoint(8, 4), [-8.0, 7.9375], 0, FixedPoint(8, 4)),
        (FixedPoint(8, 4), [-8.0, 0.0, 8.0, 1.0625], 0.25, FixedPoint(9, 5)),
        (FixedPoint(8, 4), [1.0, -2.0], 0, FixedPoint(2, 2)),
        (FixedPoint(8, 4), [4.0, -4.0], 0, FixedPoint(4, 4)),  # a step is 1 at most
        (FixedPoint(8, 4), [0.0625, -0.0625], 0, FixedPoint(2, -2)),
        (FixedPoint(8, 4, narrow=True), [-2.0, 0.5], 0, FixedPoint(4, 3, narrow=True)),
        (FixedPoint(8, 1, signed=False), [0.0, 1.9921875], 0, FixedPoint(8, 1, signed=False)),
        (FixedPoint(8, 1, signed=False), [0.0, 3.5], 0.5, FixedPoint(3, 2, signed=False)),
        (FixedPoint(8, 1, signed=False), [0.0, 0.001], 0, None),
    ],
)
def test_formats_that_would_do(number, values, beyond, needed):
    found = audit_quantizer("x", "activation", number, np.array(values))
    assert (found.beyond, found.needed) == (beyond, needed)
    if needed is not None:
        assert found.unused_integer_bits == number.integer - needed.integer
        assert (needed.quantize(np.array(values)) == np.rint(np.array(values) / number.step) * number.step).all()


def test_every_quantizer_of_a_network(quantized_model):
    features = np.random.default_rng(0).normal(scale=6.0, size=(1000, 6))
    audits = audit(onnx.load(quantized_model), read_graph(quantized_model), features)
    assert {one.name: one.role for one in audits} == {
        "input": "input",
        **{f"dense_{depth}_{role}": role for depth in (1, 2, 3) for role in ("weight", "bias")},
        **{f"relu_{depth}_quantizer": "activation" for depth in (1, 2)},
        "output": "output",
    }
    by_name = {one.name: one for one in audits}
    words = np.rint(features * 16)
    assert by_name["input"].beyond == ((words < -128) | (words > 127)).mean()
    assert by_name["input"].overflows


def test_table_and_warnings():
    audits = (
        audit_quantizer("calm", "input", FixedPoint(8, 4), np.zeros(3)),
        audit_quantizer("loud", "activation", FixedPoint(4, 1, signed=False), np.array([0.5, 9.0])),
    )
    console = Console(width=140, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(audit_table(audits))
    text = capture.get()
    assert "all are zero" in text
    assert "50.00% !" in text
    assert saturation_warnings(audits) == (
        "loud: 50.00% of the values saturate at ufixed<4,1> (tolerated: 0.1%); ufixed<5,4> would hold them all",
    )


def test_saturation_of_the_training_is_explained_and_no_warning():
    loud = audit_quantizer("relu_1", "activation", FixedPoint(4, 1, signed=False), np.array([0.5, 9.0]))
    trained = replace(loud, trained=True)
    assert loud.overflows
    assert not trained.overflows
    assert saturation_warnings([trained]) == ()
    assert trained_saturation([loud]) == ""
    assert trained_saturation([trained]) == (
        "relu_1: up to 50.00% of the values saturate, as they did in the training, which learned with it"
    )


@pytest.mark.parametrize("number", [FixedPoint(8, 8, signed=False), FixedPoint(8, 1, signed=False)])
@pytest.mark.parametrize("values", [[-8.469, 7.466, 0.0], [-3.0, -0.5], [-1.0]])
def test_negative_values_need_a_sign(number, values):
    found = audit_quantizer("input", "input", number, np.array(values))
    assert found.needed.signed
    assert found.lacks_sign
    rounded = np.rint(np.array(values) / number.step) * number.step
    np.testing.assert_array_equal(found.needed.quantize(np.array(values)), rounded)
    (warning,) = saturation_warnings([found])
    assert f"negative values arrive (to {min(values):.4g}); no unsigned format holds them, {found.needed}" in warning


def test_negative_values_that_round_to_zero_need_none():
    found = audit_quantizer("input", "input", FixedPoint(8, 8, signed=False), np.array([-0.3, 200.0]))
    assert (found.needed, found.beyond) == (FixedPoint(8, 8, signed=False), 0)


@given(
    width=st.integers(2, 18),
    integer=st.integers(-4, 18),
    signed=st.booleans(),
    narrow=st.booleans(),
    values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=5),
    scale=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 1e10, 1e30]),
)
def test_every_recommended_format_can_be_trained_and_holds_what_arrives(width, integer, signed, narrow, values, scale):
    number = FixedPoint(width, min(integer, width), signed=signed, narrow=narrow and signed)
    values = np.array(values) * scale
    found = audit_quantizer("x", "input", number, values)
    assert found.verdict
    assert len(saturation_warnings([found])) <= 1
    words = np.rint(values / number.step)
    if found.needed is None:
        assert not words.any() or np.abs(values).max() >= 2.0 ** (18 - 1)
        return
    assert 2 <= found.needed.width <= 18
    assert found.needed.signed == (signed or words.min() < 0)
    activation_quantizer(found.needed)  # is accepted by networks
    rounded = words * number.step
    error = np.abs(found.needed.quantize(rounded) - rounded).max()
    assert error == 0 or (found.needed.width == 18 and error <= found.needed.step)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0.0, 0.0], "all are zero"),
        ([3.0, 3.0], "fixed<3,3>"),
        ([0.01, -0.02], "step too coarse"),
        ([1e30, 0.0], "none reaches 1e+30"),
        ([1e6, 1.0625], "none reaches 1e+06"),
        ([-70000.0, 0.0625], "fixed<18,18>"),
    ],
)
def test_the_verdict_of_unusual_values(values, verdict):
    assert audit_quantizer("x", "input", FixedPoint(8, 4), np.array(values)).verdict == verdict


def test_values_that_all_become_zero_are_told():
    found = audit_quantizer("dense_1_weight", "weight", FixedPoint(4, 2, narrow=True), np.array([0.1, -0.12]))
    (warning,) = saturation_warnings([found])
    assert warning == (
        "dense_1_weight: every value becomes zero at fixed<4,2>, whose step is 0.25; the largest is 0.12, which "
        "fixed<4,-2> would keep"
    )
    assert FixedPoint(4, -2).quantize(np.array([0.1, -0.12])).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(wrong):
    with pytest.raises(InputError, match="input: 1 of the 2 values that arrive are not finite"):
        audit_quantizer("input", "input", FixedPoint(8, 4), np.array([wrong, 1.0]))


def test_a_type_that_wraps_around_tolerates_nothing():
    values = np.append(np.zeros(99_999), 9.0)
    assert audit_cast("sums", "sum", FixedPoint(8, 4), values).overflows
    assert not audit_cast("sums", "sum", FixedPoint(8, 4), values, modes=("RND", "SAT")).overflows


@pytest.mark.parametrize(
    ("modes", "vanishes"), [((), True), (("TRN",), True), (("TRN_ZERO",), True), (("RND_CONV",), False)]
)
def test_what_is_cut_off_to_nothing(modes, vanishes):
    assert audit_cast("w", "weight", FixedPoint(3, 3), np.array([0.6, -0.9]), modes=modes).vanishes == vanishes
