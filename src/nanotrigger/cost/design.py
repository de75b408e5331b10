"""Design: an exported network as the sources of resource numbers get it."""

from dataclasses import dataclass
from pathlib import Path

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.graph.layers import IntegerNetwork

Unrolled = tuple[Datapath, IntegerNetwork]


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """What a source is asked about.

    Attributes:
        folder: of the export, with model.onnx; a place for logs.
        target: how the firmware is built.
        unrolled: the datapath, and the integer network that it computes; None if the firmware is no such datapath.
        refusal: why there is none; None if there is one.
    """

    folder: Path
    target: Target
    unrolled: Unrolled | None
    refusal: str | None

    @property
    def project(self) -> Path:
        """The firmware project, as its back end wrote it."""
        return self.folder / "hls"

    @property
    def datapath(self) -> Datapath:
        """Every sum and every rounding of the network.

        Raises:
            InputError: there is none; says why.
        """
        return self._unrolled[0]

    @property
    def network(self) -> IntegerNetwork:
        """The integer network that the datapath computes; raises as `datapath`."""
        return self._unrolled[1]

    @property
    def _unrolled(self) -> Unrolled:
        if self.unrolled is None:
            raise InputError(self.refusal or "the network has no datapath")
        return self.unrolled


def read_design(folder: Path, target: Target) -> Design:
    """Read the network of an export and unroll it, if it can be."""
    from nanotrigger.graph.read_layers import read_layers  # bring ONNX, which counting in a training does not need
    from nanotrigger.graph.unroll import unroll

    reason, unrolled = refusal(target), None
    if reason is None:
        try:
            network = read_layers(folder / "model.onnx", target.precision)
            unrolled = unroll(network), network
        except InputError as error:
            reason = str(error)
    return Design(folder=folder, target=target, unrolled=unrolled, refusal=reason)


def refusal(target: Target) -> str | None:
    """Return why firmware for `target` is no datapath that can be counted, or None if it is one."""
    if target.io_type != "io_parallel":
        return f"io_type={target.io_type}: the structural count knows only io_parallel"
    if target.reuse_factor != 1:
        return f"reuse_factor={target.reuse_factor}: the structural count knows only 1, every product in parallel"
    if target.softmax:
        return "softmax=true: the structural count does not know the tables of a softmax"
    if target.radius:
        return "radius=true: the structural count does not know products of two signals"
    return None
