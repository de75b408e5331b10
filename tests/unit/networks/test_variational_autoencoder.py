"""Variational autoencoder: a second head beside the bottleneck, which firmware does without."""

import json

import pytest
import torch
from brevitas.nn import QuantLinear

from nanotrigger.errors import InputError
from nanotrigger.networks import VariationalAutoencoder, build_network
from nanotrigger.numbers import FixedPoint

FORMATS = {
    "input": FixedPoint(12, 5),
    "weight": FixedPoint(8, 2),
    "bias": FixedPoint(8, 2),
    "activation": FixedPoint(8, 2, signed=False),
    "latent": FixedPoint(10, 4),
    "tensors": {"dense_3.weight": FixedPoint(4, 1), "dense_3.bias": FixedPoint(5, 1)},
}


def network(**formats) -> VariationalAutoencoder:
    torch.manual_seed(0)
    made = VariationalAutoencoder(features=9, hidden=[8, 6], latent_size=2, **formats).eval()
    for parameter in made.log_variance.parameters():
        torch.nn.init.normal_(parameter)
    return made


def test_begins_with_unit_gaussians():
    made = VariationalAutoencoder()
    assert made.latent_size == 2
    assert not made.log_variances(torch.randn(10, 57)).any()
    assert made.description == "VariationalAutoencoder 57-32-16-2-16-32-57, 5,117 parameters, float"


@pytest.mark.parametrize("formats", [{}, FORMATS], ids=["float", "quantized"])
def test_a_gaussian_for_each_latent_value(formats):
    made, features = network(**formats), torch.randn(30, 9)
    means, log_variances = made.distribution(features)
    assert means.shape == log_variances.shape == (30, 2)
    assert torch.equal(means, made.encode(features))
    assert torch.equal(log_variances, made.log_variances(features))
    assert torch.equal(made(features), made.decode(means))
    names = [name for name, _ in made.layers.named_children()]
    hidden = made.layers[: names.index("dense_3")](features)
    assert torch.equal(log_variances, made.log_variance(hidden))


def test_the_second_head_has_the_formats_of_the_bottleneck():
    made = network(**FORMATS).double()
    assert isinstance(made.log_variance, QuantLinear)
    hidden = torch.rand(20, 6).double()
    weight, bias = (
        FORMATS["tensors"][f"dense_3.{name}"].quantize(getattr(made.log_variance, name)) for name in ("weight", "bias")
    )
    assert torch.equal(made.log_variance(hidden), hidden @ weight.T + bias)
    means = made.encode(torch.randn(20, 9).double())
    assert torch.equal(means, FORMATS["latent"].quantize(means))


def test_the_encoder_is_the_usual_part():
    made, features = network(**FORMATS), torch.randn(30, 9)
    assert made.sections == ("encoder", "whole")
    assert made.section("whole") is made
    assert made.section().output_name == "latent_means"
    assert torch.equal(made.section()(features), made.encode(features))
    with pytest.raises(InputError, match="part=decoder: a network of this kind has encoder, whole"):
        made.section("decoder")


@pytest.mark.parametrize("formats", [{}, FORMATS], ids=["float", "quantized"])
def test_the_configuration_rebuilds_it(formats):
    made, features = network(**formats), torch.randn(10, 9)
    twin = build_network(json.loads(json.dumps(made.configuration)))
    assert type(twin) is VariationalAutoencoder
    assert twin.configuration == made.configuration
    twin.load_state_dict(made.state_dict())
    assert torch.equal(twin.eval().log_variances(features), made.log_variances(features))
    assert torch.equal(twin(features), made(features))


def test_refuses_what_it_does_not_take():
    with pytest.raises(InputError, match="network VariationalAutoencoder: .*depth.* written by another version"):
        build_network({"network": "VariationalAutoencoder", "depth": 3})
    with pytest.raises(InputError, match=r"network widths \[57, 32, 16, 0,"):
        VariationalAutoencoder(latent_size=0)
