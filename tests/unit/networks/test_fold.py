"""Folding of BatchNorm: the same function with fewer layers."""

import pytest
import torch
from torch import nn

from nanotrigger.networks import MLP, Autoencoder, Network, VariationalAutoencoder
from nanotrigger.networks.network import folded


def lived_in(network):
    """Return the network with random biases and BatchNorms, in evaluation mode and double precision."""
    torch.manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.1, 4.0)
            nn.init.normal_(layer.weight)  # some negative
        if isinstance(layer, nn.Linear | nn.BatchNorm1d):
            nn.init.normal_(layer.bias)
    return network.eval().double()


@pytest.mark.parametrize("kind", [Autoencoder, VariationalAutoencoder])
@pytest.mark.parametrize("part", ["whole", "encoder"])
def test_computes_the_same(kind, part):
    network = lived_in(kind(features=9, hidden=[8, 7])).section(part)
    features = torch.randn(100, 9).double()
    plain = folded(network)
    torch.testing.assert_close(plain(features), network(features), rtol=1e-12, atol=1e-12)
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in plain.modules())
    assert (plain.widths, plain.output_name) == (network.widths, network.output_name)


def test_the_network_itself_stays_as_it_was():
    network = lived_in(Autoencoder())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    plain = folded(network)
    plain.layers.dense_6.weight.data.zero_()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_pruned_weights_stay_zero():
    network = lived_in(Autoencoder())
    network.layers.dense_2.weight.data[torch.rand(16, 32) < 0.5] = 0.0
    before, after = network.layers.dense_2.weight, folded(network).layers.dense_2.weight
    assert torch.equal(before == 0, after == 0)
    assert not torch.equal(before, after)


@pytest.mark.parametrize("network", [MLP(), Autoencoder(batch_norm=False)])
def test_a_network_without_batch_norm_is_returned(network):
    assert folded(network) is network


def test_keeps_the_mode():
    assert folded(Autoencoder().train()).training
    assert not folded(Autoencoder().eval()).training


@pytest.mark.parametrize("layers", [[nn.BatchNorm1d(3)], [nn.Linear(3, 3), nn.ReLU(), nn.BatchNorm1d(3)]])
def test_only_a_linear_layer_takes_it_in(layers):
    with pytest.raises(TypeError, match="where only a layer with weights can take it in"):
        folded(Network(nn.Sequential(*layers), {}, shape=(3,), output_name="values"))
