"""Layers: how they begin, and that they calculate what their Brevitas quantizers define, value and gradient."""

import pytest
import torch
from brevitas.nn import QuantIdentity, QuantLinear, QuantReLU
from torch import Tensor, nn

from nanotrigger.networks.layers import QuantizedLinear, QuantizedReLU, Quantizer
from nanotrigger.networks.plan import Linear, relu_layer, weight_layer
from nanotrigger.numbers import FixedPoint

UNSIGNED = FixedPoint(6, 2, signed=False)
PARAMETERS = [
    FixedPoint(width, integer, signed, narrow)
    for width in (1, 2, 3, 4, 8, 16, 18)
    for integer in (-1, 1, width)
    for signed, narrow in ((True, False), (True, True), (False, False))
    if integer <= width and (signed or width > 1)
]
ACTIVATIONS = [number for number in PARAMETERS if not number.is_binary]


def spread(number: FixedPoint, *shape: int) -> Tensor:
    """Return values inside and outside the range, some of them halfway between two words."""
    values = torch.randn(shape) * number.maximum * 0.7
    ties = torch.round(values / number.step) * number.step + number.step / 2
    return torch.where(torch.rand(shape) < 0.3, ties, values)


def gradients(outputs: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
    torch.manual_seed(1)
    return torch.autograd.grad((outputs * torch.randn_like(outputs)).sum(), tensors)


@pytest.mark.parametrize("variance", [1.0, 2.0])
def test_weights_begin_uniform_and_biases_at_zero(variance):
    torch.manual_seed(0)
    layer = weight_layer(Linear(50, 400), None, None, variance=variance)
    assert not isinstance(layer, QuantLinear)
    assert layer.weight.abs().max() <= (3 * variance / 50) ** 0.5
    assert layer.weight.var().item() == pytest.approx(variance / 50, rel=0.03)
    assert not layer.bias.any()


def test_activations():
    values = torch.tensor([[-1.0, 0.3, 9.0]])
    assert torch.equal(relu_layer(None)(values), values.relu())
    torch.testing.assert_close(relu_layer(None, slope=0.5)(values), torch.tensor([[-0.5, 0.3, 9.0]]))
    quantized = relu_layer(UNSIGNED, slope=0.5)  # firmware has no slope
    assert isinstance(quantized, QuantReLU)
    assert torch.equal(quantized.eval()(values), UNSIGNED.quantize(values.relu()))


@pytest.mark.parametrize("number", PARAMETERS, ids=str)
def test_linear_equals_brevitas(number):
    torch.manual_seed(0)
    layer = QuantizedLinear(7, 5, number, number)
    layer.weight.data, layer.bias.data = spread(number, 5, 7), spread(number, 5)
    values = torch.randn(11, 7, requires_grad=True)
    ours, brevitas = layer(values), QuantLinear.forward(layer, values)
    assert torch.equal(ours, brevitas)
    for mine, theirs in zip(
        *(gradients(outputs, values, layer.weight, layer.bias) for outputs in (ours, brevitas)), strict=True
    ):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("number", ACTIVATIONS, ids=str)
@pytest.mark.parametrize(("layer", "brevitas"), [(Quantizer, QuantIdentity), (QuantizedReLU, QuantReLU)])
def test_activations_equal_brevitas(layer, brevitas, number):
    torch.manual_seed(0)
    layer = layer(number)
    values = spread(number, 30, 40).requires_grad_()
    ours, theirs = layer(values), brevitas.forward(layer, values)
    assert torch.equal(ours, theirs)
    assert torch.equal(gradients(ours, values)[0], gradients(theirs, values)[0])


def test_without_gradients_the_values_are_the_same():
    layers = nn.Sequential(Quantizer(FixedPoint(8, 3)), QuantizedLinear(4, 3, FixedPoint(4, 2), FixedPoint(4, 2)))
    values = torch.randn(20, 4) * 3
    with torch.no_grad():
        judged = layers(values)
    assert torch.equal(judged, layers(values))
