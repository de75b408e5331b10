"""Rewrite `experiment=jets_qat key=value` to the arguments of LightningCLI: a pure function."""

import re
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from nanotrigger.errors import InputError
from nanotrigger.precision.names import EXCLUSIVE_KEYS

SUBCOMMANDS = ("fit", "validate", "test")
_ALIASES = {"seed": "seed_everything"}


def dashed(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with every `key=value` as `--key=value`; others stay.

    >>> dashed(["seed=3", "trainer.max_epochs=2", "--help"])
    ['--seed_everything=3', '--trainer.max_epochs=2', '--help']
    """
    result = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        is_pair = bool(equals) and re.fullmatch(r"[A-Za-z_][\w.]*", key)
        result.append(f"--{_ALIASES.get(key, key)}={value}" if is_pair else argument)
    return result


def train_arguments(arguments: Sequence[str], configs: Path) -> list[str]:
    """Return LightningCLI's arguments for those of `train.py`.

    `fit` is the subcommand if none is named; each `experiment=NAME` becomes the config file of that name,
    in order, and the names joined by `+` become `--experiment`. With only a `ckpt_path=RUN/….ckpt`,
    `RUN/config.yaml` is the config. One of `EXCLUSIVE_KEYS` takes the place of a config's others.

    Args:
        arguments: `sys.argv[1:]`.
        configs: the folder that holds `experiment/NAME.yaml`.

    Raises:
        InputError: an unknown experiment, or nothing that says what to run.
    """
    rest = list(arguments)
    if rest and rest[0] in ("-h", "--help"):
        return rest
    subcommand = rest.pop(0) if rest and rest[0] in SUBCOMMANDS else "fit"
    names = [argument.partition("=")[2] for argument in rest if _is_experiment(argument)]
    rest = dashed([argument for argument in rest if not _is_experiment(argument)])
    files = [f"--config={_experiment_file(name, configs)}" for name in names]
    if not names and not any(argument.startswith(("--config", "-c", "--help", "-h")) for argument in rest):
        files = _config_of_checkpoint(rest, configs)
    named = [f"--experiment={'+'.join(names)}"] if names else []
    return [subcommand, *files, *rest, *_replaced(rest), *named]


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


def _is_experiment(argument: str) -> bool:
    return argument.removeprefix("--").startswith("experiment=")


def _experiment_file(name: str, configs: Path) -> Path:
    file = configs / "experiment" / f"{name}.yaml"
    if not re.fullmatch(r"\w+", name) or not file.is_file():
        raise InputError(f"experiment={name} is unknown; choose one of {_experiments(configs)}")
    return file


def _experiments(configs: Path) -> str:
    return ", ".join(sorted(file.stem for file in (configs / "experiment").glob("*.yaml")))


def _config_of_checkpoint(arguments: Sequence[str], configs: Path) -> list[str]:
    checkpoint = option(arguments, "ckpt_path")
    if checkpoint is None:
        raise InputError(f"experiment= is missing; choose one of {_experiments(configs)}")
    config = Path(checkpoint).parent / "config.yaml"
    if not config.is_file():
        raise InputError(f"ckpt_path={checkpoint}: no {config} beside it; give experiment= as well")
    return [f"--config={config}"]
