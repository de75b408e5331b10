"""Built: what the firmware has of what was asked for, read from its own record, and a line for each difference."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from nanotrigger.errors import FirmwareError
from nanotrigger.firmware.record import Firmware
from nanotrigger.firmware.target import Target

_MOST_LISTED = 12
_SAME = ("fpga_part", "clock_period", "io_type")  # what a back end must take as it is, or refuse

ReuseFactors = Callable[[int, int], Sequence[int]]
"""Inputs and outputs of a dense layer → the reuse factors that it can have; none if the back end does not say."""


def built(firmware: Firmware) -> dict[str, Any]:
    """Return what a project has, as parity.json holds it beside the target, which is what was asked for."""
    factors = {layer.label: layer.reuse_factor for layer in firmware.layers if layer.multiplies}
    return {**{name: getattr(firmware, name) for name in _SAME}, "reuse_factor": factors}


def unmet(target: Target, firmware: Firmware, possible: ReuseFactors) -> tuple[str, ...]:
    """Return a line for everything that was asked for and that the firmware does not have.

    Args:
        target: what was asked for.
        firmware: record of the project that was written.
        possible: reuse factors that a layer can have.

    Raises:
        FirmwareError: the back end wrote a project for something else than it was asked to.
    """
    for name in _SAME:
        asked, got = getattr(target, name), getattr(firmware, name)
        if asked != got:
            raise FirmwareError(f"{name}={asked}: the project that was written has {got}; choose another value")
    groups: dict[tuple[int, int, int], list[str]] = defaultdict(list)
    for before, layer in pairwise(firmware.layers):
        if layer.multiplies and layer.reuse_factor != target.reuse_factor:
            products = (before.size, layer.size) if layer.kind == "Dense" else (0, 0)  # those of a window are not known
            groups[layer.reuse_factor, *products].append(layer.label)
    return tuple(
        f"reuse_factor={target.reuse_factor}: layer{'s' * (len(labels) > 1)} {' and '.join(labels)} "
        f"ha{'ve' if len(labels) > 1 else 's'} {factor}, because {_reason(inputs, outputs, possible)}"
        for (factor, inputs, outputs), labels in groups.items()
    )


def _reason(inputs: int, outputs: int, possible: ReuseFactors) -> str:
    factors = [str(factor) for factor in possible(inputs, outputs)]
    if not factors:
        return "the back end takes no other for it"
    shown = factors if len(factors) <= _MOST_LISTED else [*factors[: _MOST_LISTED - 1], "…", factors[-1]]
    return f"{inputs} × {outputs} products can only be shared by {', '.join(shown)}"
