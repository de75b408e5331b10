"""scan.py: its arguments; what trains and exports is imported once they are right."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from nanotrigger.cli.arguments import EXPORT, config_files, export_arguments, point_arguments
from nanotrigger.cli.configs import BASE, SHIPPED, find_configuration, find_file, name_of, split_configs
from nanotrigger.cli.export import export_parser
from nanotrigger.cli.keys import check_keys
from nanotrigger.cli.wording import read_settings
from nanotrigger.command import exit_code, settings_parser
from nanotrigger.errors import InputError
from nanotrigger.scan.grammar import compose_plan, read_study_file
from nanotrigger.scan.plan import Plan, Value

_DESCRIPTION = """
Train, export and cost a network at every point of a grid; the same command again continues:

  python scan.py experiment=jets_qat network.weight.width=2,3,4,6 pruning.sparsity=0,0.5,0.75 seed=1,2,3
  python scan.py experiment=jets_qat network.weight.width,network.bias.width=3,4 workers=2
  python scan.py ckpt=RUN/best.ckpt 'export.precision=fixed<8,6>,fixed<12,6>,fixed<16,6>'
  python scan.py study=qat_width seed=1,2                        configs/study/qat_width.yaml, other seeds
  python scan.py study=contest contest.points=50                 search, and enter the leaderboard
  python scan.py study=qat_width storage=postgresql://HOST/DB    on as many machines as one likes

key=a,b,c varies a key of train.py, or of export.py as export.KEY; key=a fixes it; key1,key2=a,b gives both the same
value. Commas inside brackets or quotes belong to a value: network.hidden=[16,16],[32,32].
Results: OUTPUT/results.csv, OUTPUT/figures/, and each point's run in OUTPUT/points/. docs/scans.md tells more.
Exit code: 0; 1 if a point failed or no network won; 2 for bad input.
"""

_KEYS = r"[A-Za-z_][\w.]*(,[A-Za-z_][\w.]*)*"


def main(root: Path | None = None) -> int:
    """Run `scan.py` with `sys.argv` and return its exit code: 0, 1 if a point failed, 2 for bad input.

    Args:
        root: the folder that holds `configs`, by default the package's own.
    """
    return exit_code(lambda: _run(sys.argv[1:], root / "configs" if root else SHIPPED))


def _run(arguments: Sequence[str], configs: Path) -> int:
    arguments, configs = split_configs(arguments, configs)
    own, experiments, keys = _split(arguments)
    settings = read_settings(_parser(), own)
    if settings.workers < 1:
        raise InputError(f"workers={settings.workers}: must be at least 1")
    plan = _plan(settings, experiments, keys, configs)
    for point in plan.samples:
        _check_keys(plan, point, configs)
    from nanotrigger.cli.scanning import run_scan  # takes seconds

    return run_scan(plan, settings, configs)


def _check_keys(plan: Plan, keys: dict[str, Value], configs: Path) -> None:
    """Refuse keys that a point cannot have."""
    read_settings(export_parser(), export_arguments(keys, plan.checkpoint or Path("best.ckpt")), prefix=EXPORT)
    if plan.ckpt is None:
        words = point_arguments(plan, keys, Path("unused"), configs)
        check_keys(words, [BASE, *config_files(words)])
        return
    others = [key for key in keys if not key.startswith(EXPORT)]
    if others:
        raise InputError(f"{others[0]}: with ckpt= nothing is trained; only export.KEY can be set")


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str], dict[str, str]]:
    """Return scan.py's own arguments, the experiments, and the keys of points."""
    owned = set(_parser().get_defaults().keys())
    own: list[str] = []
    experiments: list[str] = []
    keys: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.removeprefix("--").partition("=")
        if argument in ("-h", "--help") or (name in owned and equals):
            own.append(f"--{name}={value}" if equals else argument)
        elif name == "experiment":
            experiments.append(value)
        elif equals and re.fullmatch(_KEYS, name):
            keys[name] = value
        else:
            raise InputError(f"{argument}: write key=value, or key=a,b,c to vary it; --help shows examples")
    return own, experiments, keys


def _parser() -> ArgumentParser:
    parser = settings_parser(_DESCRIPTION, "scan")
    parser.add_argument("--study", type=str | None, default=None, help="name of a file in configs/study, or its path")
    parser.add_argument("--ckpt", type=str | None, default=None, help="a trained network: points only export it")
    parser.add_argument(
        "--name", type=str | None, default=None, help="of the scan (default: the study's or experiment's)"
    )
    parser.add_argument("--output", type=Path | None, default=None, help="folder (default: checkpoints/scans/NAME)")
    parser.add_argument(
        "--storage", type=str | None, default=None, help="journal file or Optuna URL (default: OUTPUT/storage.journal)"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes on this machine")
    parser.add_argument("--retry", type=bool, default=False, help="run the points that failed again")
    parser.add_argument("--contest.points", type=int | None, default=None, help="networks that a contest trains")
    parser.add_argument(
        "--contest.threshold",
        type=float | None,
        default=None,
        help="what a winner exceeds",
    )
    parser.add_argument("--leaderboard", type=Path, default=Path("checkpoints/leaderboard.json"), help="of contests")
    return parser


def _plan(settings: Namespace, experiments: list[str], keys: dict[str, str], configs: Path) -> Plan:
    """Return the plan of the study's file and the command line."""
    study = read_study_file(find_configuration("study", settings.study, configs)) if settings.study else {}
    changes: dict[str, Any] = {}
    if experiments or settings.ckpt:
        changes = {"experiments": tuple(experiments), "ckpt": settings.ckpt and find_file(settings.ckpt)}
    name = settings.name or study.get("name") or name_of(experiments) or Path(settings.ckpt or "").stem
    contest = {key: value for key, value in settings.contest.items() if value is not None}
    if contest:
        if study.get("contest") is None:
            raise InputError(
                f"contest.{next(iter(contest))}: only a study with a contest has it, such as study=contest"
            )
        changes["contest"] = replace(study["contest"], **contest)
    return compose_plan(study, keys, **changes, name=name)


if __name__ == "__main__":
    sys.exit(main())
