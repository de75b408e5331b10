"""All tasks in one dictionary, and what is asked of a task by its name."""

from pydoc import locate

from nanotrigger.data.split import Events, JudgedSplit
from nanotrigger.data.split_data import Source
from nanotrigger.errors import InputError
from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.tasks.anomaly.task import AnomalyDetection
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.tasks.jets.sample import JetSample, read_jets
from nanotrigger.tasks.jets.task import JetTagging
from nanotrigger.tasks.task import Task
from nanotrigger.training.checkpoint import TrainedNetwork

TASKS: dict[str, type[Task]] = {"JetTagging": JetTagging, "AnomalyDetection": AnomalyDetection}
"""Every task by the name of its class, which checkpoints hold; a task from elsewhere adds itself on import."""


def task_named(name: str) -> type[Task]:
    """Return a task.

    Raises:
        InputError: there is none of this name.
    """
    if name not in TASKS:
        raise InputError(f"task {name} is none of {', '.join(TASKS)}; this version does not know what it learned")
    return TASKS[name]


def task_of(trained: TrainedNetwork) -> type[Task]:
    """Return the task that a checkpoint's network has learned.

    Raises:
        InputError: it is not in the list.
    """
    return task_named(trained.task)


def check_task(model: str, data: str) -> None:
    """Check that what is to be trained can be judged.

    Args:
        model: path of the training module's class.
        data: path of the data module's class.

    Raises:
        InputError: the module is no task of the list, or the task learns from other data.
    """
    task, module = locate(model), locate(data)
    name = getattr(task, "__name__", "")
    if name not in TASKS or TASKS[name] is not task:
        raise InputError(
            f"model.class_path={model}: none of the tasks {', '.join(TASKS)}; "
            f'add it by nanotrigger.tasks.TASKS["{name}"] = {name}'
        )
    wanted = TASKS[name].data_module
    if not (isinstance(module, type) and issubclass(module, wanted)):
        raise InputError(f"data.class_path={data}: {name} learns from the features of {wanted.__name__}; give that")


def judged_events(trained: TrainedNetwork, data: Source | None = None, *, split: JudgedSplit = "test") -> Events:
    """Return a split of the data that `trained` was trained on, or else all events of another file.

    Args:
        trained: of a checkpoint.
        data: source to use instead; all of its events are taken, unless it is the file of the training.
        split: which split of the training's file.

    Raises:
        InputError: the task is unknown; or as `SplitData.judged`.
    """
    return task_of(trained).data_module.judged(trained.data, trained.standardization, source=data, split=split)


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
