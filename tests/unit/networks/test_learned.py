"""Networks of learned precision: frozen, they compute the same with one format for each tensor."""

import pytest
import torch

from nanotrigger.errors import InputError
from nanotrigger.graph.from_network import graph_of
from nanotrigger.networks import MLP, Autoencoder, VariationalAutoencoder, build_network
from nanotrigger.networks.learned import frozen
from nanotrigger.networks.weights import layer_weights
from nanotrigger.numbers import FixedPoint

WIDEST = {
    "input": FixedPoint(10, 4),
    "weight": FixedPoint(9, 3),
    "bias": FixedPoint(9, 3),
    "activation": FixedPoint(8, 2, signed=False),
}
NETWORKS = {
    "classifier": lambda bits: MLP(6, [8, 7], 3, **WIDEST, learned_bits=bits),
    "with output": lambda bits: MLP(6, [8], 3, **WIDEST, output=FixedPoint(8, 4), learned_bits=bits),
    "autoencoder": lambda bits: Autoencoder(
        6, (8, 5), 2, **WIDEST, latent=FixedPoint(12, 4), tensors={"dense_3.bias": FixedPoint(5, 2)}, learned_bits=bits
    ),
    "variational": lambda bits: VariationalAutoencoder(
        features=6, hidden=(8, 5), latent_size=2, **WIDEST, latent=FixedPoint(12, 4), learned_bits=bits
    ),
}


def scattered(network: torch.nn.Module) -> torch.nn.Module:
    """Give every tensor other bits, and weights of every size."""
    torch.manual_seed(3)
    for name, tensor in network.named_parameters():
        if name.endswith(("fraction", "reluctant")):
            tensor.data *= 0.4 + 0.7 * torch.rand_like(tensor)
        else:
            tensor.data = torch.randn_like(tensor)
    return network


@pytest.mark.parametrize("granularity", ["weight", "neuron", "tensor"])
@pytest.mark.parametrize("name", NETWORKS)
def test_frozen_networks_compute_the_same(name, granularity):
    network = scattered(NETWORKS[name](granularity))
    plain = frozen(network)
    assert plain.learned_bits is None and "learned_bits" not in plain.configuration
    features = 4 * torch.randn(500, 6)
    assert torch.equal(plain(features), network(features))
    assert torch.equal(plain.double()(features.double()), network.double()(features.double()))
    if name == "variational":
        assert torch.equal(plain.log_variances(features.double()), network.log_variances(features.double()))
    rebuilt = build_network(plain.configuration)
    assert rebuilt.formats == plain.formats


def test_brevitas_own_path_computes_the_same():
    network = scattered(NETWORKS["classifier"]("weight"))
    layer, values = network.layers.dense_1, torch.randn(50, 6)
    weights, biases = layer.weight_quant(layer.weight), layer.bias_quant(layer.bias)
    assert torch.equal(torch.nn.functional.linear(values, weights.value, biases.value), layer(values))
    found = network.layers.input.act_quant(values)
    assert torch.equal(found.value, network.layers.input(values))
    assert found.bit_width == network.layers.input.learned.number.width


def test_weights_without_bits_are_zero():
    network = scattered(NETWORKS["classifier"]("weight"))
    for layer in (network.layers.dense_1, network.layers.dense_2):
        layer.weight_quant.tensor_quant.fraction.data[::2] = -9.0
    first, second, _ = layer_weights(frozen(network))
    assert not first.values[:, ::2].any() and first.values.any()
    assert first.zeros == first.float_zeros and second.zeros >= second.values.size / 2


def test_the_price_in_bit_operations_is_what_is_counted():
    network = NETWORKS["classifier"]("weight")
    network.price.unit = "ebops"
    for layer in (network.layers.dense_1, network.layers.dense_2, network.layers.dense_3):
        layer.weight.data = torch.full_like(layer.weight, 3 / 64)  # two bits, the last one at the step
        layer.bias.data.zero_()
    products = {10: 6 * 8, 8: 8 * 7 + 7 * 3}
    assert network.price(network.layers) == sum(2 * bits * number for bits, number in products.items())
    assert graph_of(frozen(network)).bit_operations() == network.price(network.layers)
    network.price.unit = "aluts"
    assert network.price(network.layers) > 0


def test_gradients_of_the_price_take_bits_away():
    network = scattered(NETWORKS["classifier"]("weight"))
    for unit in ("ebops", "aluts"):
        network.zero_grad()
        network.price.unit = unit
        network.price(network.layers).backward()
        layer = network.layers.dense_1
        fractions = layer.weight_quant.tensor_quant.fraction.grad
        used = layer.quantized()[0] != 0
        assert (fractions[used] > 0).all() and (fractions[~used] == 0).all()
        assert (layer.weight.grad * layer.weight)[used].min() > 0
        assert network.layers.relu_1.learned.reluctant.grad.min() > 0


def test_bits_to_learn_need_formats():
    with pytest.raises(InputError, match=r"learned_bits=weight: give input, weight, bias and activation"):
        MLP(learned_bits="weight")
    assert frozen(MLP()).learned_bits is None
