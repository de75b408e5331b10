"""Quantizers whose bits are learned: their values, their gradients, and the formats that hold what they leave."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.learned import LearnedActivation, LearnedParameter, covering

CEILING = FixedPoint(9, 3)


def parameter(*fractions: float) -> LearnedParameter:
    quantizer = LearnedParameter((len(fractions),), CEILING)
    quantizer.fraction.data = torch.tensor(fractions)
    return quantizer


def activation(
    integer: float, fraction: float, *, signed: bool = False, rounding: str = "nearest"
) -> LearnedActivation:
    """A quantizer with so many bits, the sign left out."""
    quantizer = LearnedActivation(FixedPoint(10, 4, signed=signed, rounding=rounding))
    ratio = quantizer.reluctant.data[1] / 6
    quantizer.reluctant.data = ratio * torch.tensor([integer, fraction])
    return quantizer


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_value_has_its_own_step(dtype):
    values = torch.tensor([0.3, 0.3, 0.3, 0.3, -9.0, 9.0], dtype=dtype)
    quantized = parameter(6.2, 2.4, 0.6, -0.6, 2.0, 2.0).quantize(values)
    assert quantized.tolist() == [0.296875, 0.25, 0.5, 0.0, -3.75, 3.75]


def test_gradients_are_those_of_hgq():
    quantizer, values = parameter(3.0, 1.0), torch.tensor([0.3, 0.3], requires_grad=True)
    (quantizer.quantize(values) * torch.tensor([1.0, 10.0])).sum().backward()
    assert values.grad.tolist() == [1.0, 10.0]
    expected = [math.log(2) * (0.3 - 0.25), 10 * math.log(2) * (0.3 - 0.5)]
    assert quantizer.fraction.grad.tolist() == pytest.approx(expected)


def test_bits_of_a_value_and_their_gradients():
    quantizer, values = parameter(3.0, 3.0, 0.0), torch.tensor([-0.7, 0.1, 0.3], requires_grad=True)
    bits = quantizer.bits(values)
    assert bits.tolist() == [3, 1, 0]  # -6/8, 1/8, 0
    bits.sum().backward()
    assert quantizer.fraction.grad.tolist() == [1, 1, 0]
    assert values.grad.tolist() == pytest.approx([-1 / (0.7 * math.log(2)), 1 / (0.1 * math.log(2)), 0])


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("integer", "fraction"), [(3, 4), (1, 2), (0, 2), (2, 0), (-1, 5)])
def test_activations_have_the_format_that_they_say(integer, fraction, signed):
    quantizer = activation(integer, fraction, signed=signed, rounding="down" if integer else "nearest")
    assert quantizer.number == replace(quantizer.ceiling, width=integer + fraction + signed, integer=integer + signed)
    values = torch.linspace(-20, 20, 4001)
    expected = torch.from_numpy(quantizer.number.quantize(values.double().numpy())).float()
    assert torch.equal(quantizer.quantize(values), expected)
    found, step, zero, width = quantizer(values)
    assert torch.equal(found, expected)
    assert (step, zero, width) == (quantizer.number.step, 0, quantizer.number.width)


@pytest.mark.parametrize(
    ("integer", "fraction", "number"),
    [
        (-3, -3, FixedPoint(2, -3, signed=False)),
        (7, 9, FixedPoint(10, 4, signed=False)),
        (2, -9, FixedPoint(2, 2, signed=False)),
    ],
)
def test_activations_stay_between_two_bits_and_the_ceiling(integer, fraction, number):
    quantizer = activation(integer, fraction)
    assert quantizer.number.width >= 2
    if integer > 0:
        assert quantizer.number == number


def test_bits_of_activations_are_trained():
    quantizer, values = activation(1, 2, signed=True), torch.tensor([0.3, 9.0, -9.0], requires_grad=True)
    quantizer.quantize(values).sum().backward()
    assert values.grad.tolist() == [1, 0, 0]
    rounding, bounds = math.log(2) * (0.3 - 0.25) + math.log(2) / 4, math.log(2) * (2 - 2)
    by_bits = quantizer.reluctant.grad / 0.1
    assert by_bits.tolist() == pytest.approx([bounds, rounding])
    quantizer.reluctant.grad = None
    quantizer.bits().backward()
    assert (quantizer.reluctant.grad / 0.1).tolist() == pytest.approx([1, 1])


def test_a_bit_that_is_given_up_in_training_stays_so():
    quantizer, values = activation(2.0, 3.4), torch.zeros(3)
    quantizer.eval()(values)
    quantizer.reluctant.data *= 1.2
    assert quantizer.number == FixedPoint(6, 2, signed=False)
    quantizer.train()(values)
    quantizer.reluctant.data *= 2
    assert quantizer.number == FixedPoint(6, 2, signed=False)


@given(st.lists(st.integers(-(2**17), 2**17 - 1), min_size=1, max_size=6), st.integers(0, 20))
def test_the_covering_format_is_the_narrowest(words, fraction):
    values = torch.tensor(words).double() * 2.0**-fraction
    number = covering(values)
    assert torch.equal(torch.from_numpy(number.quantize(values.numpy())), values)
    if number.width > 2:
        integers = [number.integer - 1, number.integer][: 1 + (number.width > number.integer)]
        for narrower in [FixedPoint(number.width - 1, integer) for integer in integers]:
            assert not torch.equal(torch.from_numpy(narrower.quantize(values.numpy())), values)
