"""The keys of train.py: a wrong one is refused before anything heavy is imported."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nanotrigger.cli.given import pairs
from nanotrigger.cli.signatures import Keys, keys_of_class, keys_of_method
from nanotrigger.command import did_you_mean
from nanotrigger.errors import InputError
from nanotrigger.numbers.notation import load_yaml

TRAINER = "lightning.pytorch.trainer.trainer.Trainer"
FAMILIES = ("model", "data", "network")  # groups whose class the configuration names
CALLBACKS = {
    "warm_start": "nanotrigger.training.warm_start.WarmStart",
    "pruning": "nanotrigger.training.pruning.Pruning",
    "budget": "nanotrigger.precision.budget.Budget",
    "checkpoint": "nanotrigger.training.run_checkpoints.BestCheckpoint",
    "early_stopping": "lightning.pytorch.callbacks.EarlyStopping",
}
"""Group → class of its settings."""

OPTIONS: dict[str, dict[str, Any]] = {
    "experiment": {"type": str | None, "default": None, "help": "name of the run's folder"},
    "output": {"type": str | None, "default": None, "help": "run folder"},
    "tensorboard": {"type": bool, "default": False, "help": "log to TensorBoard as well"},
    "evaluate": {"type": bool, "default": True, "help": "test the best checkpoint at the end"},
    "pdf": {"type": bool, "default": False, "help": "write the figures as PDF as well"},
}
"""Keys that are ours and stand alone."""

GROUPS = ("trainer", *FAMILIES, *CALLBACKS)
_OF_PARSER = ("config", "print_config", "help", "seed_everything", "seed")


def check_keys(arguments: Sequence[str], files: Sequence[Path]) -> None:
    """Refuse keys that do not exist; what the source files do not tell is left to the full parser.

    Args:
        arguments: of LightningCLI, the subcommand first.
        files: configurations that name the classes of model, data and network, as do the arguments.

    Raises:
        InputError: a key that does not exist, with the nearest one that does.
    """
    words = [(key, value) for key, value in pairs(arguments[1:]) if re.fullmatch(r"[A-Za-z_][\w.]*", key)]
    try:
        configurations = [load_yaml(file.read_text(encoding="utf-8")) for file in files]
    except (OSError, ValueError, RecursionError, yaml.YAMLError):  # the full parser says so
        return
    known = known_keys(arguments[0], configurations, words)
    if known is None:
        return
    places = [("", key) for key, _ in words]
    for file, configuration in zip(files, configurations, strict=True):
        places += [(f"{file}: ", key) for key in _keys_in(configuration)]
    for place, key in places:
        if not is_known(key, known):
            nearest = did_you_mean(key.replace(".init_args.", ".", 1), _flat(known))
            raise InputError(f"{place}unknown key {key}; {nearest}--print_config shows all keys")


def _keys_in(configuration: Any, prefix: str = "") -> Iterator[str]:
    """Yield the keys of a configuration, those in keys included."""
    for name, inside in configuration.items() if isinstance(configuration, dict) else ():
        yield f"{prefix}{name}"
        yield from _keys_in(inside, f"{prefix}{name}.")


def known_keys(subcommand: str, configurations: Sequence[Any], words: Sequence[tuple[str, str]]) -> Keys | None:
    """Return all keys that a subcommand has with some configurations and `key=value` over them; None if unreadable."""
    alone: Keys = dict.fromkeys([*OPTIONS, *_OF_PARSER], None)
    families = {family: _keys_of_family(list(_classes(family, configurations, words))) for family in FAMILIES}
    groups = {group: keys_of_class(path) for group, path in CALLBACKS.items()}
    of_trainer = keys_of_method(TRAINER, subcommand)
    if of_trainer is None:  # a Lightning that is laid out in another way
        return None
    return {**of_trainer, **alone, "trainer": keys_of_class(TRAINER), **families, **groups}


def is_known(key: str, known: Keys) -> bool:
    """Return whether a key exists, or may exist."""
    inside: Keys | None = known
    parts = key.split(".")
    if len(parts) > 2 and parts[0] in FAMILIES and parts[1] == "init_args":
        del parts[1]
    for part in parts:
        if inside is None or (part == "help" and inside is not known):
            return True
        if part not in inside:
            return False
        inside = inside[part]
    return True


def _keys_of_family(classes: Sequence[str]) -> Keys | None:
    """Return the keys of any of these classes; None if one cannot be read, or if there is none."""
    keys: Keys = {"class_path": {}, "init_args": None, "dict_kwargs": None}
    for path in classes:
        own = keys_of_class(path)
        if own is None:
            return None
        keys |= own
    return keys if classes else None


def _classes(family: str, configurations: Sequence[Any], words: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the class paths that configurations and arguments name for a family."""
    for configuration in configurations:
        yield from _named(configuration.get(family) if isinstance(configuration, dict) else None)
    for key, text in words:
        if key == f"{family}.class_path":
            yield text
        elif key == family:
            try:
                yield from _named(load_yaml(text))
            except (ValueError, RecursionError, yaml.YAMLError):
                yield text


def _named(value: Any) -> Iterator[str]:
    """Yield the class path that a group's value is or holds; a text may also name a file, which is no class."""
    path = value.get("class_path") if isinstance(value, Mapping) else value
    if path is not None:
        yield str(path)


def _flat(known: Keys, prefix: str = "") -> Iterator[str]:
    for key, inside in known.items():
        yield f"{prefix}{key}"
        yield from _flat(inside or {}, f"{prefix}{key}.")
