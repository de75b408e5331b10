"""Target: what firmware is built for, and the formats at its ends."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import without_modes

if TYPE_CHECKING:
    from nanotrigger.networks import Network

SHARED, UNSHARED = "shared", "unshared"  # adders


@dataclass(frozen=True)
class Target:
    """How the firmware is built.

    Args:
        fpga_part: FPGA family or part number.
        clock_period: target, in ns.
        io_type: `io_parallel` or `io_stream`.
        reuse_factor: how often each multiplier is used for one inference.
        softmax: whether the firmware ends in a softmax; the proof covers the logits before it.
        radius: whether the firmware ends in the sum of the squares of a variational autoencoder's latent means, Rz, in
            words that hold it exactly; the proof covers means and sum.
        part: `whole` or `encoder` of an autoencoder; by default what `Network.sections` names first.
        precision: type of everything in a float network, such as `fixed<16,6>`; quantized networks have their own. A
            file that is approximated has it where it says none.
        backend: what writes the firmware, one of `firmware.backends.BACKENDS`.
        name: of the firmware and of its Verilog modules, so that several networks can stand in one project; by default
            that of the experiment or of the file.
        registered_inputs: whether the Verilog has a register at its inputs, which takes one clock cycle more.
        adders: `shared` between the neurons of a layer where that is smaller, or `unshared`; by default those of the
            firmware are hls4ml's, unshared, and those of the Verilog shared.

    Raises:
        InputError: `adders` is neither.
    """

    fpga_part: str = "Agilex7"
    clock_period: float = 5.0
    io_type: str = "io_parallel"
    reuse_factor: int = 1
    softmax: bool = False
    radius: bool = False
    part: str | None = None
    precision: str | None = None
    backend: str = "oneapi"
    name: str | None = None
    registered_inputs: bool = False
    adders: str | None = None

    def __post_init__(self) -> None:
        if self.adders not in (None, SHARED, UNSHARED):
            raise InputError(f"adders={self.adders}: choose one of {SHARED}, {UNSHARED}")

    @property
    def ending(self) -> str | None:
        """What the firmware adds after the network's outputs."""
        return "softmax" if self.softmax else "radius" if self.radius else None


def settled(network: "Network", target: Target) -> Target:
    """Return `target` with the network's usual part, and the precision that a float one gets by default.

    Raises:
        InputError: options that do not go together or with the network.
    """
    part = target.part or network.sections[0]
    endings = network.section(part).endings
    if target.softmax and "softmax" not in endings:
        raise InputError("softmax=true is for logits; this network has none")
    if target.radius and "radius" not in endings:
        raise InputError("radius=true is for the encoder of a quantized variational autoencoder; this network is none")
    if target.radius and target.io_type == "io_stream":
        raise InputError("radius=true with io_type=io_stream: its latent means cannot be checked; leave one out")
    target = replace(target, part=None if part == network.sections[0] else part)
    if target.softmax and target.io_type == "io_stream":
        raise InputError("softmax=true with io_type=io_stream: its logits cannot be checked; leave one out")
    if not network.is_quantized:
        return replace(target, precision=target.precision or "fixed<16,6>")
    if target.precision is not None:
        raise InputError(
            f"precision={target.precision} is for float checkpoints; this network was trained with formats of its own"
        )
    return target


def input_format(network: "Network", target: Target) -> FixedPoint:
    """Return the format of the input words; inputs are rounded to it and saturate, whatever `precision` says of it.

    Raises:
        InputError: the precision of a float network is no format.
    """
    return network.formats["input"] if network.formats else precision_format(target.precision or "")


def precision_format(precision: str) -> FixedPoint:
    """Return the format of a precision, whatever modes it states.

    Raises:
        InputError: it is no format.
    """
    try:
        return FixedPoint.parse(without_modes(precision))
    except InputError as error:
        raise InputError(f"precision={error}") from None
