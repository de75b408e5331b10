"""Where configurations lie: those that the package brings, and a folder of the user's own."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from nanotrigger.errors import InputError

_PACKAGE = Path(__file__).parents[1]
_IS_INSTALLED = (_PACKAGE / "configs").is_dir()  # else they lie in the repository, beside src
SHIPPED = _PACKAGE / "configs" if _IS_INSTALLED else _PACKAGE.parents[1] / "configs"
"""The folder of the package's own configurations, beside which are its reference checkpoints."""

BASE = SHIPPED / "base.yaml"
"""What every run shares."""

_REFERENCE = ("checkpoints", "reference")
_OWN = "configs="


def split_configs(arguments: Sequence[str], configs: Path = SHIPPED) -> tuple[list[str], Path]:
    """Return the arguments without `configs=DIR`, and the folder that it names.

    Args:
        arguments: of a command line.
        configs: the folder if none is named.

    Raises:
        InputError: there is no such folder.
    """
    rest = [argument for argument in arguments if not argument.removeprefix("--").startswith(_OWN)]
    for argument in arguments:
        if argument not in rest:
            configs = Path(argument.partition("=")[2])
    if not configs.is_dir():
        raise InputError(f"{_OWN}{configs}: no such folder; give one that holds NAME.yaml for each experiment")
    return rest, configs


def find_configuration(kind: Literal["experiment", "study"], name: str, configs: Path = SHIPPED) -> Path:
    """Return the file of an experiment or a study.

    Args:
        kind: of the two.
        name: of the file without `.yaml`, in `configs/KIND` or, if there is no such folder, in `configs`, or among the
            package's own; or its path, which ends with `.yaml`.
        configs: folder of one's own, or the package's.

    Raises:
        InputError: there is none.
    """
    if is_path(name):
        if not Path(name).is_file():
            raise InputError(f"{kind}={name}: no such file; give the path of a configuration, or a name")
        return Path(name)
    for folder in _folders(kind, configs):
        file = folder / f"{name}.yaml"
        if re.fullmatch(r"\w+", name) and file.is_file():
            return file
    known = ", ".join(known_names(kind, configs))
    raise InputError(f"{kind}={name} is unknown; choose one of {known}, or give a file, {kind}=./NAME.yaml")


def known_names(kind: Literal["experiment", "study"], configs: Path) -> list[str]:
    """Return the names that `find_configuration` knows, sorted."""
    return sorted({file.stem for folder in _folders(kind, configs) for file in folder.glob("*.yaml")} - {BASE.stem})


def _folders(kind: str, configs: Path) -> list[Path]:
    return [configs / kind if (configs / kind).is_dir() else configs, SHIPPED / kind]


def is_path(name: str) -> bool:
    """Return whether an experiment or a study is given by its file.

    >>> is_path("./mine.yaml"), is_path("jets_qat")
    (True, False)
    """
    return name.endswith((".yaml", ".yml"))


def name_of(names: Sequence[str]) -> str:
    """Return how runs of experiments are called.

    >>> name_of(["../mine/jets 2.yaml", "course"])
    'jets_2+course'
    """
    return "+".join(re.sub(r"[^\w-]", "_", Path(name).stem) if is_path(name) else name for name in names)


def own_base(configs: Path) -> list[Path]:
    """Return the base.yaml of a folder of one's own, if it has one; the package's comes before it."""
    file = configs / BASE.name
    return [file] if file.is_file() and not file.samefile(BASE) else []


def find_file(path: str | Path) -> str:
    """Return a path; if it is one of a reference checkpoint, and no such file is here, the package's own file."""
    shipped = SHIPPED.parent / path
    is_shipped = Path(path).parts[:2] == _REFERENCE and not Path(path).exists() and shipped.is_file()
    return str(shipped if is_shipped else path)
