"""Where a value was given: the words of a command line, or a configuration; in the words of who gave it."""

import ast
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from nanotrigger.command import TYPED
from nanotrigger.numbers.notation import load_yaml

_LONGEST = 200  # characters of a value that are repeated


class Given:
    """What a command was given.

    Args:
        arguments: those that are parsed, with dashes.
        files: configurations that are read before them, in order.
        prefix: what stands before the parser's keys where the user types them.
    """

    def __init__(self, arguments: Sequence[str], files: Sequence[Path], prefix: str) -> None:
        self.arguments, self.files, self.prefix = arguments, files, prefix

    def typed(self, key: str, inner: str | None) -> str:
        """Return a key and its value as the user gave them, with the file if there they stand.

        Args:
            key: as the parser knows it.
            inner: its value as the parser knows it, if it does.
        """
        for name, value in reversed(list(pairs(self.arguments))):
            plain = _without_init_args(name)
            if plain == key or (key.startswith(f"{plain}.") and inner is None):
                return f"{self.prefix}{TYPED.get(name, name)}={shortened(value)}"
            if key.startswith(f"{plain}."):
                return f"{self.prefix}{key}={shortened(as_yaml(inner))}"
        for file in reversed(self.files):
            found, content = _looked_up(_content(file), key.split("."))
            if found:
                return f"{file}: {key}={shortened(as_yaml(content))}"
        return f"{self.prefix}{key}" + ("" if inner is None else f"={shortened(as_yaml(inner))}")

    def value(self, key: str) -> Any:
        """Return the value of a key, typed ones first; None if it is not given."""
        for name, value in reversed(list(pairs(self.arguments))):
            if _without_init_args(name) == key:
                return value
        found = (_looked_up(_content(file), key.split(".")) for file in reversed(self.files))
        return next((content for is_there, content in found if is_there), None)

    def class_of(self, key: str, path: str) -> str:
        """Return a key and the class that is its value, as the user gave them."""
        is_whole = dict(pairs(self.arguments)).get(key) == path
        return self.typed(key if is_whole else f"{key}.class_path", path)

    def unknown(self, within: str, name: str) -> str:
        """Say that a key is unknown, as the user gave it, with the file if it stands there.

        Args:
            within: the key in which it would lie; empty for the outermost.
            name: what is unknown of it.
        """
        key = f"{within}.{name}" if within else name
        for typed, _ in pairs(self.arguments):
            plain = _without_init_args(typed)
            if plain == key:
                return f"unknown key {self.prefix}{typed}"
            if plain.startswith(f"{within}.") and plain.endswith(f".{name}"):  # in a name with a dot, as tensors have
                return f"unknown key {self.prefix}{typed}; a name with a dot goes into braces: {within}={{NAME: …}}"
        for file in self.files:
            if _looked_up(_content(file), key.split("."))[0]:
                return f"{file}: unknown key {key}"
        return f"unknown key {self.prefix}{key}"


def pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield key and value of each `--key=value` and `--key value`."""
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        if argument.startswith("--"):
            name, equals, value = argument.removeprefix("--").partition("=")
            yield name, value if equals else following


def _without_init_args(key: str) -> str:
    return key.replace(".init_args.", ".")


def _content(file: Path) -> Any:
    try:
        return load_yaml(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):  # another message says so
        return None


def _looked_up(content: Any, keys: Sequence[str]) -> tuple[bool, Any]:
    """Return whether a configuration has a key, and its value; keys in `init_args` belong to what has these."""
    if not keys:
        return True, content
    if not isinstance(content, dict):
        return False, None
    for count in range(len(keys), 0, -1):  # a key may hold dots itself
        name = ".".join(keys[:count])
        if name in content:
            return _looked_up(content[name], keys[count:])
    return _looked_up(content.get("init_args"), keys) if "init_args" in content else (False, None)


def first_unreadable(files: Sequence[Path]) -> str:
    """Return the beginning of a message about the first file that is no YAML."""
    for file in files:
        try:
            load_yaml(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError, yaml.YAMLError):
            return f"{file} is no YAML: "
    return "a configuration is no YAML: "


def first_keyless(files: Sequence[Path]) -> str:
    """Return the first file that holds something else than keys."""
    return next((str(file) for file in files if not isinstance(_content(file), dict)), "a configuration")


def as_yaml(value: Any) -> str:
    """Return a value as one writes it on the command line."""
    value = read_shown(value) if isinstance(value, str) else value
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1_000_000)
    return text.removesuffix("...\n").strip()


def read_shown(shown: str) -> Any:
    """Return the list, mapping or constant that the parser shows as Python does; other texts as they are."""
    if shown.startswith(("[", "{")) or shown in ("True", "False", "None"):
        with suppress(ValueError, SyntaxError):
            return ast.literal_eval(shown)
    return shown


def shortened(value: str) -> str:
    """Return a value in one line, cut where it is too long to be read."""
    text = " ".join(value.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
