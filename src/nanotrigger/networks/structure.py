"""Structure: layers without weights, which bring values into another order, or bring them together."""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from nanotrigger.networks.layers import Unit


class Residual(nn.Sequential):
    """Layers one after the other, whose outputs are added to what the first one was given (arXiv 1512.03385)."""

    def forward(self, values: Tensor) -> Tensor:
        """Return the sums, same shape."""
        outputs: Tensor = super().forward(values)
        return values + outputs

    def priced(self, signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        """Return the price of its layers, and the bits of its outputs: those of what it is given, and one more."""
        return price_of(self, signal, unit)[0], signal + 1


class SetPool(nn.Module):
    """Sum, or mean, over the members of a set, in whatever order they are (arXiv 1703.06114, theorem 2).

    Args:
        members: of a set.
        mean: take the mean.
    """

    def __init__(self, members: int, *, mean: bool = False) -> None:
        super().__init__()
        self.members = members
        self.mean = mean

    def forward(self, values: Tensor) -> Tensor:
        """Return values of shape (batch, features), for those of shape (batch, members, features)."""
        return values.mean(dim=1) if self.mean else values.sum(dim=1)

    def priced(self, signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        """Return that it is free, and the bits of sums."""
        return torch.zeros(()), signal + math.log2(self.members)


class ChannelsFirst(nn.Module):
    """Bring flat values into the shape that convolutions have.

    Args:
        shape: of an event, its channels last.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, values: Tensor) -> Tensor:
        """Return values of shape (batch, channels, *sizes), for those of shape (batch, values)."""
        return values.unflatten(1, self.shape).movedim(-1, 1)


class MemberNorm(nn.BatchNorm1d):
    """BatchNorm of the last axis, the same for all members of a set."""

    def forward(self, values: Tensor) -> Tensor:
        """Return values of the same shape, (batch, members, features)."""
        return super().forward(values.flatten(0, -2)).unflatten(0, values.shape[:-1])


def price_of(layers: Iterable[nn.Module], signal: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
    """Return the price of layers one after the other, a scalar, and the bits of their outputs; differentiable.

    A layer that costs something, or changes the bits of a signal, says so by `priced`.

    Args:
        layers: in the order of the data.
        signal: bits of their inputs.
        unit: of the price.
    """
    total = torch.zeros(())
    for layer in layers:
        priced: Callable[[Tensor, Unit], tuple[Tensor, Tensor]] | None = getattr(layer, "priced", None)
        if priced is not None:
            price, signal = priced(signal, unit)
            total = total + price
    return total, signal
