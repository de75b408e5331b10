"""Nanotrigger: tiny quantized networks for nanosecond triggers, from PyTorch to verified FPGA firmware.

`import nanotrigger as nt` offers the functions of `nanotrigger.api`, which is imported with the first one.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanotrigger.api import (
        InputError,
        build_network,
        draw,
        evaluate,
        export,
        load_data,
        predict,
        report,
        train,
        verify,
    )

__all__ = [
    "InputError",
    "build_network",
    "draw",
    "evaluate",
    "export",
    "load_data",
    "predict",
    "report",
    "train",
    "verify",
]

# Brevitas remarks on import that a package is missing which none of our quantizers uses.
warnings.filterwarnings("ignore", message="fast_hadamard_transform package not found")


def __getattr__(name: str) -> Any:
    """Return a name of `api`, whose import takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("nanotrigger.api"), name)


def __dir__() -> list[str]:
    """Return what the package offers, for completion."""
    return [*globals(), *__all__]
