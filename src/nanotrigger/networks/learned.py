"""Learned precision in a network: layers whose bits are trained, their price, and the plain network they become."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol, TypeVar

import torch
from brevitas.nn import QuantIdentity, QuantLinear
from torch import Tensor, nn

from nanotrigger.networks.dense import DenseNetwork, Formats
from nanotrigger.networks.layers import Granularity, Unit, linear_outputs
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.learned import (
    LearnedActivation,
    LearnedParameter,
    covering,
    learned_activation_quantizer,
    learned_bias_quantizer,
    learned_weight_quantizer,
)

Network = TypeVar("Network", bound=DenseNetwork)

_ONE_EACH = ("weight", "bias", "activation")  # kinds with a format for each layer
_SUM_BITS = 2.0  # by which the adders of a sum are wider than its activations
_DIGITS_PER_BIT = 1 / 3  # of a random number in canonical signed digits, after its first (Reitwiesner 1960)


class LearnedLinear(QuantLinear):
    """Linear layer whose weights and biases have bits that are trained.

    Args:
        inputs: number of inputs.
        outputs: number of outputs.
        weight: widest format of the weights.
        bias: widest format of the biases.
        granularity: what has bits of its own.
        is_head: as of `QuantizedLinear`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        weight: FixedPoint,
        bias: FixedPoint,
        *,
        granularity: Granularity,
        is_head: bool = False,
    ) -> None:
        rows, columns = outputs if granularity != "tensor" else 1, inputs if granularity == "weight" else 1
        super().__init__(
            inputs,
            outputs,
            bias=True,
            weight_quant=learned_weight_quantizer(weight, (rows, columns)),
            bias_quant=learned_bias_quantizer(bias, (rows,)),
        )
        self.is_head = is_head

    def quantized(self) -> tuple[Tensor, Tensor]:
        """Return weights, shape (outputs, inputs), and biases, shape (outputs,)."""
        weights = self.weight_quant.tensor_quant.quantize(self.weight)
        return weights, self.bias_quant.tensor_quant.quantize(self.bias)

    def bits(self) -> tuple[Tensor, Tensor]:
        """Return the bits of weights and biases, differentiable, in their shapes."""
        weights = self.weight_quant.tensor_quant.bits(self.weight)
        return weights, self.bias_quant.tensor_quant.bits(self.bias)

    def forward(self, values: Tensor) -> Tensor:
        """Return the outputs, shape (batch, outputs), for values of shape (batch, inputs)."""
        return linear_outputs(values, *self.quantized(), is_head=self.is_head)

    def priced(self, signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        """Return the price of the products with a signal of so many bits, and of their sums; differentiable."""
        weights, biases = self.bits()
        if unit == "ebops":
            return weights.sum() * signal + biases.sum(), signal
        digits = weights.clamp(max=1) + _DIGITS_PER_BIT * (weights - 1).clamp(min=0)
        return (digits.sum() + biases.clamp(max=1).sum()) * (signal + _SUM_BITS), signal


class LearnedQuantizer(QuantIdentity):
    """Quantize what passes, to bits that are trained.

    Args:
        ceiling: the widest format.
    """

    def __init__(self, ceiling: FixedPoint) -> None:
        super().__init__(act_quant=learned_activation_quantizer(ceiling))

    @property
    def learned(self) -> LearnedActivation:
        """The quantizer."""
        quantizer: LearnedActivation = self.act_quant.fused_activation_quant_proxy.tensor_quant
        return quantizer

    def forward(self, values: Tensor) -> Tensor:
        """Return quantized values, same shape; of an unsigned format those of their ReLU."""
        return self.learned.quantize(values if self.learned.ceiling.signed else values.relu())

    def priced(self, signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        """Return that it is free, and the bits of what it gives, differentiable."""
        return torch.zeros(()), self.learned.bits()


class Priced(Protocol):
    """A layer that says what it costs."""

    def priced(self, signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        """Return the layer's price, a scalar, and the bits of its outputs.

        Args:
            signal: bits of its inputs.
            unit: of the price.
        """


class Price(nn.Module):
    """The price of a network, and the rate that a budget sets for it.

    In `ebops`, effective bit operations: the sum over all products of the weight's bits times the activation's bits
    (HGQ, arXiv 2405.00645, eq. 5), and over all biases of their bits. In `aluts`, the adders that the products of
    constants become: the weight's signed digits times the width of a sum.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unit: Unit = "aluts"
        self.rate: Tensor
        self.register_buffer("rate", torch.zeros(()))

    def forward(self, layers: Iterable[Priced]) -> Tensor:
        """Return the price of layers, a scalar, differentiable with respect to their bits."""
        total, signal = torch.zeros(()), torch.zeros(())
        for layer in layers:
            price, signal = layer.priced(signal, self.unit)
            total = total + price
        return total


def frozen(network: Network, *, headroom: int = 0) -> Network:
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
        elif isinstance(layer, LearnedLinear):
            with torch.no_grad():
                quantized = layer.quantized()
            for kind, tensor in zip(("weight", "bias"), quantized, strict=True):
                state[f"{path}.{kind}"] = tensor
                values[f"{name}.{kind}"].append(tensor.flatten())
    formats |= {name: _wider(covering(torch.cat(tensors)), headroom, formats[name]) for name, tensors in values.items()}
    plain = _without_learned_bits(network, network.given, formats)
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    return plain.train(network.training)


def _without_learned_bits(network: Network, given: Formats, formats: dict[str, FixedPoint]) -> Network:
    """Return a freshly initialized network of the same class and arguments, of fixed formats."""
    by_kind = {kind: [formats[name] for name in given.kinds[kind]] for kind in given.given}
    fixed = {kind: numbers if kind in _ONE_EACH else numbers[0] for kind, numbers in by_kind.items()}
    no_longer = ("network", "learned_bits", "tensors")
    arguments = {name: value for name, value in network.configuration.items() if name not in no_longer}
    return type(network)(**{**arguments, **fixed})


def take_over(network: DenseNetwork, plain: DenseNetwork) -> None:
    """Give a network of learned precision the weights and biases of a frozen one, so that it computes the same."""
    state = plain.state_dict()
    with torch.no_grad():
        for path, layer in network.named_modules():
            if isinstance(layer, LearnedLinear):
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
