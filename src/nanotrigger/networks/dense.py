"""Dense networks: linear layers one behind the other, float or quantized. Firmware is made of these."""

from collections.abc import Mapping

from torch import Tensor, nn

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import Formats
from nanotrigger.networks.layers import Granularity
from nanotrigger.networks.price import Price
from nanotrigger.numbers import FixedPoint

WHOLE = "whole"


class DenseNetwork(nn.Module):
    """Map features, shape (batch, features), to outputs, shape (batch, outputs), layer by layer.

    Args:
        layers: named `input` (its quantizer, if there is one), `dense_1`, `relu_1` and so on.
        tensor_formats: format of each tensor in `layers`, such as `dense_1.weight` or `relu_1`; empty if it is float.
        output_name: what the outputs are.
        endings: what firmware can add behind them, such as `softmax`.
        given: the formats as they were given, from which `tensor_formats` are.
        learned_bits: what has bits of its own that are trained; then `tensor_formats` are the widest ones, `price` says
            what the network costs, and `frozen` returns the network that is made into firmware.
    """

    def __init__(
        self,
        layers: nn.Sequential,
        tensor_formats: Mapping[str, FixedPoint],
        *,
        output_name: str,
        endings: tuple[str, ...] = (),
        given: Formats | None = None,
        learned_bits: Granularity | None = None,
    ) -> None:
        super().__init__()
        if learned_bits is not None and not tensor_formats:
            raise InputError(f"network.learned_bits={learned_bits}: give input, weight, bias and activation as well")
        self.given = given
        self.learned_bits = learned_bits
        self.price = None if learned_bits is None else Price()
        self.layers = layers
        self.tensor_formats = dict(tensor_formats)
        self.output_name = output_name
        self.endings = endings

    @property
    def learned_primitives(self) -> dict[str, Granularity]:
        """What a configuration says of learned bits; nothing if there are none."""
        return {} if self.learned_bits is None else {"learned_bits": self.learned_bits}

    @property
    def formats(self) -> dict[str, FixedPoint]:
        """The formats by the names under which they were given, such as `weight`; empty for a float network."""
        return self.tensor_formats if self.given is None else self.given.by_name

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of features, and of the units of each layer."""
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        return (linear[0].in_features, *(layer.out_features for layer in linear))

    @property
    def features(self) -> int:
        """Number of features."""
        return self.widths[0]

    @property
    def description(self) -> str:
        """The network in one line: its widths, the number of its parameters and its formats as they were given."""
        named = ", ".join(f"{name} {number}" for name, number in self.tensor_formats.items())
        return self.describe(named if self.given is None else str(self.given))

    def describe(self, formats: str) -> str:
        """Return the network in one line: its widths, the number of its parameters and its formats."""
        parameters = sum(tensor.numel() for tensor in self.parameters())
        widths = "-".join(map(str, self.widths))
        return f"{type(self).__name__} {widths}, {parameters:,} parameters, {formats or 'float'}"

    @property
    def parts(self) -> tuple[str, ...]:
        """What firmware can be made of, the usual choice first."""
        return (WHOLE,)

    def part(self, name: str | None = None) -> "DenseNetwork":
        """Return a part of the network, the usual one if no name is given; it shares the layers.

        Raises:
            InputError: the network has no such part.
        """
        name = self.parts[0] if name is None else name
        if name not in self.parts:
            raise InputError(f"part={name}: a network of this kind has {', '.join(self.parts)}")
        return self._part(name)

    def _part(self, name: str) -> "DenseNetwork":
        return self

    def forward(self, features: Tensor) -> Tensor:
        """Return outputs, shape (batch, outputs)."""
        outputs: Tensor = self.layers(features)
        return outputs
