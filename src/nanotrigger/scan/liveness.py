"""Whether the process that took a point still lives."""

import platform
from pathlib import Path
from typing import Any

import psutil

ALIVE_EVERY = 60  # seconds between two signs of life
SILENCE = 5 * ALIVE_EVERY  # seconds without one after which a process on another machine counts as dead
_CLOCK = 5  # seconds by which the start of a process may seem to move when the clock is set


def identity(pid: int) -> dict[str, Any]:
    """Return what tells a process of this machine from all others, here and elsewhere."""
    return {"place": _place(), "pid": pid, "started": psutil.Process(pid).create_time()}


def is_here(worker: dict[str, Any]) -> bool:
    """Return whether a process ran where this one runs, so that `lives` can tell at once."""
    return bool(worker["place"] == _place())


def lives(worker: dict[str, Any]) -> bool:
    """Return whether a process of this machine still runs, and is no later one with its number."""
    try:
        process = psutil.Process(worker["pid"])
        is_same = abs(process.create_time() - worker["started"]) < _CLOCK
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _place() -> str:
    """Return what process numbers are unique in: the machine since its start, or the container on it."""
    parts = [platform.node()]
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists():
        parts.append(boot.read_text().strip())
    if namespace.exists():
        parts.append(str(namespace.readlink()))
    return " ".join(parts)
