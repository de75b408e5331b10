"""The grammar of scans: `key=a,b,c` on the command line, and the files in configs/study."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nanotrigger.command import TYPED
from nanotrigger.errors import InputError
from nanotrigger.files import find_upwards
from nanotrigger.numbers.notation import load_yaml
from nanotrigger.scan.plan import Axis, Contest, Plan, Range, Value

_STUDY_KEYS = ("description", "experiment", "ckpt", "settings", "scan", "contest")
_OPENING, _CLOSING = "([{<", ")]}>"


def split_values(text: str) -> list[str]:
    """Split at the commas that stand outside of brackets and quotes.

    >>> split_values("fixed<8,6>,fixed<10,6>")
    ['fixed<8,6>', 'fixed<10,6>']
    >>> split_values("{width: 2, narrow: true}")
    ['{width: 2, narrow: true}']
    """
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote or character in "'\"":
            quote = "" if character == quote else quote or character
        depth += (character in _OPENING) - (character in _CLOSING)
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def read_value(text: str) -> Value:
    """Return the value that a text stands for: YAML, and numbers such as 1e-3.

    Raises:
        InputError: neither.

    >>> read_value("4"), read_value("1e-3"), read_value("{width: 4}"), read_value("fixed<8,6>")
    (4, 0.001, {'width': 4}, 'fixed<8,6>')
    """
    try:
        value = load_yaml(text)
    except yaml.YAMLError:
        raise InputError(f"{text!r} is no value; check its brackets and quotes") from None
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
        return float(value)
    return value if isinstance(value, bool | int | float | list | dict) else text


def read_arguments(arguments: Mapping[str, str]) -> tuple[dict[str, Axis], dict[str, Value]]:
    """Return axes by name and fixed settings of `key=value` pairs; `a,b=1,2` gives both keys the same values.

    >>> axes, settings = read_arguments({"seed": "1,2", "network.weight.width,network.bias.width": "3,4", "l1": "0"})
    >>> [axis.name for axis in axes.values()], settings
    (['seed', 'network.weight.width,network.bias.width'], {'l1': 0})
    """
    axes: dict[str, Axis] = {}
    settings: dict[str, Value] = {}
    for name, text in arguments.items():
        keys = _keys(name)
        values = [read_value(part) for part in split_values(text)]
        if len(values) > 1:
            axes[name] = Axis(keys, tuple(values))
        else:
            settings |= dict.fromkeys(keys, values[0])
    return axes, settings


def read_study_file(file: Path) -> dict[str, Any]:
    """Return what a study's file says: arguments of `Plan`, `axes` and `settings` by name.

    Raises:
        InputError: a file with unknown keys or values.
    """
    try:
        content = load_yaml(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    _check_keys(file, "", content, _STUDY_KEYS)
    experiment, folder = content.get("experiment", []), file.absolute().parent
    try:
        return {
            "name": re.sub(r"[^\w-]", "_", file.stem),
            "description": str(content.get("description", "")),
            "experiments": tuple(
                find_upwards(name, folder) for name in ([experiment] if isinstance(experiment, str) else experiment)
            ),
            "ckpt": content.get("ckpt"),
            "axes": {key: _axis(file, key, values) for key, values in dict(content.get("scan", {})).items()},
            "settings": dict(content.get("settings", {})),
            "contest": _contest(file, content.get("contest")),
            "folder": folder,
        }
    except (TypeError, ValueError) as error:
        raise InputError(f"{file}: {error}") from None


def compose_plan(study: Mapping[str, Any], arguments: Mapping[str, str], **changes: Any) -> Plan:
    """Return the plan of a study's file, changed by the keys of the command line.

    A key of the command line replaces the axis or the setting of that name.

    Args:
        study: of `read_study_file`, or empty.
        arguments: `key=value` pairs of the command line.
        changes: attributes of `Plan` that replace those of the study.
    """
    axes, settings = read_arguments(arguments)
    given = {key for name in arguments for key in _keys(name)}
    kept = {name: axis for name, axis in study.get("axes", {}).items() if not given & set(axis.keys)}
    base = {key: value for key, value in study.get("settings", {}).items() if key not in given}
    parts = {key: value for key, value in study.items() if key not in ("axes", "settings")}
    varied = tuple({**kept, **axes}.values())
    stated = {*base, *(key for axis in kept.values() for key in axis.keys), *({"ckpt"} - changes.keys())}
    return Plan(**{**parts, **changes, "axes": varied, "settings": {**base, **settings}, "stated": frozenset(stated)})


def _keys(name: str) -> tuple[str, ...]:
    return tuple(TYPED.get(key, key) for key in name.split(","))


def _axis(file: Path, name: str, values: Any) -> Axis | Range:
    if isinstance(values, dict):
        _check_keys(file, f"scan.{name}.", values, ("low", "high", "step", "log"))
        whole = all(isinstance(value, int) for value in values.values())
        return Range(_keys(name), **{"step": int(whole), **values})
    if not isinstance(values, list):
        raise InputError(f"{file}: scan.{name}={values}: list the values, or give low and high")
    return Axis(_keys(name), tuple(values))


def _contest(file: Path, values: Any) -> Contest | None:
    if values is None:
        return None
    _check_keys(file, "contest.", values, ("threshold", "points"))
    return Contest(**values)


def _check_keys(file: Path, prefix: str, content: Any, known: Sequence[str]) -> None:
    if not isinstance(content, dict):
        raise InputError(f"{file}: {prefix or 'the file'} must hold the keys {', '.join(known)}")
    for key in content:
        if key not in known:
            raise InputError(f"{file}: unknown key {prefix}{key}; known are {', '.join(known)}")
