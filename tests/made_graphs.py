"""Integer graphs of dense layers, made by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanotrigger.graph.dense import Dense
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input, Node
from nanotrigger.graph.quantize import HALF_EVEN, Conversion, Quantize
from nanotrigger.numbers import FixedPoint


@dataclass(frozen=True)
class Result:
    """How a sum leaves its layer."""

    number: FixedPoint
    relu: bool = False
    exact: bool = True
    rounding: str = HALF_EVEN


@dataclass(frozen=True)
class Layer:
    """A dense layer and what follows it; attributes as of `Dense`."""

    name: str
    weights: np.ndarray
    weight_step: float
    bias: np.ndarray
    bias_step: float
    accumulator: Conversion | None = None
    results: tuple[Result, ...] = ()


def chain(number: FixedPoint, layers: Sequence[Layer]) -> Graph:
    """Return layers one after the other, after an input of a format."""
    shape = (len(layers[0].weights),)
    nodes: list[Node] = [
        Input(name="input", inputs=("features",), output="input", layer="input", shape=shape, number=number)
    ]
    for layer in layers:
        nodes.append(
            Dense(
                name=layer.name,
                inputs=(nodes[-1].output,),
                output=layer.name,
                layer=layer.name,
                weights=layer.weights,
                weight_step=layer.weight_step,
                bias=layer.bias,
                bias_step=layer.bias_step,
                accumulator=layer.accumulator,
            )
        )
        for place, result in enumerate(layer.results):
            name = f"{layer.name}_result_{place}"
            conversion = Conversion(result.number, result.exact, result.rounding)
            source = (nodes[-1].output,)
            nodes.append(
                Quantize(
                    name=name, inputs=source, output=name, layer=layer.name, conversion=conversion, relu=result.relu
                )
            )
    return Graph(tuple(nodes), (nodes[-1].output,))
