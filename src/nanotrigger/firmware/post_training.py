"""Post-training quantization: what the types of the firmware make of a float network, and which would do."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.performance import Performance
from nanotrigger.firmware.audit import QuantizerAudit, Role, audit_cast
from nanotrigger.firmware.record import Firmware
from nanotrigger.firmware.witnesses import torch_nodes
from nanotrigger.networks import Network
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import WIDEST, modes, without_modes

Array = NDArray[np.float64]

_WORDS: dict[Role, str] = {
    "input": "inputs",
    "weight": "weights of",
    "bias": "biases of",
    "sum": "sums of",
    "activation": "outputs of",
}


def audit_types(network: Network, firmware: Firmware, features: Array) -> tuple[QuantizerAudit, ...]:
    """Compare the values of a float network with the types that its firmware has, in the order of the data.

    Sums are those of whole layers: partial ones that wrap around come back.

    Args:
        network: as it was exported.
        firmware: record of its project; layers that have no name of the network's are left out.
        features: events, shape (samples, inputs), at least one.

    Raises:
        InputError: a feature is not finite.
    """
    layers, outputs = weighted_layers(network), torch_nodes(network, features)
    first, *others = firmware.layers
    tensors: list[tuple[str, Role, str | None, Array]] = [(first.label, "input", first.types["result"], features)]
    for layer in (layer for layer in others if layer.label in outputs):
        name, values = layer.label, outputs[layer.label]
        if name in layers:
            weight, bias = (tensor.detach().double().numpy() for tensor in (layers[name].weight, layers[name].bias))
            tensors += [(f"{name}_weight", "weight", layer.types.get("weight"), weight)]
            tensors += [(f"{name}_bias", "bias", layer.types.get("bias"), bias)]
            tensors += [(name, "sum", layer.types.get("accum"), values)]
        else:
            tensors += [(name, "activation", layer.types["result"], values)]
    return tuple(
        audit_cast(name, role, number, values, modes=modes(str(type_name)))
        for name, role, type_name, values in tensors
        if (number := _number(type_name)) is not None
    )


def post_training_remarks(
    precision: str, audits: Sequence[QuantizerAudit], parity: Mapping[str, Any], figure: Performance | None
) -> tuple[str, ...]:
    """Return what the user of a precision must know, a line each.

    Args:
        precision: type of everything in the firmware.
        audits: of its types.
        parity: the content of parity.json.
        figure: how well the firmware does its task.
    """
    lines = (_overflow(precision, audits), _coarseness(precision, audits), _loss(precision, parity, figure))
    return tuple(line for line in lines if line)


def _overflow(precision: str, audits: Sequence[QuantizerAudit]) -> str:
    """Say what lies beyond the type, and which type would hold it; nothing if nothing does."""
    beyond = [audit for audit in audits if audit.overflows and audit.role != "activation"]  # its sums are said
    if not beyond:
        return ""
    number = FixedPoint.parse(without_modes(precision))
    ends = f"{number.minimum:g} to {number.maximum:g}"
    return f"precision={precision} holds {ends}; out of range are {_listed(beyond)}; {_remedy(precision, audits)}"


def _remedy(precision: str, audits: Sequence[QuantizerAudit]) -> str:
    """Return the smallest number of integer bits with which a type of the same step would hold everything."""
    number = FixedPoint.parse(without_modes(precision))
    needed = [audit.needed for audit in audits if audit.needed is not None]
    reach = max(format.integer - format.signed for format in needed)
    signed = number.signed or any(format.signed for format in needed)
    integer = max(reach + signed, number.integer)
    sign = "negative values need a signed type, and " if signed and not number.signed else ""
    width = integer + number.width - number.integer
    if width > WIDEST or any(audit.needed is None and audit.beyond for audit in audits):
        return f"{sign}{integer} integer bits or more would hold all of them; scale the values"
    better = FixedPoint(width, integer, signed=signed)
    stated = "".join(f",{mode}" for mode in modes(precision))
    return f"{sign}{integer} integer bits would hold all of them: precision={str(better)[:-1]}{stated}>"


def _coarseness(precision: str, audits: Sequence[QuantizerAudit]) -> str:
    """Say which weights and values are all lost to the step; nothing if none are."""
    lost = [audit for audit in audits if audit.vanishes and audit.role != "bias"]
    if not lost:
        return ""
    step = lost[0].number.step
    return f"precision={precision}: its step of {step:g} leaves nothing of {_listed(lost)}; give it more fraction bits"


def _loss(precision: str, parity: Mapping[str, Any], figure: Performance | None) -> str:
    """Say that the firmware is worse than the network by more than chance; nothing if it is not."""
    before = None if figure is None else parity.get(f"{figure.key}_torch")
    if figure is None or before is None or before <= figure.interval[1]:
        return ""
    return (
        f"precision={precision}: {figure.title.lower()} falls from {before:.4f} (float network) to {figure.value:.4f} "
        "(firmware)"
    )


def _listed(audits: Sequence[QuantizerAudit]) -> str:
    """Return the tensors by what they are, with the value of each that is farthest from zero."""
    groups: dict[str, list[str]] = defaultdict(list)
    for audit in audits:
        farthest = audit.low if -audit.low > audit.high else audit.high
        layer = "" if audit.role == "input" else f"{audit.name.removesuffix(f'_{audit.role}')} "
        groups[_WORDS[audit.role]].append(f"{layer}(to {farthest:.3g})")
    return "; ".join(f"{words} {', '.join(layers)}" for words, layers in groups.items())


def _number(type_name: str | None) -> FixedPoint | None:
    """Return the format of a type, if it is a fixed-point number."""
    if type_name is None:
        return None
    try:
        return FixedPoint.parse(without_modes(type_name))
    except InputError:
        return None
