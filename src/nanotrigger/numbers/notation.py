"""Formats as text in configurations: `fixed<4,2>` wherever YAML stands, on the command line and in files."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import yaml

from nanotrigger.errors import InputError
from nanotrigger.numbers.fixed_point import FixedPoint

_WRITTEN = re.compile(r"u?fixed<[^<>\n]*>")
_COMMA = "\ue000"  # stands for a comma within a format, which would end an item of a list


def load_yaml(text: str, load: Callable[[str], Any] = yaml.safe_load) -> Any:
    """Return what a text in YAML holds; the comma of a format separates no items.

    Args:
        text: in YAML.
        load: reads it.

    >>> load_yaml("[fixed<4,2>, {width: 3}, ufixed<8,0>]")
    ['fixed<4,2>', {'width': 3}, 'ufixed<8,0>']
    """
    return _with_commas(load(_WRITTEN.sub(lambda written: written[0].replace(",", _COMMA), text)))


def as_mappings(value: Any) -> Any:
    """Return a configuration with each text that is a format as the mapping that it stands for.

    All of its keys are given, so that it replaces another format whole.

    >>> as_mappings({"weight": ["fixed<4,2>"]})
    {'weight': [{'width': 4, 'integer': 2, 'signed': True, 'narrow': False, 'rounding': 'nearest'}]}
    """
    if isinstance(value, dict):
        return {key: as_mappings(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_mappings(inner) for inner in value]
    if not isinstance(value, str) or not _WRITTEN.fullmatch(value.strip()):
        return value
    try:
        return asdict(FixedPoint.parse(value))
    except InputError:  # who needs a format says why this is none
        return value


def _with_commas(value: Any) -> Any:
    if isinstance(value, dict):
        return {_with_commas(key): _with_commas(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_commas(inner) for inner in value]
    return value.replace(_COMMA, ",") if isinstance(value, str) else value
