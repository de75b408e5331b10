"""Autoencoders: an encoder, a narrow bottleneck and a decoder that mirrors it; plain and variational."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from nanotrigger.errors import InputError
from nanotrigger.networks.chain import Chain
from nanotrigger.networks.formats import LayerFormats
from nanotrigger.networks.layers import Granularity
from nanotrigger.networks.network import WHOLE, Network
from nanotrigger.networks.plan import HE, Linear, weight_layer
from nanotrigger.numbers import FixedPoint

ENCODER = "encoder"


class Autoencoder(Chain):
    """Map standardized features, shape (batch, features), to their reconstruction of the same shape.

    Layers are numbered through: with two hidden layers the bottleneck is `dense_3`, the last layer `dense_6`. Neither
    has an activation. A float network has BatchNorm and a leaky ReLU after every hidden layer, a quantized one a ReLU.
    It is quantized if `input`, `weight` and `bias` are given. Weights start he-uniform, biases at zero.

    Args:
        features: number of inputs and outputs.
        hidden: widths of the encoder's hidden layers; the decoder has them in reverse order.
        latent_size: width of the bottleneck.
        batch_norm: whether a float network has BatchNorm.
        slope: of a float network's leaky ReLU for negative values.
        input: format of the features.
        weight: format of the weights of every layer, or a list with one for each, 2 `len(hidden)` + 2 of them.
        bias: format of the biases, likewise.
        activation: format after every ReLU, or a list with one for each, 2 `len(hidden)` of them; unsigned.
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
        if not 0 <= slope < 1:
            raise InputError(f"network.slope={slope}: must be at least 0 and below 1")
        bottleneck = len(hidden) + 1
        ends = {bottleneck: "latent", 2 * bottleneck: "output"}
        given = {"input": input, "weight": weight, "bias": bias, "activation": activation}
        super().__init__(
            [features, *hidden, latent_size, *reversed(hidden), features],
            ends,
            output_name="reconstruction",
            arguments={
                "features": features,
                "hidden": list(hidden),
                "latent_size": latent_size,
                "batch_norm": batch_norm,
                "slope": slope,
            },
            given={**given, "latent": latent, "output": output},
            tensors=tensors,
            learned_bits=learned_bits,
            variance=HE,
            batch_norm=batch_norm,
            slope=slope,
        )
        self.latent_size = latent_size
        self.bottleneck = f"dense_{bottleneck}"
        names = [name for name, _ in self.layers.named_children()]
        self._encoder_length = names.index("latent" if "latent" in names else self.bottleneck) + 1

    _latent_name = "latent_values"

    @property
    def _latent_endings(self) -> tuple[str, ...]:
        return ()

    @property
    def sections(self) -> tuple[str, ...]:
        """The whole, or the encoder alone."""
        return (WHOLE, ENCODER)

    def encode(self, features: Tensor) -> Tensor:
        """Return latent values, shape (batch, latent_size)."""
        return self._run(features, slice(None, self._encoder_length))

    def decode(self, latent: Tensor) -> Tensor:
        """Return the reconstruction, shape (batch, features), of latent values, shape (batch, latent_size)."""
        return self._run(latent, slice(self._encoder_length, None))

    def _run(self, values: Tensor, layers: slice) -> Tensor:
        for layer in list(self.layers)[layers]:
            values = layer(values)
        return values

    def _section(self, name: str) -> Network:
        if name == WHOLE:
            return self
        layers = nn.Sequential(OrderedDict(list(self.layers.named_children())[: self._encoder_length]))
        names = {child for child, _ in layers.named_children()}
        formats = {tensor: number for tensor, number in self.formats.items() if tensor.partition(".")[0] in names}
        return Network(layers, formats, output_name=self._latent_name, endings=self._latent_endings)


class VariationalAutoencoder(Autoencoder):
    """An autoencoder whose bottleneck is the mean of a Gaussian, and which has a second head for its variance.

    What `Autoencoder` does is done with the means. The second head is needed for training and for the KL divergence
    only; firmware has the means.

    Args:
        latent_size: number of Gaussians.
        **others: as of `Autoencoder`. The head `log_variance` has the formats of the bottleneck.
    """

    def __init__(self, *, latent_size: int = 2, **others: Any) -> None:
        super().__init__(latent_size=latent_size, **others)
        weight, bias = (self.formats.get(f"{self.bottleneck}.{kind}") for kind in ("weight", "bias"))
        self._head = [name for name, _ in self.layers.named_children()].index(self.bottleneck)
        inputs = self.widths[len(self.widths) // 2 - 1]
        self.log_variance = weight_layer(Linear(inputs, latent_size), weight, bias, learned=self.learned_bits)
        nn.init.zeros_(self.log_variance.weight)  # begins with unit Gaussians
        self.heads = {"log_variance": self.bottleneck}

    _latent_name = "latent_means"

    @property
    def _latent_endings(self) -> tuple[str, ...]:
        return ("radius",) if self.formats else ()  # the sum of squares of words is exact

    @property
    def sections(self) -> tuple[str, ...]:
        """The encoder, which is enough for the radius of the means, or the whole with the means decoded."""
        return (ENCODER, WHOLE)

    def distribution(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means and the logarithms of the variances, each of shape (batch, latent_size)."""
        hidden = self._run(features, slice(None, self._head))
        return self._run(hidden, slice(self._head, self._encoder_length)), self.log_variance(hidden)

    def log_variances(self, features: Tensor) -> Tensor:
        """Return the logarithms of the variances, shape (batch, latent_size)."""
        return self.distribution(features)[1]
