"""What hls4ml can be asked for: names of projects, and targets."""

import math
import re

from nanotrigger.errors import InputError
from nanotrigger.firmware.target import SHARED, Target

_NAME = re.compile(r"(?!(defines|parameters|nnet_\w*)$)[a-z][a-z0-9_]*")  # not that of a generated header
_PRECISION = re.compile(
    r"u?fixed<\d+,-?\d+(,(TRN|TRN_ZERO|RND|RND_ZERO|RND_INF|RND_MIN_INF|RND_CONV)(,(WRAP|SAT|SAT_ZERO|SAT_SYM))?)?>"
)


def is_project_name(name: str) -> bool:
    """Whether generated C++ can bear a name: small letters, digits and _, and no name of a generated header."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Raise InputError unless generated C++ can bear the name."""
    if not is_project_name(name):
        raise InputError(f"project name {name!r}: use small letters, digits and _, and no name of a generated header")


def check_target(target: Target) -> None:
    """Raise InputError if a part, clock period, interface or reuse factor is none that hls4ml could take."""
    if not re.fullmatch(r"[\w:.-]+", target.fpga_part):
        raise InputError(f"part {target.fpga_part!r} is not a name; write it like Agilex7 or AGFB014R24A2E2V")
    if not 0 < target.clock_period < math.inf:
        raise InputError(f"clock_period {target.clock_period}: must be above 0 ns, and finite")
    if target.io_type not in ("io_parallel", "io_stream"):
        raise InputError(f"io_type {target.io_type!r}: must be io_parallel or io_stream")
    if target.reuse_factor < 1:
        raise InputError(f"reuse_factor {target.reuse_factor}: must be at least 1")
    is_unrolled = target.io_type == "io_parallel" and target.reuse_factor == 1
    if target.adders == SHARED and (not is_unrolled or target.precision is not None):
        raise InputError(
            "adders=shared: is for quantized networks with io_type=io_parallel and reuse_factor=1; leave adders out"
        )


def checked_type(name: str) -> str:
    """Return the name of a type, if it is one that hls4ml reads.

    Raises:
        InputError: it is none.
    """
    if not _PRECISION.fullmatch(name):
        raise InputError(f"precision {name!r} is not a type; write it like fixed<16,6> or fixed<8,4,RND_CONV,SAT>")
    return name
