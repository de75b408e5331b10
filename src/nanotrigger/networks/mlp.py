"""Multilayer perceptron: linear layers with ReLU between them, float or quantized."""

from collections.abc import Sequence

from nanotrigger.networks.chain import Chain
from nanotrigger.networks.formats import LayerFormats
from nanotrigger.networks.layers import Granularity
from nanotrigger.numbers import FixedPoint


class MLP(Chain):
    """Map standardized features, shape (batch, features), to logits, shape (batch, classes).

    The network is float if no format is given, and quantized if `input`, `weight` and `bias` are: then its first layer
    quantizes the input, and what is trained is what is exported.
    Weights start lecun-uniform, ±sqrt(3 / inputs of the layer), fitted to their format (`networks.start`); biases start
    at zero.

    Args:
        features: number of inputs.
        hidden: widths of the hidden layers.
        classes: number of logits.
        input: format of the features.
        weight: format of the weights of every layer, or a list with one for each, `len(hidden) + 1` of them.
        bias: format of the biases, likewise.
        activation: format after every ReLU, or a list with one for each, `len(hidden)` of them; unsigned.
            Without it they keep the full precision of the sums before them, which grow from layer to layer.
        output: format of the logits; without it they keep the full precision of the last sum.
        narrow_activations: let the activation of each neuron have fewer bits than its format, as the refinement of a
            budget finds them; they have to round down. The firmware of hls4ml, which knows one format for a layer,
            becomes a chain of more layers.
        learned_bits: train the bits of every tensor: those of each `weight` and bias, of each `neuron`'s weights, or of
            each `tensor` of weights; of activations and input those of each tensor. The formats are the widest ones.

    Raises:
        InputError: a width below 1, formats for only some of the tensors, a list of another length, or bits to learn
            and no formats.
    """

    def __init__(
        self,
        features: int = 16,
        hidden: Sequence[int] = (32, 32, 32),
        classes: int = 5,
        *,
        input: FixedPoint | None = None,
        weight: LayerFormats | None = None,
        bias: LayerFormats | None = None,
        activation: LayerFormats | None = None,
        output: FixedPoint | None = None,
        narrow_activations: bool = False,
        learned_bits: Granularity | None = None,
    ) -> None:
        widths = [features, *hidden, classes]
        super().__init__(
            widths,
            {len(hidden) + 1: "output"},
            output_name="logits",
            endings=("softmax",),
            arguments={"features": features, "hidden": list(hidden), "classes": classes},
            given={"input": input, "weight": weight, "bias": bias, "activation": activation, "output": output},
            learned_bits=learned_bits,
            is_head=True,
            narrow_activations=narrow_activations,
        )
