"""ConvNet: convolutions with pooling, along one axis or over an image, and linear layers after them."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import LayerFormats
from nanotrigger.networks.layers import Granularity
from nanotrigger.networks.plan import Activation, Convolution, End, Fixed, Linear, Norm
from nanotrigger.networks.planned import Planned
from nanotrigger.networks.structure import ChannelsFirst
from nanotrigger.numbers import FixedPoint


class ConvNet(Planned):
    """Map images, shape (batch, values of an image), to logits, shape (batch, classes).

    Convolutions with ReLU and max-pooling, then linear layers with ReLU between them. Layers are numbered through:
    with two convolutions the first linear layer is `dense_3`. It is quantized if `input`, `weight`, `bias` and
    `activation` are given.

    Args:
        shape: of an event, its channels last: (length, channels), or (height, width, channels).
        filters: of each convolution.
        kernel: size of their windows, along every axis.
        stride: step between windows.
        padding: zeros at either end of every axis.
        pool: size of the windows of which the maximum is taken after each convolution; 1 for none.
        hidden: widths of the hidden linear layers.
        classes: number of logits.
        batch_norm: whether a float network has BatchNorm after its hidden layers.
        input: format of the values.
        weight: format of the weights of every layer, or a list with one for each, convolutions first.
        bias: format of the biases, likewise.
        activation: format after every ReLU, or a list with one for each; unsigned.
        output: format of the logits; without it they keep the full precision of the last sum.
        learned_bits: train the bits of every tensor, as of `MLP`; the formats are the widest ones.

    Raises:
        InputError: a shape of other axes, windows that do not fit, a width below 1, formats for only some of the
            tensors, a list of another length, or bits to learn and no formats.
    """

    def __init__(
        self,
        shape: Sequence[int] = (16, 16, 1),
        filters: Sequence[int] = (8, 8),
        kernel: int = 3,
        stride: int = 1,
        padding: int = 0,
        pool: int = 2,
        hidden: Sequence[int] = (16,),
        classes: int = 5,
        *,
        batch_norm: bool = False,
        input: FixedPoint | None = None,
        weight: LayerFormats | None = None,
        bias: LayerFormats | None = None,
        activation: LayerFormats | None = None,
        output: FixedPoint | None = None,
        learned_bits: Granularity | None = None,
    ) -> None:
        if len(shape) not in (2, 3):
            raise InputError(f"network.shape={list(shape)}: give (length, channels) or (height, width, channels)")
        window = {"kernel": kernel, "stride": stride, "padding": padding, "pool": pool}
        for name, value in window.items():
            if value < (0 if name == "padding" else 1):
                raise InputError(f"network.{name}={value}: must be at least {0 if name == 'padding' else 1}")
        axes = len(shape) - 1
        plan: dict[str, Any] = {"input": End("input"), "image": Fixed(lambda: ChannelsFirst(shape))}
        sizes, channels = list(shape[:-1]), shape[-1]
        for depth, outputs in enumerate(filters, start=1):
            sizes = [(size + 2 * padding - kernel) // stride + 1 for size in sizes]
            if min(sizes) < pool:
                raise InputError(
                    f"network.filters={list(filters)}: after convolution {depth} an image of {list(shape)} has "
                    f"{' x '.join(map(str, sizes))} places, too few for pool={pool}; give fewer filters, a smaller "
                    "kernel, stride or pool, or padding"
                )
            plan |= {
                f"conv_{depth}": Convolution(channels, outputs, kernel, stride, padding, axes, math.prod(sizes)),
                f"norm_{depth}": Norm(outputs, axes),
                f"relu_{depth}": Activation(),
            }
            if pool > 1:
                plan[f"pool_{depth}"] = Fixed(lambda: (nn.MaxPool1d if axes == 1 else nn.MaxPool2d)(pool))
            sizes, channels = [size // pool for size in sizes], outputs
        plan["flatten"] = Fixed(nn.Flatten)
        widths = [channels * math.prod(sizes), *hidden, classes]
        for depth, (inputs, outputs) in enumerate(pairwise(widths), start=len(filters) + 1):
            is_last = depth == len(filters) + len(widths) - 1
            plan[f"dense_{depth}"] = Linear(inputs, outputs, is_head=is_last)
            if not is_last:
                plan |= {f"norm_{depth}": Norm(outputs), f"relu_{depth}": Activation()}
        super().__init__(
            plan | {"output": End("output")},
            shape=shape,
            output_name="logits",
            endings=("softmax",),
            arguments={
                "shape": list(shape),
                "filters": list(filters),
                **window,
                "hidden": list(hidden),
                "classes": classes,
                "batch_norm": batch_norm,
            },
            given={"input": input, "weight": weight, "bias": bias, "activation": activation, "output": output},
            learned_bits=learned_bits,
            batch_norm=batch_norm,
        )
