"""Freeze learned precision: the plain quantized network that computes the same values."""

from collections import defaultdict

import torch
from torch import Tensor

from nanotrigger.networks.build import Network, build_network
from nanotrigger.networks.formats import Formats
from nanotrigger.networks.layers import LearnedLinear, LearnedQuantizer
from nanotrigger.networks.variational_autoencoder import VariationalAutoencoder
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.learned import LearnedParameter, covering

_ONE_EACH = ("weight", "bias", "activation")  # kinds with a format for each layer


def frozen(network: Network, *, headroom: int = 0) -> Network:
    """Return a network whose tensors have one format each, which holds every value; one without learned bits as it is.

    Weights and biases have the values to which they were quantized.

    Args:
        network: any; one of learned precision for something to happen.
        headroom: bits that the formats of weights and biases have more at either end, as far as the widest ones go.
    """
    if network.learned_bits is None or network.given is None:
        return network
    formats, state = dict(network.tensor_formats), network.state_dict()
    values: dict[str, list[Tensor]] = defaultdict(list)
    for path, layer in network.named_modules():
        name = path.removeprefix("layers.")
        if isinstance(layer, LearnedQuantizer):
            formats[name] = layer.learned.number
        elif isinstance(layer, LearnedLinear):
            owner = network.bottleneck if isinstance(network, VariationalAutoencoder) and name == path else name
            with torch.no_grad():
                quantized = layer.quantized()
            for kind, tensor in zip(("weight", "bias"), quantized, strict=True):
                state[f"{path}.{kind}"] = tensor
                values[f"{owner}.{kind}"].append(tensor.flatten())
    formats |= {name: _wider(covering(torch.cat(tensors)), headroom, formats[name]) for name, tensors in values.items()}
    kinds = network.given.kinds
    by_kind = {kind: [formats[name] for name in kinds[kind]] for kind in network.given.given}
    given = {kind: numbers if kind in _ONE_EACH else numbers[0] for kind, numbers in by_kind.items()}
    configuration = {
        name: value for name, value in network.configuration.items() if name not in ("learned_bits", "tensors")
    }
    plain = build_network({**configuration, **Formats(kinds, given).primitives})
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    return plain.train(network.training)


def take_over(network: Network, plain: Network) -> None:
    """Give a network of learned precision the weights and biases of a frozen one, so that it computes the same."""
    state = plain.state_dict()
    with torch.no_grad():
        for path, layer in network.named_modules():
            if isinstance(layer, LearnedLinear):
                for kind in ("weight", "bias"):
                    quantizer: LearnedParameter = getattr(layer, f"{kind}_quant").tensor_quant
                    quantizer.fraction.fill_(quantizer.ceiling.width - quantizer.ceiling.integer)
                    getattr(layer, kind).copy_(state[f"{path}.{kind}"])


def _wider(number: FixedPoint, bits: int, ceiling: FixedPoint) -> FixedPoint:
    if not bits:
        return number
    integer = min(number.integer + bits, ceiling.integer)
    fraction = min(number.width - number.integer + bits, ceiling.width - ceiling.integer)
    return FixedPoint(integer + fraction, integer) if integer + fraction > 1 else ceiling
