"""Every task, by the name that checkpoints have of it."""

from nanotrigger.errors import InputError
from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.tasks.anomaly.task import AnomalyDetection
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.tasks.jets.sample import JetSample, read_jets
from nanotrigger.tasks.jets.task import JetTagging
from nanotrigger.training.module import Task

TASKS = {kind.__name__: kind for kind in (JetTagging, AnomalyDetection)}
"""Every task by its name in checkpoints."""


def task_named(name: str) -> type[Task]:
    """Return a task.

    Raises:
        InputError: there is none of this name.
    """
    if name not in TASKS:
        raise InputError(f"task {name} is none of {', '.join(TASKS)}; this version does not know what it learned")
    return TASKS[name]


__all__ = ["TASKS", "AnomalyDetection", "EventData", "JetData", "JetSample", "JetTagging", "read_jets", "task_named"]
