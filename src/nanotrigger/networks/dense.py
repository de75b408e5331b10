"""Dense networks: linear layers one behind the other, float or quantized. Firmware is made of these."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import Formats
from nanotrigger.networks.layers import Granularity
from nanotrigger.numbers import FixedPoint

WHOLE = "whole"


class DenseNetwork(nn.Module):
    """Map features, shape (batch, features), to outputs, shape (batch, outputs), layer by layer.

    Args:
        layers: named `input` (its quantizer, if there is one), `dense_1`, `relu_1` and so on.
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
    """

    def __init__(
        self,
        layers: nn.Sequential,
        formats: Mapping[str, FixedPoint],
        *,
        output_name: str,
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
        self.formats = dict(formats)
        self.output_name = output_name
        self.endings = endings

    @property
    def named_formats(self) -> dict[str, FixedPoint]:
        """The formats by the names under which they were given, such as `weight`; empty if none were."""
        return {} if self.given is None else self.given.by_name

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
        by_tensor = ", ".join(f"{name} {number}" for name, number in self.formats.items())
        return self.describe(by_tensor if self.given is None else str(self.given))

    def describe(self, formats: str) -> str:
        """Return the network in one line: its widths, the number of its parameters and its formats."""
        parameters = sum(tensor.numel() for tensor in self.parameters())
        widths = "-".join(map(str, self.widths))
        return f"{type(self).__name__} {widths}, {parameters:,} parameters, {formats or 'float'}"

    @property
    def sections(self) -> tuple[str, ...]:
        """What firmware can be made of, the usual choice first."""
        return (WHOLE,)

    def section(self, name: str | None = None) -> "DenseNetwork":
        """Return a section of the network, the usual one if no name is given; it shares the layers.

        Raises:
            InputError: the network has no such section.
        """
        name = self.sections[0] if name is None else name
        if name not in self.sections:
            raise InputError(f"part={name}: a network of this kind has {', '.join(self.sections)}")
        return self._section(name)

    def _section(self, name: str) -> "DenseNetwork":
        return self

    def forward(self, features: Tensor) -> Tensor:
        """Return outputs, shape (batch, outputs)."""
        outputs: Tensor = self.layers(features)
        return outputs
