"""Warm start: weights go over by layer name, and never from a run that saw the test split."""

import copy

import pytest
import torch

from nanotrigger.errors import InputError
from nanotrigger.networks import MLP, Autoencoder, VariationalAutoencoder
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.warm_start import _check_split, copy_layers, fit_to_formats

FORMATS = {
    "input": FixedPoint(16, 6),
    "weight": FixedPoint(4, 2, narrow=True),
    "bias": FixedPoint(4, 2, narrow=True),
    "activation": FixedPoint(8, 1, signed=False),
}


BY_LAYER = {**FORMATS, "weight": [FixedPoint(width, 1) for width in (4, 1, 3, 6)]}


@pytest.mark.parametrize("formats", [FORMATS, BY_LAYER], ids=["one for all", "by layer"])
def test_copies_float_into_quantized(formats):
    source, target = MLP(), MLP(**formats)
    torch.nn.init.normal_(source.layers.dense_2.bias)
    copy_layers(source, target)
    for depth in range(1, 5):
        for name in ("weight", "bias"):
            expected = getattr(source.layers.get_submodule(f"dense_{depth}"), name)
            assert torch.equal(getattr(target.layers.get_submodule(f"dense_{depth}"), name), expected)


def test_what_a_coarser_format_would_round_away_is_fitted():
    source, target = MLP(), MLP(**{**FORMATS, "weight": [FixedPoint(2, 2), *[FORMATS["weight"]] * 3]})
    copy_layers(source, target)
    fit_to_formats(target, {"dense_2.weight": FORMATS["weight"]})
    assert (target.formats["dense_1.weight"].quantize(target.layers.dense_1.weight) != 0).sum(dim=1).min() >= 4
    assert torch.equal(target.layers.dense_2.weight, source.layers.dense_2.weight)


def test_weights_of_the_same_format_stay_although_they_are_rounded_away():
    source, target = MLP(**FORMATS), MLP(**FORMATS)
    torch.nn.init.constant_(source.layers.dense_1.weight, 0.01)
    copy_layers(source, target)
    fit_to_formats(target, source.formats)
    assert torch.equal(target.layers.dense_1.weight, source.layers.dense_1.weight)


def test_the_head_of_a_variational_autoencoder_is_fitted_as_its_bottleneck():
    ternary = {**FORMATS, "weight": FixedPoint(2, 2)}
    target = VariationalAutoencoder(hidden=[16], **ternary)
    torch.nn.init.uniform_(target.log_variance.weight, -0.3, 0.3)
    fit_to_formats(target, {})
    assert (target.log_variance.weight.abs() == 1).sum(dim=1).min() >= 4


def test_refuses_other_shapes():
    with pytest.raises(InputError, match="make network.hidden equal"):
        copy_layers(MLP(hidden=[32, 32]), MLP())


def test_refuses_a_run_that_saw_the_test_split():
    record = {"sha256": "a", "split_seed": 0, "test": 0.2, "validation": 0.25}
    _check_split("x.ckpt", record, dict(record))
    _check_split("x.ckpt", record, record | {"sha256": "b", "split_seed": 1})
    with pytest.raises(InputError, match=r"data.split_seed=0, this run has 1: it would be tested on events"):
        _check_split("x.ckpt", record, record | {"split_seed": 1})


def lived_in(network):
    """Return an autoencoder with random biases and BatchNorms, in evaluation mode."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm1d):
            torch.nn.init.normal_(layer.running_mean)
            torch.nn.init.uniform_(layer.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(layer.weight, 0.5, 2.0)
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.Linear):
            torch.nn.init.normal_(layer.bias)
    return network.eval()


@pytest.mark.parametrize("kind", [Autoencoder, VariationalAutoencoder])
def test_batch_norm_is_folded_where_the_target_has_none(kind):
    source, plain, quantized = lived_in(kind()), kind(batch_norm=False).eval(), kind(**FORMATS)
    features, before = torch.randn(100, 57), copy.deepcopy(source.state_dict())
    copy_layers(source, plain)
    copy_layers(source, quantized)
    torch.testing.assert_close(plain(features), source(features), rtol=1e-4, atol=1e-4)
    assert not torch.equal(plain.layers.dense_1.weight, source.layers.dense_1.weight)
    floats = plain.state_dict()
    for name, parameter in quantized.named_parameters():  # before quantization
        assert torch.equal(parameter, floats[name])
    assert all(torch.equal(tensor, before[name]) for name, tensor in source.state_dict().items())
    if kind is VariationalAutoencoder:
        torch.testing.assert_close(plain.log_variances(features), source.log_variances(features), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [Autoencoder, VariationalAutoencoder])
def test_batch_norm_is_copied_where_the_target_has_it(kind):
    source, target = lived_in(kind()), kind()
    copy_layers(source, target)
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in source.state_dict().items())


def test_a_network_without_batch_norm_starts_one_that_has_it():
    source, target = Autoencoder(batch_norm=False), Autoencoder()
    copy_layers(source, target)
    assert torch.equal(target.layers.dense_6.weight, source.layers.dense_6.weight)
    assert torch.equal(target.layers.norm_1.running_var, torch.ones(32))


def test_an_autoencoder_does_not_start_a_variational_one():
    with pytest.raises(InputError, match="make network.hidden equal") as caught:
        copy_layers(Autoencoder(latent_size=2), VariationalAutoencoder())
    assert "\n" not in str(caught.value)
