"""Chain: a dense network built from the widths of its layers, float, quantized or of learned precision."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks.dense import DenseNetwork, Formats, LayerFormats
from nanotrigger.networks.layers import Granularity, QuantizedLinear, QuantizedReLU, Quantizer
from nanotrigger.networks.learned import LearnedLinear, LearnedQuantizer, Price
from nanotrigger.networks.start import fitted
from nanotrigger.numbers import FixedPoint

LECUN = 1.0  # variance of the first weights times inputs (Efficient BackProp, 1998, eq. 16)
HE = 2.0  # likewise (arXiv 1502.01852, eq. 10)


class Chain(DenseNetwork):
    """Linear layers, numbered through: `dense_1`, with `relu_1` after it, and so on.

    A quantized chain begins with the quantizer of its `input`. A linear layer in `ends` has no activation; if that end
    has a format, its quantizer comes after it.

    Args:
        widths: number of features, and of the units of each layer.
        ends: depth of a layer without activation, from 1, and the name of what it gives, such as `output`.
        output_name: what the outputs are.
        endings: what firmware can add after them.
        arguments: those of the class that `configuration` needs, without the formats and `learned_bits`.
        given: format of each kind of tensors, or a list with one for each tensor; None where there is none.
        tensors: formats of single tensors by name that differ from those of their kind.
        learned_bits: what has bits of its own that are trained; that of an `output` are never.
        variance: of the first weights, times the inputs of their layer.
        batch_norm: whether a float chain has BatchNorm before its activations.
        slope: of a float chain's ReLU for negative values.
        is_head: lay the outputs of the last layer out along the batch (see `QuantizedLinear`).

    Raises:
        InputError: a width below 1, formats for only some of the tensors, or for unknown ones, a list of another
            length, or bits to learn and no formats.
    """

    def __init__(
        self,
        widths: Sequence[int],
        ends: Mapping[int, str],
        *,
        output_name: str,
        endings: tuple[str, ...] = (),
        arguments: Mapping[str, Any],
        given: Mapping[str, LayerFormats | None],
        tensors: Mapping[str, FixedPoint] | None = None,
        learned_bits: Granularity | None = None,
        variance: float = LECUN,
        batch_norm: bool = False,
        slope: float = 0.0,
        is_head: bool = False,
    ) -> None:
        if min(widths) < 1:
            raise InputError(f"network widths {list(widths)}: every layer needs at least one unit")
        kinds = _kinds(len(widths) - 1, ends)
        formats = Formats(kinds, {kind: value for kind, value in given.items() if value is not None}, tensors or {})
        if learned_bits is not None and not formats.given:
            raise InputError(f"network.learned_bits={learned_bits}: give input, weight, bias and activation as well")
        if learned_bits is not None and "activation" not in formats.given:
            raise InputError(f"network.learned_bits={learned_bits}: activations have bits too; give network.activation")
        layers = _layers(
            widths,
            ends,
            formats.by_tensor,
            learned_bits=learned_bits,
            variance=variance,
            batch_norm=batch_norm,
            slope=slope,
            is_head=is_head,
        )
        super().__init__(
            layers,
            formats.by_tensor,
            output_name=output_name,
            endings=endings,
            given=formats,
            learned_bits=learned_bits,
            price=None if learned_bits is None else Price(),
        )
        learned = {} if learned_bits is None else {"learned_bits": learned_bits}
        self.configuration = {"network": type(self).__name__, **arguments, **formats.primitives, **learned}


def _layers(
    widths: Sequence[int],
    ends: Mapping[int, str],
    formats: Mapping[str, FixedPoint],
    *,
    learned_bits: Granularity | None,
    variance: float,
    batch_norm: bool,
    slope: float,
    is_head: bool,
) -> nn.Sequential:
    layers, is_learned, last = nn.Sequential(), learned_bits is not None, len(widths) - 1
    if "input" in formats:
        layers.add_module("input", quantizer_layer(formats["input"], learned=is_learned))
    for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        name, relu, end = f"dense_{depth}", f"relu_{depth}", ends.get(depth)
        linear = dense_layer(
            inputs,
            outputs,
            formats.get(f"{name}.weight"),
            formats.get(f"{name}.bias"),
            variance=variance,
            is_head=is_head and depth == last,
            learned=learned_bits,
        )
        layers.add_module(name, linear)
        if end is None:
            if batch_norm and not formats:
                layers.add_module(f"norm_{depth}", nn.BatchNorm1d(outputs))
            layers.add_module(relu, relu_layer(formats.get(relu), slope=0.0 if formats else slope, learned=is_learned))
        elif end in formats:
            layers.add_module(end, quantizer_layer(formats[end], learned=is_learned and end != "output"))
    return layers


def _kinds(layers: int, ends: Mapping[int, str]) -> dict[str, tuple[str, ...]]:
    """Return the tensors of each kind in a chain of so many layers."""
    depths = range(1, layers + 1)
    return {
        "input": ("input",),
        "weight": tuple(f"dense_{depth}.weight" for depth in depths),
        "bias": tuple(f"dense_{depth}.bias" for depth in depths),
        "activation": tuple(f"relu_{depth}" for depth in depths if depth not in ends),
        **{end: (end,) for end in ends.values()},
    }


def dense_layer(
    inputs: int,
    outputs: int,
    weight: FixedPoint | None,
    bias: FixedPoint | None,
    *,
    variance: float = 1.0,
    is_head: bool = False,
    learned: Granularity | None = None,
) -> nn.Linear:
    """Return a linear layer whose weights are drawn uniformly with `variance` / inputs; biases start at zero.

    A variance of 1 is LeCun's (Efficient BackProp, 1998, eq. 16), 2 is He's (arXiv 1502.01852, eq. 10).
    """
    if weight is None or bias is None:
        layer = nn.Linear(inputs, outputs)
    elif learned is not None:
        layer = LearnedLinear(inputs, outputs, weight, bias, granularity=learned, is_head=is_head)
    else:
        layer = QuantizedLinear(inputs, outputs, weight, bias, is_head=is_head)
    limit = (3 * variance / inputs) ** 0.5
    torch.nn.init.uniform_(layer.weight, -limit, limit)
    torch.nn.init.zeros_(layer.bias)
    if weight is not None:
        with torch.no_grad():
            layer.weight.copy_(fitted(layer.weight, weight))
    return layer


def relu_layer(activation: FixedPoint | None, *, slope: float = 0.0, learned: bool = False) -> nn.Module:
    """Return a quantized ReLU, or a float one with a slope for negative values."""
    if activation is not None:
        return LearnedQuantizer(activation) if learned else QuantizedReLU(activation)
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def quantizer_layer(number: FixedPoint, *, learned: bool = False) -> nn.Module:
    """Return a quantizer of input, latent values or output."""
    return LearnedQuantizer(number) if learned else Quantizer(number)
