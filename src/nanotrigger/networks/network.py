"""Network: layers, the formats of their tensors, and what is to be known of them."""

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from brevitas.nn import QuantIdentity, QuantReLU
from torch import Tensor, nn

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import Formats
from nanotrigger.networks.layers import NORMS, WEIGHTED, Granularity
from nanotrigger.networks.narrowing import Narrowing
from nanotrigger.networks.structure import Residual
from nanotrigger.numbers import FixedPoint

WHOLE = "whole"
_OF_CHAINS = (nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.LeakyReLU, QuantIdentity, QuantReLU)


class Network(nn.Module):
    """Map features, shape (batch, features), to outputs, shape (batch, outputs), layer by layer.

    Args:
        layers: named `input` (its quantizer, if there is one), `dense_1`, `relu_1` and so on.
        shape: of an event, whose values the network is given flat; by default what its first layer reads.
        formats: format of each tensor in `layers`, such as `dense_1.weight` or `relu_1`; empty if it is float.
        output_name: what the outputs are.
        endings: what firmware can add after them, such as `softmax`.
        given: the formats as they were given, from which `formats` are.
        learned_bits: what has bits of its own that are trained; then `formats` are the widest ones, and
            `networks.learned.frozen` returns the network that is made into firmware.
        price: says what a network of learned bits costs.

    Attributes:
        configuration: what rebuilds the network: the name of its class and the arguments, primitives only; empty for
            a section of another network.
        heads: layers beside the chain, by name, and which layer's formats each of them has.
        is_own: whether the layers are a module of the user's, of which only its forward pass knows the order.
    """

    is_own = False

    def __init__(
        self,
        layers: nn.Sequential,
        formats: Mapping[str, FixedPoint],
        *,
        output_name: str,
        shape: Sequence[int] | None = None,
        endings: tuple[str, ...] = (),
        given: Formats | None = None,
        learned_bits: Granularity | None = None,
        price: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.configuration: dict[str, Any] = {}
        self.heads: dict[str, str] = {}
        self.given = given
        self.learned_bits = learned_bits
        self.price: Any = price
        self.layers = layers
        self.shape = tuple(shape or (next(_weighted(layers)).in_features,))
        self.formats = dict(formats)
        self.output_name = output_name
        self.endings = endings

    @property
    def named_formats(self) -> dict[str, FixedPoint]:
        """The formats by the names under which they were given, such as `weight`; empty if none were."""
        return {} if self.given is None else self.given.by_name

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of features, and of the units of each layer with weights, at each of its places."""
        return (self.features, *(len(layer.weight) for layer in _weighted(self.layers)))

    @property
    def features(self) -> int:
        """Number of features, all values of an event."""
        return math.prod(self.shape)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.widths[-1]

    @property
    def is_quantized(self) -> bool:
        """Whether it computes with numbers of a format."""
        return bool(self.formats)

    @property
    def is_chain(self) -> bool:
        """Whether linear layers follow one another, which is what hls4ml converts as it is."""
        return not self.is_own and all(isinstance(layer, _OF_CHAINS) for layer in self.layers)

    @property
    def is_narrowed(self) -> bool:
        """Whether activations of some neurons have fewer bits than their layer's format."""
        return any(part.is_used for part in self.layers.modules() if isinstance(part, Narrowing))

    @property
    def has_firmware(self) -> bool:
        """Whether firmware can be made of it, once BatchNorms are folded: of floats only if they are a chain."""
        return self.is_quantized or self.is_chain

    @property
    def description(self) -> str:
        """The network in one line: its widths, the number of its parameters and its formats as they were given."""
        by_tensor = ", ".join(f"{name} {number}" for name, number in self.formats.items())
        return self.describe(by_tensor if self.given is None else str(self.given))

    def describe(self, formats: str) -> str:
        """Return the network in one line: its widths, the number of its parameters and its formats."""
        parameters = sum(tensor.numel() for tensor in self.parameters())
        widths = "-".join(["x".join(map(str, self.shape)), *map(str, self.widths[1:])])
        return f"{type(self).__name__} {widths}, {parameters:,} parameters, {formats or 'float'}"

    @property
    def sections(self) -> tuple[str, ...]:
        """What firmware can be made of, the usual choice first."""
        return (WHOLE,)

    def section(self, name: str | None = None) -> "Network":
        """Return a section of the network, the usual one if no name is given; it shares the layers.

        Raises:
            InputError: the network has no such section.
        """
        name = self.sections[0] if name is None else name
        if name not in self.sections:
            raise InputError(f"part={name}: a network of this kind has {', '.join(self.sections)}")
        return self._section(name)

    def _section(self, name: str) -> "Network":
        return self

    def forward(self, features: Tensor) -> Tensor:
        """Return outputs, shape (batch, outputs)."""
        outputs: Tensor = self.layers(features)
        return outputs


def folded(network: Network) -> Network:
    """Return a network without BatchNorm that computes what `network` does in evaluation mode; a copy if it has any.

    After weights W and biases b, a BatchNorm of mean m, variance v, scale g and offset o (arXiv 1502.03167, eq. 1)
    leaves W g / sqrt(v + eps) and (b - m) g / sqrt(v + eps) + o.
    """
    if network.is_own or not any(isinstance(layer, NORMS) for layer in network.layers.modules()):
        return network
    layers = copy.deepcopy(network.layers)
    for part in [layers, *(part for part in layers.modules() if isinstance(part, Residual))]:
        previous: nn.Module | None = None
        for name, layer in list(part.named_children()):
            if isinstance(layer, NORMS):
                _fold(previous, layer)
                delattr(part, name)
            else:
                previous = layer
    plain = Network(
        layers, network.formats, shape=network.shape, output_name=network.output_name, endings=network.endings
    )
    return plain.train(network.training)


def _fold(layer: Any, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    if not isinstance(layer, WEIGHTED) or layer.bias is None or norm.running_var is None or norm.running_mean is None:
        raise TypeError(f"BatchNorm after {type(layer).__name__}, where only a layer with weights can take it in")
    with torch.no_grad():
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        layer.weight *= factor.reshape(-1, *[1] * (layer.weight.ndim - 1))
        layer.bias.copy_((layer.bias - norm.running_mean) * factor + norm.bias)


def _weighted(layers: nn.Module) -> Iterator[Any]:
    """Yield the layers with weights."""
    return (layer for layer in layers.modules() if isinstance(layer, WEIGHTED))
