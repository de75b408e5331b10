"""The values of a point, asked of Optuna."""

import json

import optuna

from nanotrigger.scan.plan import Axis, Plan, Range, Value

Choice = bool | int | float | str | None  # what Optuna stores


def choices(axis: Axis | Range) -> list[Choice]:
    """Return an axis' values as Optuna stores them: lists and tables as JSON."""
    return [_choice(value) for value in axis.values]


def suggest(plan: Plan, trial: optuna.Trial) -> tuple[Value, ...]:
    """Return a trial's value of each axis."""
    return tuple(_suggest(axis, trial) for axis in plan.axes)


def values_of(plan: Plan, trial: optuna.trial.FrozenTrial) -> tuple[Value, ...] | None:
    """Return a recorded trial's value of each axis; None if it was stopped before they were chosen."""
    if any(axis.name not in trial.params for axis in plan.axes):
        return None
    return tuple(_value(axis, trial.params[axis.name]) for axis in plan.axes)


def point_number(plan: Plan, values: tuple[Value, ...], trial: int) -> int:
    """Return the place of a point in the grid, or in a contest the number of its trial."""
    return trial if plan.contest else plan.points.index(values)


def _suggest(axis: Axis | Range, trial: optuna.Trial) -> Value:
    if isinstance(axis, Axis):
        return _value(axis, trial.suggest_categorical(axis.name, choices(axis)))
    if axis.is_whole:
        return trial.suggest_int(axis.name, int(axis.low), int(axis.high), step=int(axis.step), log=axis.log)
    return trial.suggest_float(axis.name, axis.low, axis.high, step=axis.step or None, log=axis.log)


def _value(axis: Axis | Range, choice: Choice) -> Value:
    if isinstance(axis, Range):
        assert choice is not None
        return choice
    return axis.values[choices(axis).index(choice)]


def _choice(value: Value) -> Choice:
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)
