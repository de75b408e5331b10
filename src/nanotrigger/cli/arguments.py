"""Rewrite `experiment=jets_qat key=value` to the arguments of LightningCLI, and a scan's points to such arguments."""

import json
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from nanotrigger.cli.configs import (
    SHIPPED,
    find_configuration,
    find_file,
    known_names,
    name_of,
    own_base,
    split_configs,
)
from nanotrigger.cli.configuration import PATH_KEYS
from nanotrigger.command import ALIASES, dashed
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.precision.names import EXCLUSIVE_KEYS, TARGET_KEY
from nanotrigger.scan.plan import Plan, Value

SUBCOMMANDS = ("fit", "validate", "test")
EXPORT = "export."  # what a point's key for export.py begins with
_FILES = (*PATH_KEYS, f"{EXPORT}data")  # keys that name files
_QUIET = ("evaluate=false", "trainer.enable_progress_bar=false")  # the export judges a point, nobody watches it


def train_arguments(arguments: Sequence[str], configs: Path = SHIPPED) -> list[str]:
    """Return LightningCLI's arguments for those of `train.py`.

    `fit` is the subcommand if none is named; each `experiment=NAME` becomes the config file of that name, each
    `experiment=FILE.yaml` that file, in order, and the names joined by `+` become `--experiment`. `configs=DIR` is a
    folder of one's own, in which names are looked for first. With only a `ckpt_path=RUN/….ckpt`,
    `RUN/config.yaml` is the config; for a `FOLDER/NAME.ckpt` that is kept elsewhere `FOLDER/NAME/config.yaml`. One of
    `EXCLUSIVE_KEYS` takes the place of a config's others.

    Args:
        arguments: `sys.argv[1:]`.
        configs: the folder that holds `experiment/NAME.yaml`, where none is named.

    Raises:
        InputError: an unknown experiment, or nothing that says what to run.
    """
    rest = list(arguments)
    if rest and rest[0] in ("-h", "--help"):
        return rest
    subcommand = rest.pop(0) if rest and rest[0] in SUBCOMMANDS else "fit"
    rest, configs = split_configs(rest, configs)
    given = [argument for argument in rest if _is_experiment(argument, rest)]
    names = [argument.partition("=")[2] for argument in given]
    rest = dashed([argument for argument in rest if argument not in given], ALIASES)
    rest = [_with_shipped(argument) for argument in rest]
    files = own_base(configs) + [find_configuration("experiment", name, configs) for name in names]
    if not names and not any(argument.startswith(("--config", "-c", "--help", "-h")) for argument in rest):
        files = [_config_of_checkpoint(rest, configs)]
    named = [f"--experiment={name_of(names)}"] if names else []
    return [subcommand, *(f"--config={file}" for file in files), *rest, *_replaced(rest), *named]


def config_files(arguments: Sequence[str]) -> list[Path]:
    """Return the configurations that arguments of LightningCLI name, in order.

    >>> [str(file) for file in config_files(["fit", "--config=a.yaml", "-c", "b.yaml"])]
    ['a.yaml', 'b.yaml']
    """
    files = []
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        if argument in ("-c", "--config"):
            files.append(Path(following))
        elif argument.startswith("--config="):
            files.append(Path(argument.partition("=")[2]))
    return files


def point_arguments(plan: Plan, keys: dict[str, Value], folder: Path, configs: Path) -> list[str]:
    """Return the arguments of LightningCLI with which a point of a scan is trained in a folder."""
    experiments = [f"experiment={name}" for name in plan.experiments]
    settings = with_files(plan, keys).items()
    words = [f"{key}={_text(value)}" for key, value in settings if not key.startswith(EXPORT)]
    return train_arguments([*experiments, *_QUIET, *_target_keys(keys), *words, f"output={folder}"], configs)


def _target_keys(keys: dict[str, Value]) -> list[str]:
    """Return the arguments by which a budget, if the training has one, is for the firmware that is exported."""
    names = {f"{EXPORT}{name}": name for name in Target.__dataclass_fields__}
    return [f"{TARGET_KEY}.{names[key]}={_text(value)}" for key, value in keys.items() if key in names]


def export_arguments(keys: dict[str, Value], checkpoint: Path) -> list[str]:
    """Return the arguments of export.py among a point's keys."""
    words = {key.removeprefix(EXPORT): value for key, value in keys.items() if key.startswith(EXPORT)}
    return [f"--ckpt={checkpoint}", *(f"--{key}={_text(value)}" for key, value in words.items())]


def with_files(plan: Plan, keys: dict[str, Value]) -> dict[str, Value]:
    """Return what a point sets, each file where the study's own place leads to."""

    def found(key: str, value: Any) -> Any:
        if isinstance(value, list):
            return [found(key, item) for item in value]
        return plan.file(key, value) if isinstance(value, str) else value

    return {key: found(key, value) if key in _FILES else value for key, value in keys.items()}


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def option(arguments: Sequence[str], name: str) -> str | None:
    """Return the last value of `--name=value` or `--name value`, or None.

    >>> option(["fit", "--output=a", "--output", "b"], "output")
    'b'
    """
    value = None
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        if argument == f"--{name}":
            value = following
        elif argument.startswith(f"--{name}="):
            value = argument.partition("=")[2]
    return value


def _replaced(arguments: Sequence[str]) -> list[str]:
    """Return what takes back a config's keys that do not go together with those in the arguments."""
    taken_back: list[str] = []
    for group in EXCLUSIVE_KEYS:
        given = [key for key in group if option(arguments, key) is not None]
        taken_back += [f"--{key}=null" for key in group if given and key not in given]
    return taken_back


def _is_experiment(argument: str, arguments: Sequence[str]) -> bool:
    """Return whether an argument names an experiment; beside `--config` the option is the name of the run's folder."""
    dashes = "" if config_files(arguments) else "--"
    return argument.removeprefix(dashes).startswith("experiment=")


def _with_shipped(argument: str) -> str:
    """Return an argument; if it names a reference checkpoint that is not here, with the package's own."""
    key, equals, value = argument.partition("=")
    return f"{key}={find_file(value)}" if equals and key in ("--ckpt_path", "--warm_start.ckpt") else argument


def _config_of_checkpoint(arguments: Sequence[str], configs: Path) -> Path:
    checkpoint = option(arguments, "ckpt_path")
    if checkpoint is None:
        raise InputError(f"experiment= is missing; choose one of {', '.join(known_names('experiment', configs))}")
    path = Path(checkpoint)
    config, kept = path.with_name("config.yaml"), path.with_suffix("") / "config.yaml"
    if config.is_file() or not kept.is_file():
        kept = config
    if not kept.is_file():
        raise InputError(f"ckpt_path={checkpoint}: no {config} beside it; give experiment= as well")
    return kept
