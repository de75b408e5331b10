"""Data: tables of events, splits, standardization, batches, downloads and the shipped samples."""

from importlib import import_module
from typing import Any

_MOVED = ("JetData", "EventData")  # to tasks; configurations of older runs name them here


def __getattr__(name: str) -> Any:
    """Return a class that is now among the tasks."""
    if name in _MOVED:
        return getattr(import_module("nanotrigger.tasks"), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
