"""Plan: what layers a network has, by name, from which it is built float, quantized or of learned precision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn

from nanotrigger.networks.layers import (
    Granularity,
    QuantizedConv1d,
    QuantizedConv2d,
    QuantizedLinear,
    QuantizedReLU,
    Quantizer,
)
from nanotrigger.networks.learned_layers import LearnedConv1d, LearnedConv2d, LearnedLinear, LearnedQuantizer
from nanotrigger.networks.start import fitted
from nanotrigger.networks.structure import MemberNorm, Residual
from nanotrigger.numbers import FixedPoint

LECUN = 1.0  # variance of the first weights times inputs (Efficient BackProp, 1998, eq. 16)
HE = 2.0  # likewise (arXiv 1502.01852, eq. 10)


@dataclass(frozen=True)
class Linear:
    """A linear layer on the last axis.

    Attributes:
        inputs: of each neuron.
        outputs: number of neurons.
        places: how often the layer is there, as it is for each particle of a set.
        is_head: see `QuantizedLinear`.
    """

    inputs: int
    outputs: int
    places: int = 1
    is_head: bool = False


@dataclass(frozen=True)
class Convolution:
    """A convolution, or several filters, along `axes` axes after the channels.

    Attributes:
        inputs: number of input channels.
        outputs: number of filters.
        kernel: size of a window, along every axis.
        stride: step between windows.
        padding: zeros at either end.
        axes: 1 or 2.
        places: of the filters.
    """

    inputs: int
    outputs: int
    kernel: int
    stride: int
    padding: int
    axes: int
    places: int


@dataclass(frozen=True)
class Norm:
    """BatchNorm, which only a float network has.

    Attributes:
        units: channels or neurons.
        axes: after the channels, 0 to 2; or None: the members of a set before them.
    """

    units: int
    axes: int | None = 0


@dataclass(frozen=True)
class Activation:
    """A ReLU, whose outputs are quantized.

    Attributes:
        neurons: how many it has, if each may have fewer bits than the format (`Narrowing`).
    """

    neurons: int | None = None


@dataclass(frozen=True)
class End:
    """A quantizer of its own kind, such as `input`; only there if it has a format."""

    kind: str


@dataclass(frozen=True)
class Fixed:
    """A layer without weights."""

    make: Callable[[], nn.Module]


@dataclass(frozen=True)
class Block:
    """A residual block."""

    plan: "Plan"


Plan = Mapping[str, Linear | Convolution | Norm | Activation | End | Fixed | Block]


class Settings(NamedTuple):
    """How the layers of a plan are made.

    Attributes:
        formats: of each tensor; none in a float network.
        learned_bits: what has bits of its own that are trained; that of an `output` are never.
        variance: of the first weights, times the inputs of their layer.
        batch_norm: whether a float network has BatchNorm.
        slope: of a float network's ReLU for negative values.
    """

    formats: Mapping[str, FixedPoint]
    learned_bits: Granularity | None = None
    variance: float = LECUN
    batch_norm: bool = False
    slope: float = 0.0


def kinds_of(plan: Plan, path: str = "") -> dict[str, tuple[str, ...]]:
    """Return the tensors of each kind in the layers of a plan, in the order of the data."""
    kinds: dict[str, tuple[str, ...]] = {"input": (), "weight": (), "bias": (), "activation": ()}
    for name, layer in plan.items():
        found: Mapping[str, tuple[str, ...]] = {}
        if isinstance(layer, Block):
            found = kinds_of(layer.plan, f"{path}{name}.")
        elif isinstance(layer, Linear | Convolution):
            found = {kind: (f"{path}{name}.{kind}",) for kind in ("weight", "bias")}
        elif isinstance(layer, Activation | End):
            found = {"activation" if isinstance(layer, Activation) else layer.kind: (path + name,)}
        kinds |= {kind: kinds.get(kind, ()) + tensors for kind, tensors in found.items()}
    return kinds


def smallest(plan: Plan) -> int:
    """Return the least number of inputs or outputs of a layer; at least one is needed."""
    sizes = [1]
    for layer in plan.values():
        if isinstance(layer, Linear | Convolution):
            sizes += [layer.inputs, layer.outputs]
        elif isinstance(layer, Block):
            sizes.append(smallest(layer.plan))
    return min(sizes)


def assembled(plan: Plan, settings: Settings, path: str = "") -> dict[str, nn.Module]:
    """Return the layers of a plan by name, their weights drawn in order."""
    layers: dict[str, nn.Module] = {}
    for name, layer in plan.items():
        made = _made(layer, path + name, settings)
        if made is not None:
            layers[name] = made
    return layers


def _made(layer: object, name: str, settings: Settings) -> nn.Module | None:
    formats, is_learned = settings.formats, settings.learned_bits is not None
    match layer:
        case Linear() | Convolution():
            numbers = [formats.get(f"{name}.{kind}") for kind in ("weight", "bias")]
            return weight_layer(layer, *numbers, variance=settings.variance, learned=settings.learned_bits)
        case Norm(units, axes):
            kinds = {None: MemberNorm, 0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
            return kinds[axes](units) if settings.batch_norm and not formats else None
        case Activation(neurons):
            slope = 0.0 if formats else settings.slope
            return relu_layer(formats.get(name), slope=slope, learned=is_learned, neurons=neurons)
        case End(kind):
            return quantizer_layer(formats[name], learned=is_learned and kind != "output") if name in formats else None
        case Block(plan):
            residual = Residual()
            for inner, module in assembled(plan, settings, f"{name}.").items():
                residual.add_module(inner, module)
            return residual
        case Fixed(make):
            return make()
    raise TypeError(f"{layer} is no layer of a plan")


def weight_layer(
    layer: Linear | Convolution,
    weight: FixedPoint | None,
    bias: FixedPoint | None,
    *,
    variance: float = LECUN,
    learned: Granularity | None = None,
) -> nn.Linear | nn.Conv1d | nn.Conv2d:
    """Return a layer whose weights are drawn uniformly with `variance` / inputs of a neuron; biases start at zero."""
    made = _linear(layer, weight, bias, learned) if isinstance(layer, Linear) else _conv(layer, weight, bias, learned)
    limit = (3 * variance / made.weight[0].numel()) ** 0.5
    torch.nn.init.uniform_(made.weight, -limit, limit)
    assert made.bias is not None
    torch.nn.init.zeros_(made.bias)
    if weight is not None:
        with torch.no_grad():
            made.weight.copy_(fitted(made.weight.flatten(1), weight).view_as(made.weight))
    return made


def _linear(
    layer: Linear, weight: FixedPoint | None, bias: FixedPoint | None, learned: Granularity | None
) -> nn.Linear:
    sizes = (layer.inputs, layer.outputs)
    if weight is None or bias is None:
        return nn.Linear(*sizes)
    if learned is None:
        return QuantizedLinear(*sizes, weight, bias, is_head=layer.is_head)
    return LearnedLinear(*sizes, weight, bias, granularity=learned, places=layer.places, is_head=layer.is_head)


def _conv(
    layer: Convolution, weight: FixedPoint | None, bias: FixedPoint | None, learned: Granularity | None
) -> nn.Conv1d | nn.Conv2d:
    sizes = (layer.inputs, layer.outputs, layer.kernel)
    window: dict[str, Any] = {"stride": layer.stride, "padding": layer.padding}
    if weight is None or bias is None:
        return (nn.Conv1d if layer.axes == 1 else nn.Conv2d)(*sizes, **window)
    if learned is None:
        return (QuantizedConv1d if layer.axes == 1 else QuantizedConv2d)(*sizes, weight, bias, **window)
    kind = LearnedConv1d if layer.axes == 1 else LearnedConv2d
    return kind(*sizes, weight, bias, granularity=learned, places=layer.places, **window)


def same_layer(layer: nn.Module, weight: FixedPoint | None, bias: FixedPoint | None) -> nn.Module:
    """Return a new layer of the same shape as one with weights, in other formats."""
    if isinstance(layer, nn.Linear):
        return weight_layer(Linear(layer.in_features, layer.out_features), weight, bias)
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    (kernel, *_), (stride, *_), axes = layer.kernel_size, layer.stride, len(layer.kernel_size)
    padding = int(layer.padding[0])
    return weight_layer(
        Convolution(layer.in_channels, layer.out_channels, kernel, stride, padding, axes, 1), weight, bias
    )


def relu_layer(
    activation: FixedPoint | None, *, slope: float = 0.0, learned: bool = False, neurons: int | None = None
) -> nn.Module:
    """Return a quantized ReLU, or a float one with a slope for negative values."""
    if activation is not None:
        return LearnedQuantizer(activation, neurons) if learned else QuantizedReLU(activation, neurons)
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def quantizer_layer(number: FixedPoint, *, learned: bool = False) -> nn.Module:
    """Return a quantizer of input, latent values or output."""
    return LearnedQuantizer(number) if learned else Quantizer(number)
