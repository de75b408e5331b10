"""Learned precision in a network: the plain network that it becomes, and back."""

from collections import defaultdict
from typing import TypeVar

import torch
from torch import Tensor

from nanotrigger.networks.formats import Formats
from nanotrigger.networks.learned_layers import LEARNED_WEIGHTS, LearnedQuantizer
from nanotrigger.networks.narrowing import Narrowing
from nanotrigger.networks.network import Network
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.learned import LearnedParameter, covering

AnyNetwork = TypeVar("AnyNetwork", bound=Network)

_ONE_EACH = ("weight", "bias", "activation")  # kinds with a format for each layer


def frozen(network: AnyNetwork, *, headroom: int = 0) -> AnyNetwork:
    """Return the plain quantized network that computes the same; one without learned bits as it is.

    Each of its tensors has one format, which holds all values of that tensor. Weights and biases have the values to
    which they were quantized.

    Args:
        network: any.
        headroom: bits that are added to the formats of weights and biases at both ends, up to the widest format.
    """
    if network.learned_bits is None or network.given is None:
        return network
    formats, state = dict(network.formats), network.state_dict()
    values: dict[str, list[Tensor]] = defaultdict(list)
    for path, layer in network.named_modules():
        name = network.heads.get(path, path.removeprefix("layers."))
        if isinstance(layer, LearnedQuantizer):
            formats[name] = layer.learned.number
        elif isinstance(layer, LEARNED_WEIGHTS):
            with torch.no_grad():
                quantized = layer.quantized()
            for kind, tensor in zip(("weight", "bias"), quantized, strict=True):
                state[f"{path}.{kind}"] = tensor
                values[f"{name}.{kind}"].append(tensor.flatten())
    formats |= {name: _wider(covering(torch.cat(tensors)), headroom, formats[name]) for name, tensors in values.items()}
    plain = _without_learned_bits(network, network.given, formats)
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    return plain.train(network.training)


def _without_learned_bits(network: AnyNetwork, given: Formats, formats: dict[str, FixedPoint]) -> AnyNetwork:
    """Return a freshly initialized network of the same class and arguments, of fixed formats."""
    by_kind = {kind: [formats[name] for name in given.kinds[kind]] for kind in given.given}
    fixed = {kind: numbers if kind in _ONE_EACH else numbers[0] for kind, numbers in by_kind.items()}
    no_longer = ("network", "learned_bits", "tensors")
    arguments = {name: value for name, value in network.configuration.items() if name not in no_longer}
    return type(network)(**{**arguments, **fixed})


def take_over(network: Network, plain: Network) -> None:
    """Give a network of learned precision what was refined in a frozen one, so that it computes the same."""
    state = plain.state_dict()
    with torch.no_grad():
        for path, layer in network.named_modules():
            if isinstance(layer, Narrowing):
                layer.load_state_dict({name: state[f"{path}.{name}"] for name in layer.state_dict()})
            if isinstance(layer, LEARNED_WEIGHTS):
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
