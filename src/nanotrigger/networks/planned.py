"""Planned: a network built from the plan of its layers, float, quantized or of learned precision."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import Formats, LayerFormats
from nanotrigger.networks.layers import Granularity
from nanotrigger.networks.learned_layers import Price
from nanotrigger.networks.network import Network
from nanotrigger.networks.plan import LECUN, Plan, Settings, assembled, kinds_of, smallest
from nanotrigger.numbers import FixedPoint


class Planned(Network):
    """The layers of a plan; they are quantized if formats are given.

    Args:
        plan: layers by name, in the order of the data. Its quantizers are left out where they have no format.
        shape: of an event.
        output_name: what the outputs are.
        endings: what firmware can add after them.
        arguments: those of the class that `configuration` needs, without the formats and `learned_bits`.
        given: format of each kind of tensors, or a list with one for each tensor; None where there is none.
        tensors: formats of single tensors by name that differ from those of their kind.
        learned_bits: what has bits of its own that are trained; that of an `output` are never.
        variance: of the first weights, times the inputs of their layer.
        batch_norm: whether a float network has the plan's BatchNorm.
        slope: of a float network's ReLU for negative values.

    Raises:
        InputError: a width below 1, formats for only some of the tensors, or for unknown ones, a list of another
            length, or bits to learn and no formats.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        shape: Sequence[int],
        output_name: str,
        endings: tuple[str, ...] = (),
        arguments: Mapping[str, Any],
        given: Mapping[str, LayerFormats | None],
        tensors: Mapping[str, FixedPoint] | None = None,
        learned_bits: Granularity | None = None,
        variance: float = LECUN,
        batch_norm: bool = False,
        slope: float = 0.0,
    ) -> None:
        if min(*shape, smallest(plan)) < 1:
            sizes = [f"{name}={value}" for name, value in arguments.items() if type(value) in (int, list)]
            raise InputError(f"network of {', '.join(sizes)}: every layer needs at least one unit")
        formats = Formats(
            kinds_of(plan), {kind: value for kind, value in given.items() if value is not None}, tensors or {}
        )
        if learned_bits is not None and not formats.given:
            raise InputError(f"network.learned_bits={learned_bits}: give input, weight, bias and activation as well")
        if learned_bits is not None and "activation" not in formats.given:
            raise InputError(f"network.learned_bits={learned_bits}: activations have bits too; give network.activation")
        settings = Settings(formats.by_tensor, learned_bits, variance, batch_norm, slope)
        layers = nn.Sequential()
        for name, layer in assembled(plan, settings).items():
            layers.add_module(name, layer)
        super().__init__(
            layers,
            formats.by_tensor,
            shape=shape,
            output_name=output_name,
            endings=endings,
            given=formats,
            learned_bits=learned_bits,
            price=None if learned_bits is None else Price(),
        )
        learned = {} if learned_bits is None else {"learned_bits": learned_bits}
        self.configuration = {"network": type(self).__name__, **arguments, **formats.primitives, **learned}
