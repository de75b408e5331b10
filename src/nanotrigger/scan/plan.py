"""The plan of a scan: which keys take which values, and what stays fixed."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.files import find_upwards

Value = bool | int | float | str | list | dict
_REFERENCE = r"\$\{(\w+)\}"


@dataclass(frozen=True)
class Axis:
    """Keys that take the same values together.

    Attributes:
        keys: one or more keys of train.py or export.py, or the name of a variable that settings refer to.
        values: in the order of figures and tables, each once.
    """

    keys: tuple[str, ...]
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        texts = [json.dumps(value) for value in self.values]
        if not texts or len(set(texts)) < len(texts):
            raise InputError(f"{self.name}={','.join(texts)}: give each value once")

    @property
    def name(self) -> str:
        """The keys, joined by commas."""
        return ",".join(self.keys)


@dataclass(frozen=True)
class Range:
    """Keys whose value a search chooses between two bounds, both included.

    Attributes:
        keys: as those of an axis.
        low: smallest value.
        high: largest value.
        step: distance of the values; 1 for whole bounds, 0 for a continuous range.
        log: search on a logarithmic scale; needs whole bounds with step 1, or step 0.
    """

    keys: tuple[str, ...]
    low: float
    high: float
    step: float = 0
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high and self.step >= 0):
            raise InputError(f"{self.name}: low={self.low}, high={self.high}, step={self.step}: low must be below high")
        if self.log and (self.low <= 0 or self.step not in (0, 1)):
            raise InputError(f"{self.name}: a logarithmic range needs low above 0 and no step; it has low={self.low}")

    @property
    def name(self) -> str:
        """The keys, joined by commas."""
        return ",".join(self.keys)

    @property
    def is_whole(self) -> bool:
        """Whether its values are integers."""
        return isinstance(self.low, int) and isinstance(self.high, int) and isinstance(self.step, int)

    @property
    def values(self) -> tuple[Value, ...]:
        """The bounds: what a check of the plan tries."""
        return (self.low, self.high)


@dataclass(frozen=True)
class Contest:
    """A search for the cheapest network that is good enough.

    Attributes:
        threshold: the quality to exceed, such as an accuracy, 0 to 1.
        points: how many networks are trained.
    """

    threshold: float
    points: int

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise InputError(f"contest.threshold={self.threshold}: must lie between 0 and 1")
        if self.points < 1:
            raise InputError(f"contest.points={self.points}: must be at least 1")


@dataclass(frozen=True)
class Plan:
    """What a scan does.

    Attributes:
        name: of the study in its storage, and of its folder.
        description: what it is for, in one line.
        experiments: names of experiments, a later one overriding an earlier one.
        ckpt: a trained network to export at every point, instead of experiments to train.
        axes: what varies.
        settings: what stays fixed, by key; `${name}` stands for the value of the axis of that name.
        contest: the search, or None for all points of the grid.
        folder: of the study's file, in which relative paths of `ckpt` and of the keys in `stated` begin.
        stated: keys whose values that file states.

    Raises:
        InputError: parts that do not fit together.
    """

    name: str
    axes: tuple[Axis | Range, ...]
    description: str = ""
    experiments: tuple[str, ...] = ()
    ckpt: str | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    contest: Contest | None = None
    folder: Path | None = None
    stated: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if bool(self.experiments) == bool(self.ckpt):
            raise InputError("a scan needs experiment= (to train at every point) or ckpt= (to export one network)")
        if not re.fullmatch(r"\w[\w+-]*", self.name):
            raise InputError(
                f"name={self.name}: use letters, digits, _, + and - only; the study's folder has this name"
            )
        if not self.axes:
            raise InputError("nothing varies; give a key more than one value, as in seed=1,2,3")
        keys = [key for axis in self.axes for key in axis.keys]
        twice = {key for key in keys if keys.count(key) > 1 or key in self.settings}
        if twice:
            raise InputError(f"{', '.join(sorted(twice))}: set twice; give each key once")
        ranges = [axis.name for axis in self.axes if isinstance(axis, Range)]
        if ranges and self.contest is None:
            raise InputError(f"{', '.join(ranges)}: only a contest searches a range; list the values")
        undefined = _references(self.settings) - set(keys)
        if undefined:
            raise InputError(f"settings refer to ${{{sorted(undefined)[0]}}}, but no axis of the scan has that name")

    @property
    def checkpoint(self) -> Path | None:
        """The trained network that is exported at every point, if there is one."""
        return None if self.ckpt is None else Path(self.file("ckpt", self.ckpt))

    def file(self, key: str, path: str) -> str:
        """Return the file that a path means which is the value of a key."""
        return path if self.folder is None or key not in self.stated else find_upwards(path, self.folder)

    @property
    def size(self) -> int:
        """Number of points."""
        return self.contest.points if self.contest else math.prod(len(axis.values) for axis in self.axes)

    @property
    def points(self) -> list[tuple[Value, ...]]:
        """The points of a grid, one value of each axis, in the order of the axes' values."""
        return list(product(*(axis.values for axis in self.axes)))

    def varied(self, values: tuple[Value, ...]) -> dict[str, Value]:
        """Return the values of a point's axes by key, or by variable."""
        return {key: value for axis, value in zip(self.axes, values, strict=True) for key in axis.keys}

    def keys(self, values: tuple[Value, ...]) -> dict[str, Value]:
        """Return what a point sets, by key: the values of the axes, then the settings that are fixed.

        Args:
            values: one of each axis.
        """
        varied = self.varied(values)
        referred = _references(self.settings)
        settings = {key: _filled(value, varied) for key, value in self.settings.items()}
        return {key: value for key, value in varied.items() if key not in referred} | settings

    @property
    def samples(self) -> list[dict[str, Value]]:
        """What a point for each value of each axis sets, the other axes at their first value; for checks."""
        first = [axis.values[0] for axis in self.axes]
        points = [tuple(first)]
        for place, axis in enumerate(self.axes):
            points += [(*first[:place], value, *first[place + 1 :]) for value in axis.values[1:]]
        return [self.keys(values) for values in points]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain primitives."""
        axes = [
            {"keys": list(axis.keys), "values": list(axis.values)}
            if isinstance(axis, Axis)
            else {**asdict(axis), "keys": list(axis.keys)}
            for axis in self.axes
        ]
        return {
            "name": self.name,
            "description": self.description,
            "experiments": list(self.experiments),
            "ckpt": self.ckpt,
            "axes": axes,
            "settings": dict(self.settings),
            "contest": asdict(self.contest) if self.contest else None,
        }


def _references(value: Any) -> set[str]:
    return set(re.findall(_REFERENCE, json.dumps(value)))


def _filled(value: Any, values: Mapping[str, Value]) -> Any:
    """Return a setting with the axes' values in the place of the references to them."""
    if isinstance(value, dict):
        return {key: _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(_REFERENCE, value)
    if whole:
        return values[whole[1]]
    return re.sub(_REFERENCE, lambda match: str(values[match[1]]), value)
