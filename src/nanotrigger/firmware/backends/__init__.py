"""Back ends: what turns a network into a vendor's project. One dictionary lists them; others may add theirs to it."""

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends.backend import Backend, Emulation
from nanotrigger.firmware.backends.oneapi.backend import OneAPI

__all__ = ["BACKENDS", "Backend", "Emulation", "backend_named"]

BACKENDS: dict[str, Backend] = {"oneapi": OneAPI()}


def backend_named(name: str) -> Backend:
    """Return the back end that a target names.

    Raises:
        InputError: there is none of this name.

    >>> backend_named("oneapi").folder
    'hls'
    """
    if name not in BACKENDS:
        raise InputError(f"backend={name}: must be {' or '.join(sorted(BACKENDS))}")
    return BACKENDS[name]
