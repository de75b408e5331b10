"""Training: how networks learn."""

from importlib import import_module
from typing import Any

_MOVED = ("JetTagging", "AnomalyDetection")  # to tasks; configurations of older runs name them here


def __getattr__(name: str) -> Any:
    """Return a class that is now among the tasks."""
    if name in _MOVED:
        return getattr(import_module("nanotrigger.tasks"), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
