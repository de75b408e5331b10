"""Freeze learned precision: the plain quantized network that computes the same values."""

from collections import defaultdict

import torch
from torch import Tensor

from nanotrigger.networks.build import Network, build_network
from nanotrigger.networks.formats import Formats
from nanotrigger.networks.layers import LearnedLinear, LearnedQuantizer
from nanotrigger.networks.variational_autoencoder import VariationalAutoencoder
from nanotrigger.numbers.learned import covering

_ONE_EACH = ("weight", "bias", "activation")  # kinds with a format for each layer


def frozen(network: Network) -> Network:
    """Return a network whose tensors have one format each, which holds every value; one without learned bits as it is.

    Weights and biases have the values to which they were quantized.
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
    formats |= {name: covering(torch.cat(tensors)) for name, tensors in values.items()}
    kinds = network.given.kinds
    by_kind = {kind: [formats[name] for name in kinds[kind]] for kind in network.given.given}
    given = {kind: numbers if kind in _ONE_EACH else numbers[0] for kind, numbers in by_kind.items()}
    configuration = {
        name: value for name, value in network.configuration.items() if name not in ("learned_bits", "tensors")
    }
    plain = build_network({**configuration, **Formats(kinds, given).primitives})
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    return plain.train(network.training)
