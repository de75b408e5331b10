"""Residual MLPs, Deep Sets and convolutional networks: what they compute, float, quantized and of learned precision."""

import pytest
import torch
from brevitas.nn import QuantConv1d, QuantConv2d
from torch import nn
from torch.nn import functional

from nanotrigger.errors import InputError
from nanotrigger.networks import ConvNet, DeepSets, ResidualMLP, build_network, check_rebuilt
from nanotrigger.networks.layers import NORMS, WEIGHTED, QuantizedConv1d, QuantizedConv2d
from nanotrigger.networks.learned import frozen
from nanotrigger.networks.learned_layers import LearnedQuantizer
from nanotrigger.networks.network import folded
from nanotrigger.networks.structure import SetPool
from nanotrigger.networks.trace import layer_outputs
from nanotrigger.networks.weights import layer_weights
from nanotrigger.numbers import FixedPoint

FORMATS = {
    "input": FixedPoint(10, 4),
    "weight": FixedPoint(6, 2),
    "bias": FixedPoint(6, 2),
    "activation": FixedPoint(8, 2, signed=False),
}
SMALL = {
    ResidualMLP: {"features": 6, "width": 5, "blocks": 2, "classes": 3},
    DeepSets: {"particles": 4, "features": 3, "phi": [6, 5], "rho": [4], "classes": 3},
    ConvNet: {"shape": [8, 7, 2], "filters": [3, 2], "kernel": 2, "hidden": [4], "classes": 3},
}
ONE_AXIS = {
    "shape": [9, 2],
    "filters": [3],
    "kernel": 3,
    "stride": 2,
    "padding": 1,
    "pool": 2,
    "hidden": [],
    "classes": 3,
}
KINDS = [*SMALL.items(), (ConvNet, ONE_AXIS)]

PLACES = {ResidualMLP: [1] * 6, DeepSets: [4, 4, 1, 1], 3: [7 * 6, 2 * 2, 1, 1], 2: [5, 1]}

kinds = pytest.mark.parametrize(("kind", "sizes"), KINDS, ids=["residual", "sets", "image", "sequence"])


def scattered(network: nn.Module) -> nn.Module:
    """Give all parameters other values, and learned bits as well."""
    torch.manual_seed(3)
    for name, tensor in network.named_parameters():
        if name.endswith(("fraction", "reluctant")):
            tensor.data *= 0.4 + 0.7 * torch.rand_like(tensor)
        else:
            tensor.data = torch.randn_like(tensor)
    return network


@kinds
@pytest.mark.parametrize("settings", [{}, {"batch_norm": True}, FORMATS, {**FORMATS, "output": FixedPoint(12, 6)}])
def test_a_checkpoint_can_hold_it(kind, sizes, settings):
    network = kind(**sizes, **settings)
    check_rebuilt(network)
    assert build_network(network.configuration).formats == network.formats
    assert network(torch.randn(4, network.features)).shape == (4, 3)
    assert network.outputs == 3
    assert network.is_quantized == ("weight" in settings)
    assert not network.is_chain


@kinds
@pytest.mark.parametrize("granularity", ["weight", "neuron", "tensor"])
def test_frozen_it_computes_the_same(kind, sizes, granularity):
    network = scattered(kind(**sizes, **FORMATS, learned_bits=granularity))
    check_rebuilt(network)
    plain, features = frozen(network), 4 * torch.randn(300, network.features)
    assert plain.learned_bits is None
    assert torch.equal(plain.double()(features.double()), network.double()(features.double()))


@kinds
def test_the_price_of_a_weight_counts_its_places(kind, sizes):
    network = kind(**sizes, **FORMATS, learned_bits="weight")
    network.price.unit = "ebops"
    total, signal, places = 0.0, 0.0, []
    with torch.no_grad():
        for layer in network.layers.modules():
            if isinstance(layer, WEIGHTED):
                weights, biases = layer.bits()
                total += layer.places * float(weights.sum() * signal + biases.sum())
                places.append(layer.places)
            elif isinstance(layer, LearnedQuantizer):
                signal = float(layer.learned.bits())
            elif isinstance(layer, SetPool):
                signal += 2  # of four members
        assert float(network.price(network.layers)) == pytest.approx(total)
    assert places == PLACES[len(network.shape) if kind is ConvNet else kind]


@kinds
def test_folding_batch_norm_computes_the_same(kind, sizes):
    network = kind(**sizes, batch_norm=True).double()
    torch.manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, NORMS):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.1, 4.0)
            nn.init.normal_(layer.weight)
    network.eval()
    features, plain = torch.randn(50, network.features).double(), folded(network)
    assert not any(isinstance(layer, NORMS) for layer in plain.modules())
    torch.testing.assert_close(plain(features), network(features), rtol=1e-12, atol=1e-12)


