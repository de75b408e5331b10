"""Autoencoder: an encoder, a narrow bottleneck and a decoder that mirrors it, float or quantized."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from nanotrigger.errors import InputError
from nanotrigger.networks.dense import WHOLE, DenseNetwork
from nanotrigger.networks.formats import Formats, LayerFormats
from nanotrigger.networks.layers import Granularity, dense_layer, quantizer_layer, relu_layer
from nanotrigger.numbers import FixedPoint

ENCODER = "encoder"
_HE = 2.0  # variance of the first weights times inputs


class Autoencoder(DenseNetwork):
    """Map standardized features, shape (batch, features), to their reconstruction of the same shape.

    Layers are numbered through: with two hidden layers the bottleneck is `dense_3`, the last layer `dense_6`. Neither
    has an activation. A float network has BatchNorm and a leaky ReLU behind every hidden layer, a quantized one a ReLU.
    It is quantized if `input`, `weight`, `bias` and `activation` are given. Weights start he-uniform, biases at zero.

    Args:
        features: number of inputs and outputs.
        hidden: widths of the encoder's hidden layers; the decoder has them in reverse order.
        latent_size: width of the bottleneck.
        batch_norm: whether a float network has BatchNorm.
        slope: of a float network's leaky ReLU for negative values.
        input: format of the features.
        weight: format of the weights of every layer, or a list with one for each, 2 `len(hidden)` + 2 of them.
        bias: format of the biases, likewise.
        activation: format behind every ReLU, or a list with one for each, 2 `len(hidden)` of them; unsigned.
        latent: format of the latent values; without it they keep the full precision of the sum.
        output: format of the reconstruction, likewise.
        tensors: formats of single tensors by name, such as `dense_3.weight`, that differ from those of their kind.
        learned_bits: train the bits of every tensor, as of `MLP`; the formats are the widest ones.

    Raises:
        InputError: a width below 1, formats for only some of the tensors, or for unknown ones, or bits to learn and no
            formats.
    """

    def __init__(
        self,
        features: int = 57,
        hidden: Sequence[int] = (32, 16),
        latent_size: int = 3,
        *,
        batch_norm: bool = True,
        slope: float = 0.3,
        input: FixedPoint | None = None,
        weight: LayerFormats | None = None,
        bias: LayerFormats | None = None,
        activation: LayerFormats | None = None,
        latent: FixedPoint | None = None,
        output: FixedPoint | None = None,
        tensors: Mapping[str, FixedPoint] | None = None,
        learned_bits: Granularity | None = None,
    ) -> None:
        widths = [features, *hidden, latent_size, *reversed(hidden), features]
        if min(widths) < 1:
            raise InputError(f"network widths {widths}: every layer needs at least one unit")
        if not 0 <= slope < 1:
            raise InputError(f"network.slope={slope}: must be at least 0 and below 1")
        given = {"input": input, "weight": weight, "bias": bias, "activation": activation}
        given |= {"latent": latent, "output": output}
        numbers = Formats(
            _tensors(len(hidden)), {name: value for name, value in given.items() if value is not None}, tensors or {}
        )
        formats = numbers.by_tensor
        super().__init__(
            _layers(widths, formats, batch_norm=batch_norm, slope=slope, learned_bits=learned_bits),
            formats,
            output_name="reconstruction",
            given=numbers,
            learned_bits=learned_bits,
        )
        self.latent_size = latent_size
        self.bottleneck = f"dense_{len(hidden) + 1}"
        names = [name for name, _ in self.layers.named_children()]
        self._encoder_length = names.index("latent" if "latent" in names else self.bottleneck) + 1
        self.configuration: dict[str, Any] = {
            "network": type(self).__name__,
            "features": features,
            "hidden": list(hidden),
            "latent_size": latent_size,
            "batch_norm": batch_norm,
            "slope": slope,
            **numbers.primitives,
            **self.learned_primitives,
        }

    _latent_name = "latent_values"

    @property
    def _latent_endings(self) -> tuple[str, ...]:
        return ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The whole, or the encoder alone."""
        return (WHOLE, ENCODER)

    def encode(self, features: Tensor) -> Tensor:
        """Return latent values, shape (batch, latent_size)."""
        return self._run(features, slice(None, self._encoder_length))

    def decode(self, latent: Tensor) -> Tensor:
        """Return the reconstruction, shape (batch, features), of latent values, shape (batch, latent_size)."""
        return self._run(latent, slice(self._encoder_length, None))

    def _run(self, values: Tensor, part: slice) -> Tensor:
        for layer in list(self.layers)[part]:
            values = layer(values)
        return values

    def _part(self, name: str) -> DenseNetwork:
        if name == WHOLE:
            return self
        layers = nn.Sequential(OrderedDict(list(self.layers.named_children())[: self._encoder_length]))
        names = {child for child, _ in layers.named_children()}
        formats = {
            tensor: number for tensor, number in self.tensor_formats.items() if tensor.partition(".")[0] in names
        }
        return DenseNetwork(layers, formats, output_name=self._latent_name, endings=self._latent_endings)


def _layers(
    widths: Sequence[int],
    formats: Mapping[str, FixedPoint],
    *,
    batch_norm: bool,
    slope: float,
    learned_bits: Granularity | None,
) -> nn.Sequential:
    layers, is_learned = nn.Sequential(), learned_bits is not None
    bottleneck, last = len(widths) // 2, len(widths) - 1
    if "input" in formats:
        layers.add_module("input", quantizer_layer(formats["input"], learned=is_learned))
    for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        name = f"dense_{depth}"
        weight, bias = (formats.get(f"{name}.{kind}") for kind in ("weight", "bias"))
        layers.add_module(name, dense_layer(inputs, outputs, weight, bias, variance=_HE, learned=learned_bits))
        if depth not in (bottleneck, last):
            if batch_norm and not formats:
                layers.add_module(f"norm_{depth}", nn.BatchNorm1d(outputs))
            activation = formats.get(f"relu_{depth}")
            layers.add_module(f"relu_{depth}", relu_layer(activation, slope=slope, learned=is_learned))
        elif (kind := "latent" if depth == bottleneck else "output") in formats:
            layers.add_module(kind, quantizer_layer(formats[kind], learned=is_learned and kind == "latent"))
    return layers


def _tensors(hidden: int) -> dict[str, tuple[str, ...]]:
    """Return the tensors of each kind in a network with so many hidden layers in its encoder."""
    bottleneck, last = hidden + 1, 2 * hidden + 2
    depths = range(1, last + 1)
    return {
        "input": ("input",),
        "weight": tuple(f"dense_{depth}.weight" for depth in depths),
        "bias": tuple(f"dense_{depth}.bias" for depth in depths),
        "activation": tuple(f"relu_{depth}" for depth in depths if depth not in (bottleneck, last)),
        "latent": ("latent",),
        "output": ("output",),
    }
