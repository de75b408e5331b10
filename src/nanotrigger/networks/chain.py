"""Chain: a network built from the widths of its linear layers, float, quantized or of learned precision."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import LayerFormats
from nanotrigger.networks.layers import Granularity
from nanotrigger.networks.plan import LECUN, Activation, End, Linear, Norm, Plan
from nanotrigger.networks.planned import Planned
from nanotrigger.numbers import FixedPoint


class Chain(Planned):
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
        narrow_activations: whether the activation of each neuron may have fewer bits than its format (`Narrowing`).

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
        narrow_activations: bool = False,
    ) -> None:
        if min(widths) < 1:
            raise InputError(f"network widths {list(widths)}: every layer needs at least one unit")
        if narrow_activations:
            _check_round_down(given.get("activation"))
            arguments = {**arguments, "narrow_activations": True}
        super().__init__(
            _plan(widths, ends, is_head=is_head, narrow_activations=narrow_activations),
            shape=(widths[0],),
            output_name=output_name,
            endings=endings,
            arguments=arguments,
            given=given,
            tensors=tensors,
            learned_bits=learned_bits,
            variance=variance,
            batch_norm=batch_norm,
            slope=slope,
        )


def _check_round_down(activation: LayerFormats | None) -> None:
    """Refuse formats of which low bits cannot simply be cut off."""
    formats = [activation] if activation is None or isinstance(activation, FixedPoint) else activation
    if not all(number is not None and number.rounds_down for number in formats):
        raise InputError("network.narrow_activations: give a network.activation with rounding: down")


def _plan(widths: Sequence[int], ends: Mapping[int, str], *, is_head: bool, narrow_activations: bool) -> Plan:
    plan: dict[str, Any] = {"input": End("input")}
    for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        plan[f"dense_{depth}"] = Linear(inputs, outputs, is_head=is_head and depth == len(widths) - 1)
        if depth in ends:
            plan[ends[depth]] = End(ends[depth])
        else:
            neurons = outputs if narrow_activations else None
            plan |= {f"norm_{depth}": Norm(outputs), f"relu_{depth}": Activation(neurons)}
    return plan
