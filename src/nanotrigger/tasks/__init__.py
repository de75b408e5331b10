"""Tasks: what a network learns and how it is judged, a folder each. They are imported when one is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanotrigger.tasks.all_tasks import (
        TASKS,
        AnomalyDetection,
        EventData,
        JetData,
        JetSample,
        JetTagging,
        Task,
        check_task,
        judged_events,
        read_jets,
        task_named,
        task_of,
    )
else:

    def __getattr__(name: str) -> Any:
        """Return a name of `all_tasks`, whose import takes seconds: commands in this folder answer `--help` at once."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("nanotrigger.tasks.all_tasks"), name)


__all__ = [
    "TASKS",
    "AnomalyDetection",
    "EventData",
    "JetData",
    "JetSample",
    "JetTagging",
    "Task",
    "check_task",
    "judged_events",
    "read_jets",
    "task_named",
    "task_of",
]
