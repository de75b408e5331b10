"""Residual MLP: linear layers whose blocks add to what they are given."""

from typing import Any

from nanotrigger.networks.formats import LayerFormats
from nanotrigger.networks.layers import Granularity
from nanotrigger.networks.plan import Activation, Block, End, Linear, Norm
from nanotrigger.networks.planned import Planned
from nanotrigger.numbers import FixedPoint


class ResidualMLP(Planned):
    """Map standardized features, shape (batch, features), to logits, shape (batch, classes).

    A linear layer of `width` units, then residual blocks of two linear layers each (arXiv 1512.03385, figure 2), with
    a ReLU between them and one after the sum. It is quantized if `input`, `weight`, `bias` and `activation` are given.

    Args:
        features: number of inputs.
        width: of all hidden layers.
        blocks: how many.
        classes: number of logits.
        batch_norm: whether a float network has BatchNorm after its hidden layers.
        input: format of the features.
        weight: format of the weights of every layer, or a list with one for each, 2 `blocks` + 2 of them.
        bias: format of the biases, likewise.
        activation: format after every ReLU, or a list with one for each, 2 `blocks` + 1 of them; unsigned.
        output: format of the logits; without it they keep the full precision of the last sum.
        learned_bits: train the bits of every tensor, as of `MLP`; the formats are the widest ones.

    Raises:
        InputError: a width below 1, formats for only some of the tensors, a list of another length, or bits to learn
            and no formats.
    """

    def __init__(
        self,
        features: int = 16,
        width: int = 32,
        blocks: int = 2,
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
        plan: dict[str, Any] = {
            "input": End("input"),
            "dense_1": Linear(features, width),
            "norm_1": Norm(width),
            "relu_1": Activation(),
        }
        for number in range(1, blocks + 1):
            inner: dict[str, Any] = {
                "dense_1": Linear(width, width),
                "norm_1": Norm(width),
                "relu": Activation(),
                "dense_2": Linear(width, width),
                "norm_2": Norm(width),
            }
            plan |= {f"block_{number}": Block(inner), f"relu_{number + 1}": Activation()}
        plan |= {"dense_2": Linear(width, classes, is_head=True), "output": End("output")}
        super().__init__(
            plan,
            shape=(features,),
            output_name="logits",
            endings=("softmax",),
            arguments={
                "features": features,
                "width": width,
                "blocks": blocks,
                "classes": classes,
                "batch_norm": batch_norm,
            },
            given={"input": input, "weight": weight, "bias": bias, "activation": activation, "output": output},
            learned_bits=learned_bits,
            batch_norm=batch_norm,
        )
