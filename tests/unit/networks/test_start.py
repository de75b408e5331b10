"""Where trainings start: no format rounds a whole unit away, and fine ones change nothing."""

import pytest
import torch

from nanotrigger.networks import MLP
from nanotrigger.networks.start import fitted
from nanotrigger.numbers import FixedPoint

OTHERS = {"input": FixedPoint(16, 6), "bias": FixedPoint(4, 2), "activation": FixedPoint(8, 1, signed=False)}
INPUTS = (1, 2, 3, 4, 8, 16, 57, 128, 512)


def drawn(inputs: int, *, seed: int = 0) -> torch.Tensor:
    """Return LeCun-uniform weights of 40 units."""
    limit = (3 / inputs) ** 0.5
    return torch.empty(40, inputs).uniform_(-limit, limit, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("integer", [-1, 1, 2, 4])
@pytest.mark.parametrize("bits", range(1, 19))
def test_every_unit_has_weights_that_are_not_zero(bits, integer, inputs):
    number = FixedPoint(bits, min(integer, bits))
    weights = drawn(inputs)
    start = fitted(weights, number)
    assert (number.quantize(start) != 0).sum(dim=1).min() >= min(4, inputs)
    assert torch.equal(start.sign(), weights.sign())


def test_what_survives_its_format_stays_as_it_is():
    for inputs in (16, 32, 64):
        assert fitted(drawn(inputs), FixedPoint(8, 2)).equal(drawn(inputs))
    zeros = torch.zeros(3, 8)
    assert fitted(zeros, FixedPoint(2, 2)).equal(zeros)


def test_zeros_are_never_lifted():
    weights = drawn(64)
    weights[:, ::2] = 0
    start = fitted(weights, FixedPoint(2, 2))
    assert not start[:, ::2].any()
    assert ((start != weights).sum(dim=1) == 4).all()


def test_binary_weights_spread_over_their_step():
    number = FixedPoint(1, -1)
    start = fitted(drawn(512), number)
    assert start.abs().max() == number.step
    assert start.abs().median() == pytest.approx(number.step / 2, rel=0.01)


@pytest.mark.parametrize("bits", range(1, 7))
@pytest.mark.parametrize("width", [16, 64, 256, 512])
def test_a_network_tells_events_apart_before_it_is_trained(bits, width):
    torch.manual_seed(0)
    network = MLP(hidden=[width, width], weight=FixedPoint(bits, min(bits, 2)), **OTHERS).eval()
    outputs = network(torch.randn(50, 16, generator=torch.Generator().manual_seed(1)))
    assert len(outputs.unique(dim=0)) > 40
