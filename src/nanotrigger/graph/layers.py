"""Layers of integer words: what a network is before it becomes adders."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotrigger.numbers import FixedPoint

Words = NDArray[np.int64]


@dataclass(frozen=True)
class Conversion:
    """How a word is brought to another format.

    Attributes:
        number: format of the result.
        relu: whether negative values become zero first.
        exact: round half to even and saturate, as a quantizer does; else truncate and wrap, hls4ml's default.
    """

    number: FixedPoint
    relu: bool = False
    exact: bool = True


@dataclass(frozen=True)
class Layer:
    """A dense layer.

    Attributes:
        name: of the layer.
        weights: words, shape (inputs, outputs).
        weight_step: value of one word.
        bias: words, shape (outputs,).
        bias_step: value of one word.
        accumulator: how each product is brought to the accumulator's format; None if sums are exact.
        conversions: applied to the sum, in order; none if it leaves at full precision.
    """

    name: str
    weights: Words
    weight_step: float
    bias: Words
    bias_step: float
    accumulator: Conversion | None = None
    conversions: tuple[Conversion, ...] = ()


@dataclass(frozen=True)
class IntegerNetwork:
    """Dense layers behind one another.

    Attributes:
        number: format of the input words.
        layers: in the order in which the data flow.
    """

    number: FixedPoint
    layers: tuple[Layer, ...]
