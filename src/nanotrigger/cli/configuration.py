"""How configurations are read: formats may be texts, and a relative path begins where the file lies that has it."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader

from nanotrigger.errors import InputError
from nanotrigger.files import find_upwards
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.notation import as_mappings, load_yaml

MODE = "yaml of nanotrigger"
"""`parser_mode` of a parser that reads so."""

PATH_KEYS = ("ckpt_path", "warm_start.ckpt", "data.source", "data.signals")
"""Keys of train.py that name files."""


def with_paths(configuration: Any, change: Callable[[str], str]) -> Any:
    """Return a configuration with its paths changed.

    >>> with_paths({"data": {"init_args": {"signals": ["a.h5"]}}, "seed": 1}, str.upper)
    {'data': {'init_args': {'signals': ['A.H5']}}, 'seed': 1}
    """
    for key in PATH_KEYS:
        configuration = _changed(configuration, key.split("."), change)
    return configuration


def from_folder(configuration: Any, folder: Path) -> Any:
    """Return the configuration of a file in a folder with its paths as `find_upwards` finds them."""
    return with_paths(configuration, lambda text: find_upwards(text, folder))


def repeatable(text: str, folder: Path) -> str:
    """Return a path as a configuration in a folder states it.

    It is absolute, unless file and folder both lie in the current folder, such as the repository, and the path from
    there is found by `find_upwards`: then it outlives a move of the whole. What is no file, such as `simulated`, stays
    as it is.
    """
    file, folder, here = Path(text).absolute(), folder.absolute(), Path.cwd()
    if not file.is_file():
        return text
    if here != here.parent and file.is_relative_to(here) and folder.is_relative_to(here):
        short = file.relative_to(here).as_posix()
        if find_upwards(short, folder) == str(file):
            return short
    return str(file)


def change_paths(settings: Any, change: Callable[[str], str]) -> None:
    """Change the paths in settings of train.py's parser."""
    for key in PATH_KEYS:
        place = key.replace("data.", "data.init_args.")
        value = settings.get(place)
        if isinstance(value, str):
            settings[place] = change(value)
        elif isinstance(value, list):
            settings[place] = [change(path) for path in value]


def lasting(path: str, folder: Path) -> str:
    """Return a path that leads to the same file whatever the current folder will be, from a folder of checkpoints."""
    is_file = Path(path).is_file()
    return str(Path(path).absolute()) if is_file and repeatable(path, folder) != path else path


def check_formats(arguments: Sequence[str], network: Any) -> None:
    """Refuse formats that cannot exist, by their key, and keys of which the parser would change one format of many.

    `network.weight.width=6` is such a key where the formats are a list.
    """
    for name, value in network.as_dict().items() if network else ():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, dict) and "width" in number:
                try:
                    FixedPoint(**number)
                except InputError as error:
                    raise InputError(f"network.{name}={error}") from None
    for argument in arguments:
        match = re.match(r"--network\.(?:init_args\.)?(\w+)\.\w+", argument)
        if match and isinstance(network.get(match[1]), list):
            raise InputError(f"{argument[2:]}: network.{match[1]} has a format for each layer; give the list, or one")


def _changed(content: Any, keys: list[str], change: Callable[[str], str]) -> Any:
    if not keys and isinstance(content, list):
        return [_changed(item, keys, change) for item in content]
    if not keys:
        return change(content) if isinstance(content, str) else content
    if not isinstance(content, dict):
        return content
    name, *inner = keys
    if name in content:
        return {**content, name: _changed(content[name], inner, change)}
    if "init_args" in content:
        return {**content, "init_args": _changed(content["init_args"], keys, change)}
    return content


def _read(text: str, path: str = "") -> Any:
    """Return what a text holds; jsonargparse gives the path of a file, and makes its folder the current one."""
    content = as_mappings(load_yaml(text, get_loader("yaml")))
    return from_folder(content, Path.cwd()) if path else content


set_loader(MODE, _read, exceptions=(yaml.YAMLError,))
