"""Brevitas' quantizers equal FixedPoint on every word, every tie and beyond the range."""

import pytest
import torch
from brevitas.nn import QuantIdentity, QuantLinear

from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.quantizers import activation_quantizer, bias_quantizer, weight_quantizer

FORMATS = [
    FixedPoint(width, integer, signed, narrow)
    for width in (*range(1, 10), 12, 16, 18)
    for integer in {-1, 0, 1, 2, 6, width}
    for signed, narrow in ((True, False), (True, True), (False, False))
    if integer <= width and (signed or width > 1)
]
FORMATS += [FixedPoint(4, 2, rounding="down"), FixedPoint(8, 1, signed=False, rounding="down")]


def every_half_word(number: FixedPoint, dtype: torch.dtype) -> torch.Tensor:
    halves = torch.arange(2 * number.minimum_word - 3, 2 * number.maximum_word + 4, dtype=dtype)
    exact = halves * (number.step / 2)
    return torch.cat([exact, exact * 1.0001, torch.tensor([-1e9, 1e9], dtype=dtype)])


def quantized_weight(number: FixedPoint, values: torch.Tensor) -> torch.Tensor:
    layer = QuantLinear(len(values), 1, bias=False, weight_quant=weight_quantizer(number)).to(values.dtype)
    layer.weight.data = values[None, :].clone()
    return layer.quant_weight().value[0]


def quantized_bias(number: FixedPoint, values: torch.Tensor) -> torch.Tensor:
    quantizers = {"weight_quant": weight_quantizer(number), "bias_quant": bias_quantizer(number)}
    layer = QuantLinear(1, len(values), bias=True, **quantizers).to(values.dtype)
    layer.bias.data = values.clone()
    return layer.quant_bias().value


def quantized_activation(number: FixedPoint, values: torch.Tensor) -> torch.Tensor:
    return QuantIdentity(act_quant=activation_quantizer(number)).to(values.dtype).eval()(values)


@pytest.mark.parametrize("quantize", [quantized_weight, quantized_bias, quantized_activation])
def test_equals_fixed_point(quantize):
    for number in FORMATS:
        for dtype in (torch.float32, torch.float64):
            values = every_half_word(number, dtype)
            quantized = quantize(number, values)
            assert quantized.dtype == dtype
            assert torch.equal(quantized, number.quantize(values)), (number, dtype)


def test_ternary_is_two_bits_narrow():
    values = torch.tensor([-2.0, -0.6, -0.5, -0.1, 0.5, 0.6, 3.0])
    assert quantized_weight(FixedPoint(2, 2, narrow=True), values).tolist() == [-1, -1, 0, 0, 0, 1, 1]


def test_gradients():
    number = FixedPoint(4, 2, narrow=True)
    values = torch.tensor([-9.0, 0.3, 9.0])
    layer = QuantLinear(3, 1, bias=False, weight_quant=weight_quantizer(number))
    layer.weight.data = values[None, :].clone()
    layer.quant_weight().value.sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 1.0, 1.0]]  # a saturated weight can come back
    inputs = values.clone().requires_grad_()
    QuantIdentity(act_quant=activation_quantizer(number))(inputs).sum().backward()
    assert inputs.grad.tolist() == [0.0, 1.0, 0.0]


def test_one_unsigned_bit_is_refused():
    with pytest.raises(InputError, match="ufixed<1,1>: one unsigned bit has no exact firmware"):
        activation_quantizer(FixedPoint(1, 1, signed=False))


def test_too_wide_for_training():
    with pytest.raises(InputError, match=r"fixed<19,6>: a network's formats have 1 to 18 bits"):
        weight_quantizer(FixedPoint(19, 6))
