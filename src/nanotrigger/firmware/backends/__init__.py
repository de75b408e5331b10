"""Back ends: what turns a network into a vendor's project. One dictionary lists them; others may add theirs to it."""

from collections.abc import Mapping
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends.backend import Backend, Emulation
from nanotrigger.firmware.backends.oneapi.backend import OneAPI
from nanotrigger.firmware.target import Target

__all__ = ["BACKENDS", "Backend", "Emulation", "backend_named", "backend_of"]

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


def backend_of(parity: Mapping[str, Any]) -> Backend:
    """Return the back end of an export, by what its parity.json says; a former one says nothing: the default.

    Raises:
        InputError: it is not at hand.
    """
    return backend_named(parity.get("target", {}).get("backend", Target.backend))