@kinds
@pytest.mark.parametrize("learned", [{}, {"learned_bits": "weight"}])
def test_what_layers_give_is_traced(kind, sizes, learned):
    network = scattered(kind(**sizes, **FORMATS, **learned)).eval()
    features = torch.randn(20, network.features)
    outputs = layer_outputs(network, features)
    assert torch.equal(list(outputs.values())[-1], network(features))
    assert {layer.name for layer in layer_weights(network)} < outputs.keys()
    assert not any("quant" in name for name in outputs)


def test_a_residual_block_adds_to_what_it_is_given():
    network = scattered(ResidualMLP(**SMALL[ResidualMLP]))
    features, layers = torch.randn(10, 6), network.layers
    hidden = layers.dense_1(features).relu()
    for block in (layers.block_1, layers.block_2):
        hidden = (hidden + block.dense_2(block.dense_1(hidden).relu())).relu()
    assert torch.equal(layers.dense_2(hidden), network(features))


@pytest.mark.parametrize("pool", ["sum", "mean"])
def test_the_order_of_particles_does_not_matter(pool):
    network = scattered(DeepSets(**SMALL[DeepSets], **FORMATS, pool=pool)).double()
    features = torch.randn(30, 4, 3).double()
    outputs = network(features.flatten(1))
    assert torch.equal(network(features[:, [2, 0, 3, 1]].flatten(1)), outputs)
    assert not torch.equal(network(features[..., [2, 0, 1]].flatten(1)), outputs)


def test_sums_and_means_differ_by_the_number_of_particles():
    by_sum, by_mean = (DeepSets(**SMALL[DeepSets], pool=pool) for pool in ("sum", "mean"))
    by_mean.load_state_dict(by_sum.state_dict())
    features = torch.randn(5, 12)
    of_sum, of_mean = (layer_outputs(network, features) for network in (by_sum, by_mean))
    torch.testing.assert_close(of_sum["sum"], 4 * of_mean["mean"])


def test_an_image_has_its_channels_last():
    network = scattered(ConvNet(**SMALL[ConvNet]))
    image, layers = torch.randn(6, 8, 7, 2), network.layers
    values = image.permute(0, 3, 1, 2)
    for conv in (layers.conv_1, layers.conv_2):
        values = functional.max_pool2d(functional.conv2d(values, conv.weight, conv.bias).relu(), 2)
    outputs = layers.dense_4(layers.dense_3(values.flatten(1)).relu())
    torch.testing.assert_close(network(image.flatten(1)), outputs)


@pytest.mark.parametrize(
    ("ours", "brevitas", "shape"), [(QuantizedConv1d, QuantConv1d, (9,)), (QuantizedConv2d, QuantConv2d, (9, 8))]
)
@pytest.mark.parametrize("window", [{}, {"stride": 2, "padding": 1}])
@pytest.mark.parametrize("number", [FixedPoint(1, 1), FixedPoint(4, 2), FixedPoint(8, 2, narrow=True)], ids=str)
def test_convolutions_equal_brevitas(ours, brevitas, shape, window, number):
    torch.manual_seed(0)
    layer, values = ours(3, 4, 2, number, number, **window), torch.randn(5, 3, *shape, requires_grad=True)
    nn.init.normal_(layer.bias)
    mine, theirs = layer(values), brevitas.forward(layer, values)
    assert torch.equal(mine, theirs)
    chosen = torch.randn_like(mine)
    for one, other in zip(
        *(
            torch.autograd.grad((result * chosen).sum(), [values, layer.weight, layer.bias])
            for result in (mine, theirs)
        ),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ConvNet(shape=[16]),
            r"network.shape=\[16\]: give \(length, channels\) or \(height, width, channels\)",
        ),
        (lambda: ConvNet(shape=[6, 6, 1]), "after convolution 2 an image of .* has 0 x 0 places, too few for pool=2"),
        (lambda: ConvNet(kernel=0), "network.kernel=0: must be at least 1"),
        (lambda: ConvNet(padding=-1), "network.padding=-1: must be at least 0"),
        (lambda: DeepSets(phi=[]), r"network.phi=\[\]: nothing is computed of the particles"),
        (lambda: DeepSets(particles=12, pool="mean", **FORMATS), "network.pool=mean: a 12th of an integer is none"),
        (lambda: DeepSets(rho=[0]), r"particles=16, features=3, phi=\[32, 32\], rho=\[0\], classes=5: every layer"),
        (lambda: ResidualMLP(width=0), "every layer needs at least one unit"),
        (
            lambda: ResidualMLP(**{**FORMATS, "weight": [FixedPoint(4, 2)] * 3}),
            "network.weight has 3 formats, the network 6",
        ),
        (lambda: ResidualMLP(learned_bits="weight"), "give input, weight, bias and activation as well"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(InputError, match=message):
        make()
