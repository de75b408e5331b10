"""How configurations are read: formats may be texts, and a relative path begins where the file lies that has it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader

from nanotrigger.files import find_upwards
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
