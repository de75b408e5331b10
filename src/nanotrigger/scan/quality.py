"""Quality: the column of a study's results that says how well a network does its task."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.tasks import TASKS


def qualities() -> dict[str, str]:
    """Return the qualities of all tasks: column → in words."""
    return dict(task.quality for task in TASKS.values())


def quality_of(columns: Iterable[str], *, default: str | None = None) -> str:
    """Return the column of the quality among a row's columns.

    Args:
        columns: of a row.
        default: what to return if there is none.

    Raises:
        InputError: there is none, and no default.

    >>> quality_of(["seed", "tpr", "aluts"]), quality_of({"accuracy": 0.7})
    ('tpr', 'accuracy')
    """
    present = set(columns)
    found = next((key for key in qualities() if key in present), default)
    if found is None:
        raise InputError(f"there is no column {' or '.join(qualities())}; run the scan again")
    return found


def lower_end(row: Mapping[str, Any]) -> float | None:
    """Return the lower end of the 68 % interval of a row's quality; None if it has none."""
    ends = (row.get(f"{key}_low") for key in qualities() if key in row)
    return next((end for end in ends if end is not None), None)


def chance_of(columns: Iterable[str]) -> float | None:
    """Return the quality of a random choice, from a row's columns; None if they do not tell.

    >>> chance_of(["accuracy", "auc_g", "auc_q"])
    0.5
    """
    columns = list(columns)
    quality = quality_of(columns)
    return next(task.chance(columns) for task in TASKS.values() if task.quality.key == quality)


def is_result(column: str) -> bool:
    """Whether a column holds a number that a task has found.

    >>> [name for name in ("accuracy_low", "auc_g", "seed") if is_result(name)]
    ['accuracy_low', 'auc_g']
    """
    return any(
        column in (task.quality.key, f"{task.quality.key}_low", f"{task.quality.key}_high")
        or any(fnmatchcase(column, pattern) for pattern in task.result_columns)
        for task in TASKS.values()
    )
